/** The part of sentencepiece-js, SentencePiece in WebAssembly, that the tests compare with. */
declare module 'sentencepiece-js' {
  export class SentencePieceProcessor {
    load(path: string): Promise<void>;
    encodeIds(text: string): number[];
    encodePieces(text: string): string[];
    decodeIds(ids: readonly number[]): string;
  }
}
