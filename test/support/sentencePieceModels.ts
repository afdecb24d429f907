import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';

/*
 * SentencePiece models for tests: the trained ones of test/golden/sentencepiece, and any other,
 * however broken, built field by field. The tests run in the root of the project.
 */

export const sentencePieceFolder = join('test', 'golden', 'sentencepiece');

/** The trained models, and the charsmap that is kept beside each; null: in the file, or none. */
const fixtures = {
  bpe: 'nmt_nfkc',
  bpeBytes: 'nmt_nfkc_cf',
  bpeSymbols: 'nmt_nfkc',
  bpeSuffix: 'nmt_nfkc',
  bpeCrossing: null,
  bpeSpaces: 'nmt_nfkc',
  bpeUnused: 'nmt_nfkc',
  unigram: 'nmt_nfkc',
  unigramBytes: null,
  unigramCustom: null,
  unigramCaseFolded: 'nmt_nfkc_cf',
} as const;

export type FixtureName = keyof typeof fixtures;

export const fixtureNames = Object.keys(fixtures) as FixtureName[];

/** Returns the bytes of a trained model as its trainer wrote them. */
export function readFixture(name: FixtureName): Uint8Array {
  const model = readFileSync(join(sentencePieceFolder, `${name}.model`));
  const rule = fixtures[name];
  if (rule === null) return model;
  const charsmap = brotliDecompressSync(
    readFileSync(join(sentencePieceFolder, `${rule}.charsmap.br`)),
  );
  // A repeated message merges with the first, so the charsmap can stand at the end.
  return concatBytes([model, bytesField(3, bytesField(2, charsmap))]);
}

/** A piece of a built model; type 1, NORMAL, when absent. */
export interface PieceSpec {
  piece: string;
  score?: number;
  type?: number;
}

export interface ModelSpec {
  pieces: readonly PieceSpec[];
  /** 1 UNIGRAM, 2 BPE, 3 WORD, 4 CHAR. */
  modelType?: number;
  byteFallback?: boolean;
  charsmap?: Uint8Array;
  denormalizerCharsmap?: Uint8Array;
  /** More fields at the end of the file. */
  extra?: Uint8Array;
}

/** `<unk>`, `<s>`, `</s>`: what a model for SONAR begins with. */
export const specialPieces: readonly PieceSpec[] = [
  { piece: '<unk>', type: 2 },
  { piece: '<s>', type: 3 },
  { piece: '</s>', type: 3 },
];

/** Returns the pieces of the 256 bytes. */
export function bytePieces(): PieceSpec[] {
  return Array.from({ length: 256 }, (_, byte) => ({
    piece: `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`,
    type: 6,
  }));
}

/** Builds a model file; nothing is checked, so that it can be wrong. */
export function buildModel(spec: ModelSpec): Uint8Array {
  const { pieces, modelType = 2, byteFallback = false, charsmap, denormalizerCharsmap } = spec;
  const messages = pieces.map((piece) => bytesField(1, buildPiece(piece)));
  messages.push(
    bytesField(2, concatBytes([varintField(3, modelType), varintField(35, Number(byteFallback))])),
    bytesField(3, charsmap ? bytesField(2, charsmap) : new Uint8Array(0)),
  );
  if (denormalizerCharsmap) {
    const off = [3, 4, 5].map((field) => varintField(field, 0));
    messages.push(bytesField(5, concatBytes([bytesField(2, denormalizerCharsmap), ...off])));
  }
  if (spec.extra) messages.push(spec.extra);
  return concatBytes(messages);
}

function buildPiece({ piece, score = 0, type }: PieceSpec): Uint8Array {
  const fields = [bytesField(1, new TextEncoder().encode(piece)), floatField(2, score)];
  if (type !== undefined) fields.push(varintField(3, type));
  return concatBytes(fields);
}

/** Returns a charsmap with one rule: the ASCII character `from` becomes `to`. */
export function buildCharsmap(from: string, to: string): Uint8Array {
  const units = new Uint32Array(512);
  const label = from.charCodeAt(0);
  units[0] = 256 << 10; // children of the root: the second block
  units[256 ^ label] = (label << 10) | 0x100 | label; // its leaf: the start of that block
  units[256] = 0x80000000; // replacement 0
  const size = new Uint8Array(new Uint32Array([units.byteLength]).buffer);
  const replacement = new TextEncoder().encode(`${to}\0`);
  return concatBytes([size, new Uint8Array(units.buffer), replacement]);
}

export function bytesField(field: number, bytes: Uint8Array): Uint8Array {
  return concatBytes([varint(field * 8 + 2), varint(bytes.length), bytes]);
}

export function varintField(field: number, value: number): Uint8Array {
  return concatBytes([varint(field * 8), varint(value)]);
}

export function floatField(field: number, value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setFloat32(0, value, true);
  return concatBytes([varint(field * 8 + 5), bytes]);
}

export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  bytes.push(rest);
  return Uint8Array.from(bytes);
}
