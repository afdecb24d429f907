import { CheckpointFormatError } from '../../base/errors.ts';

/** The bytes of a pickle, taken from front to back. */
export class PickleReader {
  readonly #label: string;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #position = 0;
  /** Where the operation that is being read begins. */
  #start = 0;

  /** @param label  what errors call the pickle */
  constructor(bytes: Uint8Array, label: string) {
    this.#label = label;
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /** Returns an error that names the operation by its place. */
  error(expected: string, found: string): CheckpointFormatError {
    return new CheckpointFormatError(
      `${this.#label}: byte ${this.#start}: expected ${expected}, found ${found}`,
    );
  }

  get isAtEnd(): boolean {
    return this.#position === this.#bytes.length;
  }

  opcode(): number {
    this.#start = this.#position;
    return this.uint8();
  }

  uint8(): number {
    return this.#view.getUint8(this.#advance(1));
  }

  uint16(): number {
    return this.#view.getUint16(this.#advance(2), true);
  }

  int32(): number {
    return this.#view.getInt32(this.#advance(4), true);
  }

  uint32(): number {
    return this.#view.getUint32(this.#advance(4), true);
  }

  /** Exact up to 2⁵³; larger ones count more bytes than any pickle has. */
  uint64(): number {
    return Number(this.#view.getBigUint64(this.#advance(8), true));
  }

  /** Pickles have their floats, and only these, with the largest byte first. */
  float64(): number {
    return this.#view.getFloat64(this.#advance(8), false);
  }

  /** Returns a view of the next bytes. */
  bytes(count: number): Uint8Array {
    const start = this.#advance(count);
    return this.#bytes.subarray(start, start + count);
  }

  text(count: number): string {
    return this.#decode(this.bytes(count));
  }

  /** Returns the text up to the end of the line. */
  line(): string {
    const end = this.#bytes.indexOf(0x0a, this.#position);
    if (end < 0) throw this.error('a line', 'no end of it');
    const text = this.text(end - this.#position);
    this.#position = end + 1;
    return text;
  }

  #advance(count: number): number {
    const start = this.#position;
    const available = this.#bytes.length - start;
    if (count > available) throw this.error(`${count} more bytes`, `${available}`);
    this.#position += count;
    return start;
  }

  #decode(bytes: Uint8Array): string {
    try {
      return decoder.decode(bytes);
    } catch {
      throw this.error('text in UTF-8', 'other bytes');
    }
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
