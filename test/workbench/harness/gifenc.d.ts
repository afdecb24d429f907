/** The part of gifenc that is used; it has no types of its own. */
declare module 'gifenc' {
  /** Red, green, blue. */
  type Colour = number[];

  interface Encoder {
    writeFrame(
      index: Uint8Array,
      width: number,
      height: number,
      options: { palette?: Colour[]; delay: number; transparent?: boolean; dispose?: number },
    ): void;
    finish(): void;
    bytes(): Uint8Array;
  }

  /** @param rgba  bytes of all pixels */
  export function quantize(rgba: Uint8Array, maxColours: number): Colour[];
  export function applyPalette(rgba: Uint8Array, palette: Colour[]): Uint8Array;
  export function GIFEncoder(): Encoder;
}
