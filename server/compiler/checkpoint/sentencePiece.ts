import { CheckpointFormatError } from '../../base/errors.ts';

/** Largest tokenizer that is read: NLLB's with 256,000 pieces has 4.9 MB. */
export const maxTokenizerBytes = 64 * 1024 * 1024;

/** ModelProto.pieces, a repeated message. Source: sentencepiece_model.proto. */
const piecesField = 1;

/** SentencePiece.piece, a string, and SentencePiece.type; without a type a piece is normal. */
const textField = 1;
const typeField = 3;
const normalType = 1;

/** UNKNOWN, CONTROL and BYTE: their texts are names, not what they write. */
const namedTypes: readonly number[] = [2, 3, 6];

/** Wire types of protobuf. */
const varintWire = 0;
const bytesWire = 2;

/** A varint of protobuf has at most 64 bits. */
const maxVarintBytes = 10;

/**
 * Counts the pieces of a SentencePiece model; the rest of the file is only walked over.
 *
 * @param label  what errors call it
 * @throws CheckpointFormatError when it is not a SentencePiece model
 */
export function countPieces(bytes: Uint8Array, label: string): number {
  let numPieces = 0;
  for (const { number } of fieldsOf(bytes, label)) if (number === piecesField) numPieces += 1;
  if (numPieces === 0) {
    throw new CheckpointFormatError(`${label}: expected a SentencePiece model, found none`);
  }
  return numPieces;
}

/**
 * Returns what each piece of a SentencePiece model writes; null for the unknown piece, control
 * symbols and bytes.
 *
 * @throws CheckpointFormatError when it is not a SentencePiece model
 */
export function readPieceTexts(bytes: Uint8Array, label: string): (string | null)[] {
  const texts: (string | null)[] = [];
  for (const { number, wireType, start, end } of fieldsOf(bytes, label)) {
    if (number !== piecesField) continue;
    const place = `${label}: pieces[${texts.length}]`;
    if (wireType !== bytesWire) throw new CheckpointFormatError(`${place}: expected a message`);
    texts.push(readPieceText(bytes.subarray(start, end), place));
  }
  return texts;
}

function readPieceText(bytes: Uint8Array, label: string): string | null {
  let text = '';
  let type = normalType;
  for (const { number, wireType, start, end } of fieldsOf(bytes, label)) {
    if (number === textField && wireType === bytesWire) {
      text = decodeUtf8(bytes.subarray(start, end), label);
    } else if (number === typeField && wireType === varintWire) {
      type = readVarint(bytes, start, label).value;
    }
  }
  return namedTypes.includes(type) ? null : text;
}

function decodeUtf8(bytes: Uint8Array, label: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw new CheckpointFormatError(`${label}: expected UTF-8, found other bytes`, {
      cause: error,
    });
  }
}

/** A field of a message, and where its content lies; the length of a string is left out. */
interface Field {
  number: number;
  wireType: number;
  start: number;
  end: number;
}

function* fieldsOf(bytes: Uint8Array, label: string): Generator<Field> {
  for (let position = 0; position < bytes.length; ) {
    const tag = readVarint(bytes, position, label);
    const wireType = tag.value % 8;
    const isBytes = wireType === bytesWire;
    const start = isBytes ? readVarint(bytes, tag.end, label).end : tag.end;
    const end = skipField(bytes, tag.end, wireType, label);
    yield { number: Math.floor(tag.value / 8), wireType, start, end };
    position = end;
  }
}

/** Returns the position behind a field whose tag ends at `position`. */
function skipField(bytes: Uint8Array, position: number, wireType: number, label: string): number {
  const end = endOfField(bytes, position, wireType, label);
  if (end === null || end > bytes.length) {
    throw new CheckpointFormatError(
      `${label}: expected a SentencePiece model, found a broken field before byte ${position}`,
    );
  }
  return end;
}

function endOfField(
  bytes: Uint8Array,
  position: number,
  wireType: number,
  label: string,
): number | null {
  switch (wireType) {
    case varintWire:
      return readVarint(bytes, position, label).end;
    case 1:
      return position + 8;
    case bytesWire: {
      const length = readVarint(bytes, position, label);
      return length.end + length.value;
    }
    case 5:
      return position + 4;
    default:
      return null;
  }
}

/** Returns the number as a double: exact up to 2⁵³, and larger ones point outside any file. */
function readVarint(
  bytes: Uint8Array,
  position: number,
  label: string,
): { value: number; end: number } {
  let value = 0;
  for (let i = 0; i < maxVarintBytes; i += 1) {
    const byte = bytes[position + i];
    if (byte === undefined) break;
    value += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return { value, end: position + i + 1 };
  }
  throw new CheckpointFormatError(
    `${label}: expected a SentencePiece model, found a broken number at byte ${position}`,
  );
}
