import { CheckpointFormatError } from '../base/errors.ts';
import { pieceTypes, type SentencePieceProto } from './sentencePieceProto.ts';

/** The pieces of a model, checked for consistency. reference: ModelInterface. */
export class SentencePieceVocabulary {
  readonly pieces: readonly string[];
  readonly scores: readonly number[];
  readonly types: readonly number[];
  readonly unkId: number;
  /** Ids of the byte pieces by byte; null without byte fallback. */
  readonly byteIds: readonly number[] | null;
  /** Ids of the pieces that text can become: normal, user-defined and unused ones. */
  readonly textIds: ReadonlyMap<string, number>;
  /** Ids of control, unknown and byte pieces. The same piece may be in both maps. */
  readonly #reservedIds: ReadonlyMap<string, number>;

  /** @throws CheckpointFormatError when a piece is there twice or a needed one is missing */
  constructor(proto: SentencePieceProto) {
    const { label, pieces, types } = proto;
    const textIds = new Map<string, number>();
    const reservedIds = new Map<string, number>();
    let unkId = -1;
    for (let id = 0; id < pieces.length; id++) {
      const piece = pieces[id] as string;
      const type = types[id] as number;
      const ids = isTextType(type) ? textIds : reservedIds;
      const sameId = ids.get(piece);
      if (sameId !== undefined) {
        const name = JSON.stringify(piece);
        throw new CheckpointFormatError(
          `${label}: pieces[${id}]: ${name} is pieces[${sameId}] too`,
        );
      }
      ids.set(piece, id);
      if (type !== pieceTypes.unknown) continue;
      if (unkId !== -1) {
        throw new CheckpointFormatError(
          `${label}: pieces[${id}]: expected one unknown piece, found pieces[${unkId}] too`,
        );
      }
      unkId = id;
    }
    if (unkId === -1) throw new CheckpointFormatError(`${label}: found no unknown piece`);

    this.pieces = pieces;
    this.scores = proto.scores;
    this.types = types;
    this.unkId = unkId;
    this.byteIds = readByteIds(proto, reservedIds);
    this.textIds = textIds;
    this.#reservedIds = reservedIds;
  }

  /** Returns the id of `piece`, or that of the unknown piece. */
  pieceToId(piece: string): number {
    return this.#reservedIds.get(piece) ?? this.textIds.get(piece) ?? this.unkId;
  }

  isType(id: number, type: number): boolean {
    return this.types[id] === type;
  }

  /** Returns the ids of all pieces of one type. */
  idsOfType(type: number): number[] {
    return [...this.types.keys()].filter((id) => this.types[id] === type);
  }
}

/** Returns the byte that a byte piece stands for: 65 for `<0x41>`; −1 for any other piece. */
export function pieceToByte(piece: string): number {
  return /^<0x[0-9A-F]{2}>$/.test(piece) ? Number.parseInt(piece.slice(3, 5), 16) : -1;
}

function isTextType(type: number): boolean {
  return (
    type === pieceTypes.normal || type === pieceTypes.userDefined || type === pieceTypes.unused
  );
}

function readByteIds(
  { label, pieces, types, trainerSpec }: SentencePieceProto,
  reservedIds: ReadonlyMap<string, number>,
): number[] | null {
  for (let id = 0; id < pieces.length; id++) {
    if (types[id] !== pieceTypes.byte) continue;
    const piece = pieces[id] as string;
    if (!trainerSpec.byteFallback || pieceToByte(piece) === -1) {
      const expected = trainerSpec.byteFallback ? '<0x00> to <0xFF>' : 'no byte without fallback';
      const found = JSON.stringify(piece);
      throw new CheckpointFormatError(
        `${label}: pieces[${id}]: expected ${expected}, found ${found}`,
      );
    }
  }
  if (!trainerSpec.byteFallback) return null;
  return Array.from({ length: 256 }, (_, byte) => {
    const piece = `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`;
    const id = reservedIds.get(piece);
    if (id === undefined || types[id] !== pieceTypes.byte) {
      throw new CheckpointFormatError(`${label}: byte_fallback: found no byte piece ${piece}`);
    }
    return id;
  });
}
