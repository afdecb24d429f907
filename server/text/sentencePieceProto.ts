import { CheckpointFormatError, CheckpointUnsupportedError } from '../base/errors.ts';
import { ProtobufReader } from './protobufReader.ts';

/*
 * The content of a `.model` file as plain data. Field numbers and defaults are those of
 * sentencepiece_model.proto; fields that only matter to training are skipped.
 */

/** Four times the largest vocabulary in use; ids stay far below what a graph can address. */
const maxPieces = 1 << 20;

/** Pieces have 16 characters by default; user-defined ones are markers, not documents. */
const maxPieceLength = 4096;

/** reference: ModelProto.SentencePiece.Type. */
export const pieceTypes = {
  normal: 1,
  unknown: 2,
  control: 3,
  userDefined: 4,
  unused: 5,
  byte: 6,
} as const;

const highestPieceType = 6;

export type ModelType = 'unigram' | 'bpe';

export interface TrainerSpec {
  modelType: ModelType;
  treatWhitespaceAsSuffix: boolean;
  byteFallback: boolean;
  /** What an unknown piece looks like in decoded text. */
  unkSurface: string;
}

export interface NormalizerSpec {
  /** Empty for the identity. */
  precompiledCharsmap: Uint8Array;
  addDummyPrefix: boolean;
  removeExtraWhitespaces: boolean;
  escapeWhitespaces: boolean;
}

/** Piece `i` is `pieces[i]` with `scores[i]`, a float32, and `types[i]`, one of `pieceTypes`. */
export interface SentencePieceProto {
  /** What error messages call the file. */
  label: string;
  pieces: readonly string[];
  scores: readonly number[];
  types: readonly number[];
  trainerSpec: TrainerSpec;
  normalizerSpec: NormalizerSpec;
  /** Applied to decoded text; absent in nearly all models. */
  denormalizerSpec: NormalizerSpec | null;
}

/**
 * Reads a SentencePiece model file.
 *
 * @throws CheckpointFormatError when the file is malformed or lacks a part
 * @throws CheckpointUnsupportedError when its model is neither BPE nor unigram
 */
export function readSentencePieceProto(bytes: Uint8Array, label: string): SentencePieceProto {
  const reader = ProtobufReader.fromBytes(bytes, label);
  const pieces: string[] = [];
  const scores: number[] = [];
  const types: number[] = [];
  let trainerSpec: TrainerSpec | null = null;
  let normalizerSpec: NormalizerSpec | null = null;
  let denormalizerSpec: NormalizerSpec | null = null;

  for (let field = reader.next(); field !== 0; field = reader.next()) {
    switch (field) {
      case 1: {
        if (pieces.length === maxPieces) {
          throw new CheckpointFormatError(`${label}: expected at most ${maxPieces} pieces`);
        }
        const piece = readPiece(reader.message(`pieces[${pieces.length}]`));
        pieces.push(piece.piece);
        scores.push(piece.score);
        types.push(piece.type);
        break;
      }
      case 2:
        trainerSpec = readTrainerSpec(reader.message('trainer_spec'), trainerSpec);
        break;
      case 3:
        normalizerSpec = readNormalizerSpec(reader.message('normalizer_spec'), normalizerSpec);
        break;
      case 5:
        denormalizerSpec = readNormalizerSpec(
          reader.message('denormalizer_spec'),
          denormalizerSpec,
        );
        break;
      default:
        reader.skip();
    }
  }

  // Every trainer writes all three: without one of them the file was cut short.
  if (pieces.length === 0) throw new CheckpointFormatError(`${label}: found no pieces`);
  if (!trainerSpec) throw new CheckpointFormatError(`${label}: found no trainer_spec`);
  if (!normalizerSpec) throw new CheckpointFormatError(`${label}: found no normalizer_spec`);
  return { label, pieces, scores, types, trainerSpec, normalizerSpec, denormalizerSpec };
}

function readPiece(reader: ProtobufReader): { piece: string; score: number; type: number } {
  let piece = '';
  let score = 0;
  let type: number = pieceTypes.normal;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) piece = reader.string('piece');
    else if (field === 2) score = reader.float32('score');
    else if (field === 3) type = reader.varint('type');
    else reader.skip();
  }

  const { place } = reader;
  if (piece === '') throw new CheckpointFormatError(`${place}: expected a piece, found none`);
  if (piece.length > maxPieceLength) {
    const found = `found ${piece.length}`;
    throw new CheckpointFormatError(`${place}: expected at most ${maxPieceLength} units, ${found}`);
  }
  if (!Number.isFinite(score)) {
    throw new CheckpointFormatError(`${place}: score: expected a finite number, found ${score}`);
  }
  if (type < 1 || type > highestPieceType) {
    throw new CheckpointFormatError(
      `${place}: type: expected 1 to ${highestPieceType}, found ${type}`,
    );
  }
  return { piece, score, type };
}

/** A message that comes again is merged with the first, as in any protobuf reader. */
function readTrainerSpec(reader: ProtobufReader, previous: TrainerSpec | null): TrainerSpec {
  const spec: TrainerSpec = previous ?? {
    modelType: 'unigram',
    treatWhitespaceAsSuffix: false,
    byteFallback: false,
    unkSurface: ' \u2047 ',
  };
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 3) spec.modelType = readModelType(reader);
    else if (field === 24) spec.treatWhitespaceAsSuffix = reader.bool('treat_whitespace_as_suffix');
    else if (field === 35) spec.byteFallback = reader.bool('byte_fallback');
    else if (field === 44) spec.unkSurface = reader.string('unk_surface');
    else reader.skip();
  }
  return spec;
}

/** reference: TrainerSpec.ModelType. */
function readModelType(reader: ProtobufReader): ModelType {
  const modelType = reader.varint('model_type');
  if (modelType === 1) return 'unigram';
  if (modelType === 2) return 'bpe';
  const name = modelType === 3 ? 'WORD' : modelType === 4 ? 'CHAR' : null;
  const place = `${reader.place}: model_type: expected UNIGRAM (1) or BPE (2)`;
  if (name) throw new CheckpointUnsupportedError(`${place}, found ${name} (${modelType})`);
  throw new CheckpointFormatError(`${place}, found ${modelType}`);
}

function readNormalizerSpec(
  reader: ProtobufReader,
  previous: NormalizerSpec | null,
): NormalizerSpec {
  const spec: NormalizerSpec = previous ?? {
    precompiledCharsmap: new Uint8Array(0),
    addDummyPrefix: true,
    removeExtraWhitespaces: true,
    escapeWhitespaces: true,
  };
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 2) spec.precompiledCharsmap = reader.bytes('precompiled_charsmap');
    else if (field === 3) spec.addDummyPrefix = reader.bool('add_dummy_prefix');
    else if (field === 4) spec.removeExtraWhitespaces = reader.bool('remove_extra_whitespaces');
    else if (field === 5) spec.escapeWhitespaces = reader.bool('escape_whitespaces');
    else reader.skip();
  }
  return spec;
}
