import { CheckpointFormatError } from '../base/errors.ts';

const wireTypeNames = ['varint', 'fixed64', 'length-delimited', 'group', 'end group', 'fixed32'];
const varintWire = 0;
const fixed64Wire = 1;
const lengthDelimitedWire = 2;
const fixed32Wire = 5;

/** A 64-bit number takes at most ten groups of seven bits. */
const maxVarintBytes = 10;

/** A byte order mark is a character like any other inside a model, so it is kept. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Reads the fields of one protobuf message in order: `next`, then one read or `skip` per field.
 * Nothing is copied; every length is compared with what is left of the enclosing message.
 *
 * Source: Protocol Buffers, "Encoding" (protobuf.dev/programming-guides/encoding).
 */
export class ProtobufReader {
  /** Where this message stands, for error messages: `tokenizer.model: pieces[3]`. */
  readonly place: string;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #end: number;
  #position: number;
  #field = 0;
  #wireType = 0;

  private constructor(
    bytes: Uint8Array,
    view: DataView,
    start: number,
    end: number,
    place: string,
  ) {
    this.#bytes = bytes;
    this.#view = view;
    this.#position = start;
    this.#end = end;
    this.place = place;
  }

  static fromBytes(bytes: Uint8Array, place: string): ProtobufReader {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return new ProtobufReader(bytes, view, 0, bytes.length, place);
  }

  /**
   * Returns the number of the next field, or 0 at the end of the message.
   *
   * @throws CheckpointFormatError when there is no valid field there
   */
  next(): number {
    if (this.#position === this.#end) return 0;
    const tag = this.#readVarint();
    this.#field = Math.floor(tag / 8);
    this.#wireType = tag % 8;
    // Field numbers have 29 bits; 0 is reserved.
    if (this.#field === 0 || this.#field >= 2 ** 29) {
      this.#fail(`expected a field number, found ${this.#field}`);
    }
    return this.#field;
  }

  /** Reads an unsigned number; above 2⁵³ only its magnitude is right, enough to refuse it. */
  varint(name: string): number {
    this.#expect(varintWire, name);
    return this.#readVarint();
  }

  bool(name: string): boolean {
    return this.varint(name) !== 0;
  }

  float32(name: string): number {
    this.#expect(fixed32Wire, name);
    const start = this.#take(4);
    return this.#view.getFloat32(start, true);
  }

  /** Returns a view into the message, not a copy. */
  bytes(name: string): Uint8Array {
    this.#expect(lengthDelimitedWire, name);
    const length = this.#readVarint();
    const start = this.#take(length);
    return this.#bytes.subarray(start, start + length);
  }

  /** @throws CheckpointFormatError when the text is not valid UTF-8 */
  string(name: string): string {
    const bytes = this.bytes(name);
    try {
      return utf8.decode(bytes);
    } catch (cause) {
      throw new CheckpointFormatError(`${this.place}: ${name}: expected valid UTF-8`, { cause });
    }
  }

  /** Returns a reader of the embedded message. */
  message(name: string): ProtobufReader {
    this.#expect(lengthDelimitedWire, name);
    const length = this.#readVarint();
    const start = this.#take(length);
    const place = `${this.place}: ${name}`;
    return new ProtobufReader(this.#bytes, this.#view, start, start + length, place);
  }

  /** Passes over a field that this program has no use for. */
  skip(): void {
    switch (this.#wireType) {
      case varintWire:
        this.#readVarint();
        break;
      case fixed64Wire:
        this.#take(8);
        break;
      case lengthDelimitedWire:
        this.#take(this.#readVarint());
        break;
      case fixed32Wire:
        this.#take(4);
        break;
      default:
        // Groups were dropped from protobuf before SentencePiece existed.
        this.#fail(
          `field ${this.#field}: expected wire type 0, 1, 2 or 5, found ${this.#wireType}`,
        );
    }
  }

  #expect(wireType: number, name: string): void {
    if (this.#wireType === wireType) return;
    const found = wireTypeNames[this.#wireType] ?? `wire type ${this.#wireType}`;
    this.#fail(`${name}: expected ${wireTypeNames[wireType]}, found ${found}`);
  }

  #take(length: number): number {
    const start = this.#position;
    const left = this.#end - start;
    if (length > left) {
      this.#fail(`field ${this.#field}: expected ${length} more bytes, found ${left}`);
    }
    this.#position = start + length;
    return start;
  }

  #readVarint(): number {
    let value = 0;
    for (let index = 0; index < maxVarintBytes; index++) {
      if (this.#position === this.#end) this.#fail('expected a whole number, found the end');
      const byte = this.#bytes[this.#position++] as number; // in range: compared with the end
      value += (byte & 0x7f) * 2 ** (7 * index);
      if (byte < 0x80) return value;
    }
    return this.#fail(`expected a number of at most ${maxVarintBytes} bytes`);
  }

  #fail(problem: string): never {
    throw new CheckpointFormatError(`${this.place}: ${problem} at byte ${this.#position}`);
  }
}
