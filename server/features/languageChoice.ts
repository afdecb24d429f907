import type { LanguageChoice } from '../../protocol/server.ts';
import type { Logger } from '../base/logger.ts';
import { RecentlyUsed } from '../base/recentlyUsed.ts';
import { inSlices } from '../base/slices.ts';
import type { LoadedModel } from '../inference/inference.ts';
import type { DocumentText } from '../text/documentText.ts';
import { type FindMostLikely, LanguageIdentifier, loadCld3 } from '../text/languageIdentifier.ts';
import { findLanguageAmong } from '../text/languageNames.ts';
import type { ProseFormat, Sentence } from '../text/proseBlock.ts';
import { statedLanguages, statedTargets } from '../text/statedLanguage.ts';
import { cycleTargets } from './targetCycle.ts';

/** Paragraphs whose language is remembered. */
const maxRemembered = 10_000;

/** Sentences at the end of a document that tell what most of it is written in. */
const sentencesOfMajority = 64;

/** What may say in which language is written. */
export interface TargetWishes {
  /** What the writer has chosen for now; null: nothing. */
  chosen: string | null;
  document: Pick<DocumentText, 'text' | 'format'>;
  /** `same`, or a language. */
  setting: string;
  /** The language of what comes before; undefined when nothing does. */
  same: string | undefined;
}

/** A text whose language is wanted, as far as it matters here. */
type Paragraph = Pick<Sentence, 'paragraph'>;

/**
 * Chooses the language of every sentence among those of the loaded model. What comes first counts:
 * a comment in the document, its front matter, the setting, the paragraph itself, most of the
 * document, the model's own. With one language there is no choice, and nothing is loaded for it.
 */
export class LanguageChooser {
  readonly #logger: Logger;
  readonly #load: () => Promise<FindMostLikely>;
  /** Languages by their paragraphs; null where a paragraph does not tell. */
  readonly #known = new RecentlyUsed<string | null>(maxRemembered);
  /** What was refused already: it is told once. */
  readonly #refused = new Set<string>();
  #codes: readonly string[] = [];
  #default = '';
  #identifier: LanguageIdentifier | null = null;
  #loading: Promise<void> | null = null;

  /** @param load  brings what identifies languages */
  constructor(logger: Logger, load: () => Promise<FindMostLikely> = loadCld3) {
    this.#logger = logger;
    this.#load = load;
  }

  /** Takes the languages of a model. */
  useModel({ langs, defaultLang }: Pick<LoadedModel, 'langs' | 'defaultLang'>): void {
    this.#codes = langs;
    this.#default = defaultLang;
    this.#identifier = null;
    this.#known.clear();
    this.#refused.clear();
    this.#loading = langs.length > 1 ? this.#loadIdentifier(langs) : null;
  }

  /** Is pending while what identifies languages is being loaded; null when there is nothing to wait for. */
  get loading(): Promise<void> | null {
    return this.#loading;
  }

  /**
   * Returns the language of each of some sentences of a document.
   *
   * @param source  the setting: `auto`, or a language
   */
  choose(
    document: DocumentText,
    sentences: readonly Paragraph[],
    source: string,
  ): LanguageChoice[] {
    const fixed = this.#only() ?? this.#stated(document.text, document.format, source);
    if (fixed !== undefined) return sentences.map(() => fixed);
    return this.#identified(sentences, () =>
      document.sentencesBefore(document.text.length, sentencesOfMajority),
    );
  }

  /**
   * Identifies what `choose` will need, paragraph by paragraph, so that a caller with little time
   * can do something else in between.
   */
  *identifying(
    document: DocumentText,
    sentences: readonly Paragraph[],
    source: string,
  ): Generator<undefined, void> {
    const isFixed = this.#only() ?? this.#stated(document.text, document.format, source);
    if (isFixed !== undefined) return;
    for (const { paragraph } of sentences) {
      if (this.#known.has(paragraph)) continue;
      this.#identify(paragraph);
      yield;
    }
  }

  /** Chooses as `choose` does, once what identifies languages is there, and in slices of time. */
  async choosing(
    document: DocumentText,
    sentences: readonly Paragraph[],
    source: string,
    signal?: AbortSignal,
  ): Promise<LanguageChoice[]> {
    if (this.#loading !== null) await this.#loading;
    await inSlices(this.identifying(document, sentences, source), signal);
    return this.choose(document, sentences, source);
  }

  /** Returns the language of each of some paragraphs that are in no document. */
  chooseFor(paragraphs: readonly string[], source: string): LanguageChoice[] {
    const fixed = this.#only() ?? this.#set(source, 'source');
    if (fixed !== undefined) return paragraphs.map(() => fixed);
    const all = paragraphs.map((paragraph) => ({ paragraph }));
    return this.#identified(all, () => all);
  }

  /**
   * Returns the language to write in: what the writer has just chosen, what the document says, the
   * setting, the language of what comes before, the model's own.
   */
  chooseTarget({ chosen, document, setting, same = this.#default }: TargetWishes): string {
    const code = chosen === null ? undefined : this.find(chosen);
    if (code !== undefined) return code;
    for (const { name, where } of statedTargets(document.text, document.format)) {
      if (name.toLowerCase() === 'same') return same;
      const stated = this.find(name);
      if (stated !== undefined) return stated;
      // Not the name itself: it is the writer's text.
      this.#refuse(
        `target in ${where} of a document: expected a language, found none of the model's`,
      );
    }
    return this.#set(setting, 'target')?.code ?? same;
  }

  /**
   * Returns the language that comes after the current one in the writer's list.
   *
   * @param cycle  the setting: languages as people call them; all of the model when empty
   * @param own    the language of the text, which one always comes back to
   */
  nextTarget(cycle: readonly string[], { current, own }: { current: string; own: string }): string {
    const { code, unknown } = cycleTargets(cycle, { langs: this.#codes, current, own });
    if (unknown.length > 0) {
      this.#refuse(
        `thoughtline.language.cycle: expected languages of the model, found '${unknown.join("', '")}'`,
      );
    }
    return code;
  }

  /** Returns a language of the model by its code, tag or name; undefined when it has none such. */
  find(name: string): string | undefined {
    return findLanguageAmong(this.#codes, name);
  }

  #only(): LanguageChoice | undefined {
    return this.#codes.length > 1 ? undefined : { code: this.#default, reason: 'only' };
  }

  #stated(text: string, format: ProseFormat, source: string): LanguageChoice | undefined {
    for (const { name, where } of statedLanguages(text, format)) {
      if (name.toLowerCase() === 'auto') return undefined;
      const code = this.find(name);
      if (code !== undefined) return { code, reason: where };
      // Not the name itself: it is the writer's text.
      this.#refuse(`${where} of a document: expected a language of the model, found another`);
    }
    return this.#set(source, 'source');
  }

  #set(value: string, setting: 'source' | 'target'): LanguageChoice | undefined {
    const none = setting === 'source' ? 'auto' : 'same';
    if (value === none) return undefined;
    const code = this.find(value);
    if (code !== undefined) return { code, reason: 'setting' };
    const known = this.#codes.length > 1 ? `, such as ${this.#default}` : `, ${this.#default}`;
    this.#refuse(
      `thoughtline.language.${setting}: expected ${none} or a language of the model${known}, found '${value}'`,
    );
    return undefined;
  }

  #identified(sentences: readonly Paragraph[], all: () => readonly Paragraph[]): LanguageChoice[] {
    let rest: LanguageChoice | undefined;
    return sentences.map(({ paragraph }) => {
      const code = this.#identify(paragraph);
      if (code !== null) return { code, reason: 'paragraph' };
      rest ??= this.#majority(all());
      return rest;
    });
  }

  /** Returns the language of most text, as far as its paragraphs tell. */
  #majority(sentences: readonly Paragraph[]): LanguageChoice {
    const lengths = new Map<string, number>();
    for (const paragraph of new Set(sentences.map((sentence) => sentence.paragraph))) {
      const code = this.#identify(paragraph);
      if (code !== null) lengths.set(code, (lengths.get(code) ?? 0) + paragraph.length);
    }
    const [most] = [...lengths].sort(([, a], [, b]) => b - a);
    if (most === undefined) return { code: this.#default, reason: 'default' };
    return { code: most[0], reason: 'document' };
  }

  #identify(paragraph: string): string | null {
    if (this.#identifier === null) return null;
    const known = this.#known.get(paragraph);
    if (known !== undefined) return known;
    const code = this.#identifier.identify(paragraph) ?? null;
    this.#known.set(paragraph, code);
    return code;
  }

  async #loadIdentifier(codes: readonly string[]): Promise<void> {
    try {
      const identifier = new LanguageIdentifier(codes, await this.#load());
      if (this.#codes === codes) this.#identifier = identifier;
    } catch (error) {
      // Without it, settings and what documents say still work.
      this.#logger.warn(`identification of languages could not be loaded: ${String(error)}`);
    }
    if (this.#codes === codes) this.#loading = null;
  }

  #refuse(message: string): void {
    if (this.#refused.has(message)) return;
    this.#refused.add(message);
    this.#logger.warn(message);
  }
}
