import { markupDepth, type ReadingDepth, readingDepth, readSegment } from './prose.ts';
import type { Flow, ProseBlock, ProseFormat, Sentence } from './proseBlock.ts';
import type { Segment } from './segment.ts';
import { nextSegment } from './segments.ts';
import { endsSentence, splitBlock } from './sentenceBoundaries.ts';

/**
 * Where the caret stands, as far as a next sentence is concerned.
 * `sentenceEnd`: after terminal punctuation, and the paragraph goes on in the next line;
 * `paragraphEnd`: the same at the end of a paragraph; `paragraphStart`: on an empty line after a
 * paragraph; `betweenSentences`: after one on the same line as the next; `midSentence`: elsewhere in
 * prose; `notProse`: in markup, headings, code, maths ….
 */
export type PositionKind =
  | 'sentenceEnd'
  | 'paragraphEnd'
  | 'paragraphStart'
  | 'betweenSentences'
  | 'midSentence'
  | 'notProse';

/** What an edit changed among the sentences. */
export interface SentenceChange {
  /** Sentences of the touched paragraphs as they were, at their old offsets. */
  readonly removed: readonly Sentence[];
  /** Sentences of the touched paragraphs as they are; none after a change too long to read at once. */
  readonly added: readonly Sentence[];
}

/** A segment in its document, with what was found out about it; its offsets count from `start`. */
interface PlacedSegment extends Segment {
  start: number;
  end: number;
  flows: readonly Flow[] | undefined;
  sentences: readonly Sentence[] | undefined;
}

/**
 * A longer change, such as a pasted chapter, is read when it is asked for, in UTF-16 units: this
 * much takes some milliseconds.
 */
const maxReadAtOnce = 1 << 14;

/** Where a segment ends may depend on the first lines of the segments after it. */
const lookahead = 2;

/** Markup that is not closed yet, which the parser therefore takes for text. */
const openMarkup = /`[^`]*$|\]\([^)\s]*$|<[a-zA-Z/!][^<>]*$|\$[^\s$\d][^$]*$/;
const latexComment = /(?:^|[^\\])%/;

/**
 * The sentences of an open document, kept current edit by edit. Segments are read when they are
 * first asked for, so opening a long document costs no more than finding its paragraphs.
 */
export class DocumentText {
  readonly format: ProseFormat;
  readonly #locale: string | undefined;
  #text: string;
  #depth: ReadingDepth;
  #segments: PlacedSegment[];
  #definitions: ReadonlySet<string>;

  constructor(text: string, format: ProseFormat, locale?: string) {
    this.format = format;
    this.#locale = locale;
    this.#text = text;
    this.#depth = readingDepth(text);
    this.#segments = this.#scan(0, () => false);
    this.#definitions = definitionsOf(this.#segments);
  }

  get text(): string {
    return this.#text;
  }

  /** All sentences in reading order. Reads whatever was not read before. */
  get sentences(): Sentence[] {
    return this.#segments.flatMap((segment) => this.#sentencesOf(segment));
  }

  /**
   * Reads whatever was not read before, paragraph by paragraph, so that a caller with little time
   * can do something else in between. Edits in between are fine.
   */
  *reading(): Generator<undefined, void> {
    for (let i = 0; i < this.#segments.length; i += 1) {
      const segment = this.#segments[i];
      if (segment === undefined || segment.sentences !== undefined) continue;
      this.#sentencesOf(segment);
      yield;
    }
  }

  /** Replaces the text between two offsets and reads again only the paragraphs it touched. */
  applyEdit(start: number, end: number, replacement: string): SentenceChange {
    const old = this.#segments;
    const first = Math.max(0, this.#indexAt(start) - lookahead);
    const shift = replacement.length - (end - start);
    this.#text = this.#text.slice(0, start) + replacement + this.#text.slice(end);
    // The first old segment behind the edit whose start is the start of a new one as well.
    let joint = first + 1;
    const fresh = this.#scan(old[first]?.start ?? 0, (at) => {
      while (joint < old.length && (old[joint]?.start ?? 0) + shift < at) joint += 1;
      const next = old[joint]?.start ?? -1;
      return next >= end && next + shift === at;
    });
    if ((fresh.at(-1)?.end ?? 0) === this.#text.length) joint = old.length;
    const replaced = old.slice(first, joint);
    const removed = replaced.flatMap((segment) => placed(segment.sentences ?? [], segment.start));
    for (let i = joint; i < old.length; i += 1) {
      const segment = old[i] as PlacedSegment;
      segment.start += shift;
      segment.end += shift;
    }
    this.#segments = old.slice(0, first).concat(fresh, old.slice(joint));
    // Looking for a NUL takes longer than all else in a long document.
    const isSearched = this.#depth === 'nothing' || replacement.includes('\0');
    const depth = isSearched ? readingDepth(this.#text) : markupDepth(this.#text.length);
    this.#forgetWhatChanged(replaced, fresh, depth);
    const length = fresh.reduce((sum, segment) => sum + segment.end - segment.start, 0);
    const isShort = length <= maxReadAtOnce;
    return { removed, added: isShort ? fresh.flatMap((s) => this.#sentencesOf(s)) : [] };
  }

  /** The last `count` complete sentences that end at or before an offset, in reading order. */
  sentencesBefore(offset: number, count = Number.POSITIVE_INFINITY): Sentence[] {
    const parts: Sentence[][] = [];
    let missing = count;
    for (let i = this.#indexAt(offset); i >= 0 && missing > 0; i -= 1) {
      const segment = this.#segments[i];
      if (segment === undefined) break;
      const finished = this.#sentencesOf(segment).filter(
        (sentence) => sentence.complete && sentence.end <= offset,
      );
      const part = finished.slice(-missing);
      missing -= part.length;
      parts.push(part);
    }
    return parts.reverse().flat();
  }

  /** The first `count` complete sentences that begin at or after an offset, in reading order. */
  sentencesAfter(offset: number, count: number): Sentence[] {
    const found: Sentence[] = [];
    for (let i = Math.max(0, this.#indexAt(offset)); i < this.#segments.length; i += 1) {
      const segment = this.#segments[i];
      if (segment === undefined || found.length >= count) break;
      const sentences = this.#sentencesOf(segment);
      found.push(...sentences.filter(({ start, complete }) => complete && start >= offset));
    }
    return found.slice(0, count);
  }

  /**
   * At most `count` sentences on either side of an offset, the nearest ones, as far as their
   * paragraphs have been read for some other purpose: whatever the document's length, this takes
   * little time.
   */
  sentencesReadAround(offset: number, count: number): Sentence[] {
    const at = Math.max(0, this.#indexAt(offset));
    const read = (segments: readonly PlacedSegment[]) => {
      const found: Sentence[][] = [];
      let missing = count;
      for (const segment of segments) {
        if (missing <= 0) break;
        if (segment.sentences === undefined) continue;
        found.push(this.#sentencesOf(segment));
        missing -= segment.sentences.length;
      }
      return found;
    };
    const before = read(this.#segments.slice(0, at).toReversed()).reverse().flat();
    const after = read(this.#segments.slice(at)).flat();
    return [...before.slice(-count), ...after.slice(0, count)];
  }

  /** The last sentence that begins at or before an offset, finished or not. */
  sentenceAt(offset: number): Sentence | undefined {
    for (let i = this.#indexAt(offset); i >= 0; i -= 1) {
      const segment = this.#segments[i];
      const sentences = segment === undefined ? [] : this.#sentencesOf(segment);
      const found = sentences.findLast(({ start }) => start <= offset);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /**
   * The sentences of the paragraphs that a range touches, and of one on either side, in reading
   * order; reads no others.
   */
  sentencesAround(start: number, end: number): Sentence[] {
    const first = Math.max(0, this.#indexAt(start) - 1);
    const last = this.#indexAt(end) + 1;
    return this.#segments.slice(first, last + 1).flatMap((one) => this.#sentencesOf(one));
  }

  /** Tells whether an offset is in code, maths, a table, front matter …. */
  isOpaqueAt(offset: number): boolean {
    return this.#segments[this.#indexAt(offset)]?.isOpaque ?? false;
  }

  /** Tells whether a next sentence is wanted at an offset. */
  positionKind(offset: number): PositionKind {
    const text = this.#text;
    const lineStart = text.lastIndexOf('\n', offset - 1) + 1;
    const feed = text.indexOf('\n', offset);
    const before = text.slice(offset === 0 ? 0 : lineStart, offset);
    const after = text.slice(offset, feed < 0 ? text.length : feed);
    if (before.trim() === '' && after.trim() === '') return this.#emptyLineKind(offset, lineStart);
    const found = this.#flowAt(offset);
    if (found?.flow.block === undefined) return 'notProse';
    const { flow, block, at } = { ...found, block: found.flow.block };
    if (flow.holes?.some((hole) => hole.start < at && at < hole.end)) return 'notProse';
    if (this.format === 'latex' && latexComment.test(before)) return 'notProse';
    const kind = proseKind(block, block.toProse(at));
    return kind === 'sentenceEnd' && after.trim() !== '' ? 'betweenSentences' : kind;
  }

  #emptyLineKind(offset: number, lineStart: number): PositionKind {
    let last: { flow: Flow; end: number } | undefined;
    for (let i = this.#indexAt(offset); i >= 0 && last === undefined; i -= 1) {
      const segment = this.#segments[i];
      if (segment === undefined) break;
      for (const flow of this.#flowsOf(segment)) {
        if (flow.start + segment.start >= offset) continue;
        const end = flow.end + segment.start;
        if (last === undefined || end >= last.end) last = { flow, end };
      }
    }
    if (last?.flow.block === undefined || last.end > offset) return 'notProse';
    const isNextLine = !/\n[^\n]*\n/.test(this.#text.slice(last.end, lineStart));
    if (!isNextLine || this.format === 'plaintext') return 'paragraphStart';
    const { block } = last.flow;
    return proseKind(block, block.text.length);
  }

  /** Returns the innermost flow that the offset is in, or at the end of which it is on one line. */
  #flowAt(offset: number): { flow: Flow; at: number } | undefined {
    const index = this.#indexAt(offset);
    let found: { flow: Flow; at: number } | undefined;
    for (const segment of this.#segments.slice(Math.max(0, index - 1), index + 1)) {
      const at = offset - segment.start;
      for (const flow of this.#flowsOf(segment)) {
        if (flow.start > at || (flow.start === at && found !== undefined)) continue;
        if (flow.end < at) {
          const between = this.#text.slice(flow.end + segment.start, offset);
          if (between.trim() !== '' || between.includes('\n')) continue;
        }
        found = { flow, at };
      }
    }
    return found;
  }

  /** Finds segments from an offset on, until `isJoint` says that the next one is known. */
  #scan(from: number, isJoint: (at: number) => boolean): PlacedSegment[] {
    const segments: PlacedSegment[] = [];
    for (let start = from; start < this.#text.length; ) {
      const segment = nextSegment(this.#text, start, this.format);
      segments.push({ start, ...segment, flows: undefined, sentences: undefined });
      start = segment.end;
      if (isJoint(start)) break;
    }
    return segments;
  }

  /** Forgets what was read under other circumstances: another depth, other definitions. */
  #forgetWhatChanged(
    replaced: readonly PlacedSegment[],
    fresh: readonly PlacedSegment[],
    depth: ReadingDepth,
  ): void {
    const isDeeper = depth !== this.#depth;
    this.#depth = depth;
    const isRedefined =
      [...definitionsOf(replaced)].join('\n') !== [...definitionsOf(fresh)].join('\n');
    if (isRedefined) this.#definitions = definitionsOf(this.#segments);
    if (!isDeeper && !isRedefined) return;
    for (const segment of this.#segments) {
      if (isDeeper || this.#source(segment).includes('[')) {
        segment.flows = undefined;
        segment.sentences = undefined;
      }
    }
  }

  #source(segment: PlacedSegment): string {
    return this.#text.slice(segment.start, segment.end);
  }

  #flowsOf(segment: PlacedSegment): readonly Flow[] {
    segment.flows ??= readSegment(
      this.#source(segment),
      segment,
      this.format,
      this.#depth,
      this.#definitions,
    );
    return segment.flows;
  }

  #sentencesOf(segment: PlacedSegment): Sentence[] {
    segment.sentences ??= this.#flowsOf(segment).flatMap(({ block, end }) => {
      if (block === undefined) return [];
      const hasEnded = endsBlock(this.#text, segment.start + end);
      return splitBlock(block, hasEnded, this.#locale);
    });
    return placed(segment.sentences, segment.start);
  }

  /** Returns the index of the segment that an offset is in; −1 in an empty document. */
  #indexAt(offset: number): number {
    let [low, high] = [0, this.#segments.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#segments[middle]?.start ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return high < 0 ? -1 : low;
  }
}

/** Tells what may follow a number of characters of a paragraph. */
function proseKind(block: ProseBlock, count: number): PositionKind {
  let head = block.text.slice(0, count);
  if (!endsSentence(head)) return 'midSentence';
  for (const { start, end } of block.solids) {
    head = head.slice(0, start) + 'x'.repeat(Math.min(end, count) - start) + head.slice(end);
    if (end >= count) break;
  }
  if (openMarkup.test(head)) return 'notProse';
  return block.text.slice(count).trim() === '' ? 'paragraphEnd' : 'sentenceEnd';
}

/** Tells whether a paragraph has ended, from the text after it. */
function endsBlock(text: string, from: number): boolean {
  for (let at = from, numBreaks = 0; at < text.length; at += 1) {
    if (text[at]?.trim() !== '') return true;
    if (text[at] === '\n') numBreaks += 1;
    if (numBreaks === 2) return true;
  }
  return false;
}

function definitionsOf(segments: readonly PlacedSegment[]): Set<string> {
  return new Set(segments.flatMap((segment) => segment.definitions));
}

function placed(sentences: readonly Sentence[], shift: number): Sentence[] {
  return sentences.map((sentence) => ({
    ...sentence,
    start: sentence.start + shift,
    end: sentence.end + shift,
    block: sentence.block + shift,
  }));
}
