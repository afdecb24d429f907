/**
 * Writes the wire format of Protocol Buffers: just enough for ONNX files.
 *
 * Source: protobuf.dev, "Encoding". A field is a tag (number and wire type) and its contents;
 * a message inside a message is length-delimited.
 */
export class ProtobufWriter {
  readonly #chunks: Uint8Array[] = [];
  #sizeBytes = 0;

  /** Writes an int64, int32 or enum field. Negative numbers take ten bytes, as prescribed. */
  integer(field: number, value: number): void {
    this.#varint(field * 8);
    this.#varint(value);
  }

  /** Writes a float field. */
  float(field: number, value: number): void {
    this.#varint(field * 8 + 5);
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setFloat32(0, value, true);
    this.#push(bytes);
  }

  /** Writes a bytes field. The bytes are not copied until `finish`. */
  bytes(field: number, value: Uint8Array): void {
    this.#varint(field * 8 + 2);
    this.#varint(value.length);
    this.#push(value);
  }

  /** Writes a string field. */
  string(field: number, value: string): void {
    this.bytes(field, new TextEncoder().encode(value));
  }

  /** Writes a message field with the contents that `write` gives it. */
  message(field: number, write: (writer: ProtobufWriter) => void): void {
    const writer = new ProtobufWriter();
    write(writer);
    this.#varint(field * 8 + 2);
    this.#varint(writer.#sizeBytes);
    for (const chunk of writer.#chunks) this.#push(chunk);
  }

  /** Returns everything written so far. */
  finish(): Uint8Array {
    const result = new Uint8Array(this.#sizeBytes);
    let byteOffset = 0;
    for (const chunk of this.#chunks) {
      result.set(chunk, byteOffset);
      byteOffset += chunk.length;
    }
    return result;
  }

  #varint(value: number): void {
    const bytes: number[] = [];
    let rest = BigInt.asUintN(64, BigInt(value));
    while (rest > 127n) {
      bytes.push(Number(rest & 127n) | 128);
      rest >>= 7n;
    }
    bytes.push(Number(rest));
    this.#push(Uint8Array.from(bytes));
  }

  #push(bytes: Uint8Array): void {
    this.#chunks.push(bytes);
    this.#sizeBytes += bytes.length;
  }
}
