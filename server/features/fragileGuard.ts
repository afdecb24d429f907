import {
  type FragileKind,
  type FragileOptions,
  type FragileSpan,
  fragileKey,
  fragileSpans,
} from '../text/fragileSpans.ts';

/*
 * What keeps decoded sentences from saying numbers, names, identifiers and links that nobody wrote:
 * suggestions that bring their own give way to plainer ones, and a sentence that is said again, in
 * another language for instance, gets back those of its source.
 */

/** The fragile spans of the text that suggestions are for. */
export class KnownSpans {
  /** `kind key` of every span. */
  readonly #keys = new Set<string>();
  /** Every word, in lower case: where a name begins a sentence, it is no span. */
  readonly #words: ReadonlySet<string>;
  readonly #text: string;

  /** @param lang  FLORES-200 code of the text */
  constructor(text: string, lang?: string) {
    this.#text = text;
    this.#words = new Set(wordsOf(text));
    for (const span of fragileSpans(text, { lang })) {
      this.#keys.add(`${span.kind} ${fragileKey(text, span)}`);
    }
  }

  /** Returns the spans of a sentence that the text does not have. */
  invented(sentence: string, options: FragileOptions = {}): FragileSpan[] {
    const spans = fragileSpans(sentence, options);
    return spans.filter((span) => !this.#has(sentence, span));
  }

  #has(sentence: string, span: FragileSpan): boolean {
    if (this.#keys.has(`${span.kind} ${fragileKey(sentence, span)}`)) return true;
    const part = sentence.slice(span.start, span.end);
    switch (span.kind) {
      case 'number':
        return false;
      case 'name':
        return wordsOf(part).every((word) => this.#words.has(word));
      default:
        return this.#text.includes(part);
    }
  }
}

/** What is known of the sentences besides their text. */
export interface GuardOptions {
  lang?: string;
  /** See `FragileOptions`; one for each sentence, or none. */
  surprisals?: readonly Float32Array[];
}

/**
 * Drops the sentences that invent a number, a name, an identifier or a link, as long as one is left
 * that does not. Where all do, those that invent least come first; otherwise the order stays.
 */
export function withoutInventions<T extends { text: string }>(
  candidates: readonly T[],
  known: KnownSpans,
  { lang, surprisals = [] }: GuardOptions = {},
): T[] {
  const counted = candidates.map((candidate, i) => ({
    candidate,
    count: known.invented(candidate.text, { lang, surprisals: surprisals[i] }).length,
  }));
  const plain = counted.filter(({ count }) => count === 0);
  const kept = plain.length > 0 ? plain : counted.toSorted((a, b) => a.count - b.count);
  return kept.map(({ candidate }) => candidate);
}

/** A sentence and its language; English when absent. */
interface SaidSentence {
  text: string;
  lang?: string;
}

/** A sentence that says another one again, as far as its fragile spans could be carried over. */
export interface CarriedOver {
  text: string;
  /** What the source says and the text does not, as it stands in the source. */
  lost: string[];
  /** What the text says and the source does not. */
  invented: string[];
}

/** In which order the kinds are carried over. */
const kinds: readonly FragileKind[] = ['link', 'identifier', 'number', 'name'];

/** Letters that the forms of one name in two languages begin with: London, Londres. */
const sharedLetters = 3;

/**
 * Puts the fragile spans of a sentence back where it is said again: of each kind, where one was
 * changed into one other, that one is replaced by what the source has, letter by letter. Where it is
 * not clear which belongs to which, nothing is changed, and the differences are returned.
 *
 * Names have other forms in other languages, so one that begins like the one of the source counts
 * as the same, and one in another script is not looked at.
 */
export function carryOver(source: SaidSentence, again: SaidSentence): CarriedOver {
  let { text } = again;
  for (const kind of kinds) {
    const { missing, extra } = differences(source, { ...again, text }, kind);
    const [from] = missing;
    const [to] = extra;
    if (missing.length !== 1 || extra.length !== 1 || from === undefined || to === undefined) {
      continue;
    }
    const original = source.text.slice(from.start, from.end);
    text = text.slice(0, to.start) + original + text.slice(to.end);
  }
  return { text, ...fragileChanges(source, { ...again, text }) };
}

/** Returns what one sentence says and the other does not, of numbers, names, identifiers and links. */
export function fragileChanges(
  source: SaidSentence,
  again: SaidSentence,
): Pick<CarriedOver, 'lost' | 'invented'> {
  const changes = kinds.map((kind) => differences(source, again, kind));
  return {
    lost: changes.flatMap(({ missing }) => missing.map((span) => partOf(source.text, span))),
    invented: changes.flatMap(({ extra }) => extra.map((span) => partOf(again.text, span))),
  };
}

function partOf(text: string, { start, end }: FragileSpan): string {
  return text.slice(start, end);
}

/** Takes away, one by one, what both have of a kind; returns what is left on each side. */
function differences(
  source: SaidSentence,
  again: SaidSentence,
  kind: FragileKind,
): { missing: FragileSpan[]; extra: FragileSpan[] } {
  const spansOf = ({ text, lang }: SaidSentence) =>
    fragileSpans(text, { lang }).filter((span) => span.kind === kind);
  const extra = spansOf(again);
  const missing = spansOf(source).filter((span) => {
    const key = fragileKey(source.text, span);
    const at = extra.findIndex((other) => {
      const otherKey = fragileKey(again.text, other);
      return otherKey === key || (kind === 'name' && areForms(key, otherKey));
    });
    if (at >= 0) extra.splice(at, 1);
    return at < 0;
  });
  if (kind !== 'name') return { missing, extra };
  if (!isLatin(source.text) || !isLatin(again.text)) return { missing: [], extra: [] };
  // A name shows itself in one sentence and not in the other where it begins that one.
  return {
    missing: missing.filter((span) => !hasWords(again.text, fragileKey(source.text, span))),
    extra: extra.filter((span) => !hasWords(source.text, fragileKey(again.text, span))),
  };
}

function hasWords(text: string, key: string): boolean {
  const words = wordsOf(text);
  return wordsOf(key).every((word) => words.includes(word));
}

/** Whether two names are forms of one. */
function areForms(a: string, b: string): boolean {
  return a.slice(0, sharedLetters) === b.slice(0, sharedLetters);
}

const latin = /\p{Script=Latin}/u;

function isLatin(text: string): boolean {
  return latin.test(text);
}

function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{M}\p{N}]+/gu) ?? [];
}
