import type { Flow, ProseBlock, ProseFormat } from './proseBlock.ts';
import { shiftBlock } from './proseBlock.ts';
import { parseLatex } from './proseLatex.ts';
import { parseMarkdown } from './proseMarkdown.ts';
import { parsePlain } from './prosePlain.ts';
import type { Segment } from './segment.ts';
import { nextSegment } from './segments.ts';
import { isLanguageLine } from './statedLanguage.ts';
import { isSwitchLine } from './statedSwitch.ts';

/**
 * How much of a document is read. `markup`: with the parser of its format; `plain`: only lines free
 * of markup; `nothing`: it is binary.
 */
export type ReadingDepth = 'markup' | 'plain' | 'nothing';

/**
 * Longer documents are read without a parser of markup, in UTF-16 units: the parsers read some
 * 400 kB a second, and a document of 10 MB should not take half a minute.
 */
export const maxParsedLength = 1 << 20;

const markdownMarkup = /[\\`*_[\]<&$~|]|^\s*(?:#{1,6}\s|[=-]{2,}\s*$)|^(?: {4}|\t)/;
const latexMarkup = /[\\{}$%&~]/;

/** Returns the prose of a document, paragraph by paragraph, in reading order. */
export function extractProse(text: string, format: ProseFormat): ProseBlock[] {
  const depth = readingDepth(text);
  const segments: (Segment & { start: number })[] = [];
  for (let start = 0; start < text.length; start = segments.at(-1)?.end ?? text.length) {
    segments.push({ ...nextSegment(text, start, format), start });
  }
  const definitions = new Set(segments.flatMap((segment) => segment.definitions));
  return segments.flatMap((segment) => {
    const source = text.slice(segment.start, segment.end);
    return readSegment(source, segment, format, depth, definitions).flatMap(({ block }) =>
      block === undefined ? [] : [shiftBlock(block, segment.start)],
    );
  });
}

/** Returns how much of a document is read; NUL is what tells that it is binary. */
export function readingDepth(text: string): ReadingDepth {
  return text.includes('\0') ? 'nothing' : markupDepth(text.length);
}

/** Returns how much of a document of text is read, by its length in UTF-16 units. */
export function markupDepth(length: number): ReadingDepth {
  return length > maxParsedLength ? 'plain' : 'markup';
}

/** Returns what a segment consists of; offsets count from the start of the segment. */
export function readSegment(
  source: string,
  { isOpaque }: Pick<Segment, 'isOpaque'>,
  format: ProseFormat,
  depth: ReadingDepth,
  definitions: ReadonlySet<string>,
): Flow[] {
  if (isOpaque || depth === 'nothing') return [{ start: 0, end: source.length }];
  if (format === 'plaintext') {
    return parsePlain(source, (line) => !isLanguageLine(line) && !isSwitchLine(line));
  }
  const markup = format === 'markdown' ? markdownMarkup : latexMarkup;
  if (depth === 'markup') {
    try {
      return format === 'markdown' ? parseMarkdown(source, definitions) : parseLatex(source);
    } catch (error) {
      // The parsers are recursive, and run out of stack on markup nested thousands deep.
      if (!(error instanceof Error)) throw error;
    }
  }
  return parsePlain(source, (line) => !markup.test(line));
}
