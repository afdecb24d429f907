/** A stretch of normalised text and the id it becomes, that of `<unk>` where no piece fits. */
export interface Segment {
  piece: string;
  id: number;
}

/** Cuts normalised text into pieces, which concatenated give the text again. */
export interface Segmenter {
  segment(normalized: string): Segment[];
}
