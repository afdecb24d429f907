/**
 * A document is cut into segments that are parsed one by one, so that an edit costs as much as the
 * paragraph it touches, however long the document is. Where a segment ends depends on nothing but
 * the text from its start to the line after it: after an edit the scan joins the old boundaries.
 */
export interface Segment {
  readonly end: number;
  /** Code, maths, tables, front matter …: not worth parsing, it has no prose. */
  readonly isOpaque: boolean;
  /** Labels of links and footnotes that it defines. */
  readonly definitions: readonly string[];
}

/** One line: `end` is before its line break, `next` after it. */
export interface Line {
  readonly start: number;
  readonly end: number;
  readonly next: number;
  readonly text: string;
}

/**
 * A segment this long ends at the next line end or sentence end: parsers of markup take about 2 ms
 * for 1,000 characters, and some of them time in proportion to the square.
 */
export const longSegment = 4096;

/** A segment never gets longer than this unless it is opaque. */
export const maxSegment = 2 * longSegment;

const noDefinitions: readonly string[] = [];
export const byteOrderMark = 0xfeff;

/** Tells whether a segment begins the document. */
export function isDocumentStart(text: string, start: number): boolean {
  return start === 0 || (start === 1 && text.charCodeAt(0) === byteOrderMark);
}

export function proseSegment(end: number, definitions = noDefinitions): Segment {
  return { end, isOpaque: false, definitions };
}

export function opaqueSegment(end: number): Segment {
  return { end, isOpaque: true, definitions: noDefinitions };
}

/** Returns the line that begins at `start`; of a very long line only what a segment can hold. */
export function lineAt(text: string, start: number): Line {
  const feed = text.indexOf('\n', start);
  const next = feed < 0 ? text.length : feed + 1;
  let end = feed < 0 ? text.length : feed;
  if (end > start && text.charCodeAt(end - 1) === 0x0d) end -= 1;
  return { start, end, next, text: text.slice(start, Math.min(end, start + maxSegment)) };
}

const sentenceEnd = /[.!?。！？।؟]["'”’)」』]*\s+(?=\S)|[。！？]/g;

/** Returns where a segment that has become too long is cut within or after a line. */
export function forcedCut(text: string, start: number, line: Line): number | undefined {
  if (line.next - start < longSegment) return undefined;
  if (line.next - start <= maxSegment) return line.next;
  // The first sentence end after a fixed length, so that a small edit does not move all cuts.
  const from = Math.max(start + longSegment, line.start);
  const limit = start + maxSegment;
  const window = text.slice(from, limit);
  sentenceEnd.lastIndex = 0;
  const match = sentenceEnd.exec(window);
  if (match !== null) return from + match.index + match[0].length;
  const space = window.lastIndexOf(' ');
  if (space > 0) return from + space + 1;
  const isPair = isHighSurrogate(text.charCodeAt(limit - 1));
  return isPair ? limit - 1 : limit;
}

function isHighSurrogate(code: number): boolean {
  return code >= 0xd800 && code < 0xdc00;
}
