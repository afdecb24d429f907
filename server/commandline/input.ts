import { readFile, stat } from 'node:fs/promises';
import { InvalidRequestError } from '../base/errors.ts';

/*
 * Reading what the user gives: lines, whole documents, files.
 */

/** Longest line, in UTF-16 units, so that a binary stream cannot fill the memory. */
const maxLineLength = 16 * 1024 * 1024;

/** Largest document, in bytes: twenty times the longest novel. */
const maxDocumentBytes = 64 * 1024 * 1024;

/** Yields the lines of a stream without their ends; a last line may lack one. */
export async function* readLines(input: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8');
  let rest = '';
  for await (const chunk of input) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) yield withoutCarriageReturn(line);
    if (rest.length > maxLineLength) {
      throw new InvalidRequestError(
        `standard input: expected lines of at most ${maxLineLength} characters, found a longer one`,
      );
    }
  }
  rest += decoder.decode();
  if (rest !== '') yield withoutCarriageReturn(rest);
}

function withoutCarriageReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}

/** Yields consecutive groups of at most `size` items. */
export async function* groupsOf<T>(items: AsyncIterable<T>, size: number): AsyncGenerator<T[]> {
  let group: T[] = [];
  for await (const item of items) {
    group.push(item);
    if (group.length === size) {
      yield group;
      group = [];
    }
  }
  if (group.length > 0) yield group;
}

/**
 * Reads a document from a file, or from the stream when no file is named. Line ends and a byte
 * order mark are kept, so that offsets are those of the input.
 */
export async function readDocument(
  input: AsyncIterable<Uint8Array>,
  file: string | undefined,
): Promise<string> {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  if (file !== undefined) {
    const { size } = await stat(file);
    checkSize(file, size);
    return decoder.decode(await readFile(file));
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of input) {
    size += chunk.length;
    checkSize('standard input', size);
    chunks.push(chunk);
  }
  return decoder.decode(Buffer.concat(chunks));
}

function checkSize(name: string, sizeBytes: number): void {
  if (sizeBytes > maxDocumentBytes) {
    throw new InvalidRequestError(
      `${name}: expected at most ${maxDocumentBytes} bytes, found ${sizeBytes}`,
    );
  }
}
