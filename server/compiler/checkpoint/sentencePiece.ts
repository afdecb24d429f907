import { CheckpointFormatError } from '../../base/errors.ts';

/** Largest tokenizer that is read: NLLB's with 256,000 pieces has 4.9 MB. */
export const maxTokenizerBytes = 64 * 1024 * 1024;

/** ModelProto.pieces, a repeated message. Source: sentencepiece_model.proto. */
const piecesField = 1;

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
  let position = 0;
  while (position < bytes.length) {
    const tag = readVarint(bytes, position, label);
    if (Math.floor(tag.value / 8) === piecesField) numPieces += 1;
    position = skipField(bytes, tag.end, tag.value % 8, label);
  }
  if (numPieces === 0) {
    throw new CheckpointFormatError(`${label}: expected a SentencePiece model, found none`);
  }
  return numPieces;
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
    case 0:
      return readVarint(bytes, position, label).end;
    case 1:
      return position + 8;
    case 2: {
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
