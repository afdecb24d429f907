import type { Steering } from '../../protocol/completion.ts';
import type { Settings } from '../../protocol/settings.ts';
import type {
  Generation,
  Inference,
  LoadedModel,
  SamplingOptions,
} from '../inference/inference.ts';
import type { DocumentText } from '../text/documentText.ts';
import { type ConceptSpace, conceptSpace, rawSpace, remembering } from './conceptSpace.ts';
import { contextConcepts } from './contextWindow.ts';
import type { LanguageChooser } from './languageChoice.ts';
import type { OwnGround } from './ownSentences.ts';
import { chooseConceptModel, samplingOptions, wishesOf } from './sampling.ts';
import {
  type Concept,
  type EncodeSentences,
  inLanguages,
  type SentenceConcepts,
  type SourceSentence,
} from './sentenceConcepts.ts';
import { type ResolvedSteering, resolveSteering } from './steering.ts';
import type { SuggestionParts, SuggestionWriting } from './suggestions.ts';
import { takenAround } from './taken.ts';

/** The language of the sentences that begin and end texts in training. */
const trainingLang = 'eng_Latn';

/**
 * UTF-16 units on either side of a suggestion whose numbers and names it may say, and whose
 * sentences it may not: a few milliseconds.
 */
const aroundUnits = 32_768;

/** Where suggestions are wanted. */
export interface SuggestionPlace {
  uri: string;
  /** The caret, in UTF-16 units. */
  offset: number;
  /** Sentences that are taken to stand there already: what follows a suggestion is prepared so. */
  imagined?: readonly string[];
  /** The language that they are wanted in; null leaves it to the settings. */
  target?: string | null;
  steering?: Steering | null;
}

/** What suggestions are made from: predict with the first half, write with the second. */
export interface SuggestionContext {
  model: LoadedModel;
  parts: SuggestionParts;
  /** The sentences that are read, and their concepts. */
  sentences: readonly SourceSentence[];
  context: readonly Concept[];
  sampling: SamplingOptions;
  steering: ResolvedSteering | null;
  /** The code of the language of the text there. */
  lang: string;
  writing: SuggestionWriting;
}

export interface SuggestionContextParts {
  inference: Inference;
  concepts: SentenceConcepts;
  languages: LanguageChooser;
  ground: OwnGround;
}

/** Places in documents → what suggestions there are made from. */
export class SuggestionContexts {
  readonly #parts: SuggestionContextParts;
  /** By concept model; each remembers what it has placed. */
  readonly #spaces = new Map<string, ConceptSpace>();

  constructor(parts: SuggestionContextParts) {
    this.#parts = parts;
  }

  /** Forgets the spaces of the model before. */
  reset(): void {
    this.#spaces.clear();
  }

  async at(
    { uri, offset, imagined = [], target = null, steering = null }: SuggestionPlace,
    { document, model }: { document: DocumentText; model: LoadedModel },
    settings: Settings,
    signal?: AbortSignal,
  ): Promise<SuggestionContext> {
    const { inference, concepts, languages, ground } = this.#parts;
    const encode: EncodeSentences = (all, cancelled) => concepts.concepts(all, cancelled);
    const before = document.sentencesBefore(offset, contextConcepts);
    const surroundings = around(document.text, offset, imagined);
    const choices = await languages.choosing(document, before, settings.language.source, signal);
    const { completion, language } = settings;
    const lcm = chooseConceptModel(model.conceptModels, completion.conceptModel);
    const generation = model.generations[lcm];
    const here = choices.at(-1)?.code;
    const said = [
      ...inLanguages(before, choices),
      ...imagined.map((text) => ({ text, lang: here ?? model.defaultLang })),
    ].slice(-contextConcepts);
    const sentences = [...beginOfText(said, generation), ...said];
    const context = await concepts.concepts(sentences, signal);
    const space = this.#space(model, lcm);
    const raw = rawSpace(model, lcm);
    const lang = here ?? model.defaultLang;
    const { directions } = model;
    const steeringParts = { encode, space, raw, lang, directions };
    const bent = await resolveSteering(steering, steeringParts, signal);
    const findOwn: SuggestionParts['findOwn'] = (most, cancelled) =>
      ground.followers({ uri, offset, context, space, count: most }, cancelled);
    return {
      model,
      lang,
      parts: {
        inference,
        encode,
        space,
        hasEntropies: model.hasEntropies,
        confidence: model.confidences[lcm] ?? null,
        ...(completion.ownSentences && { findOwn }),
      },
      sentences,
      context,
      sampling: samplingOptions(model, lcm, {
        ...wishesOf(completion),
        count: completion.candidates,
      }),
      steering: bent,
      writing: {
        count: completion.candidates,
        lang: languages.chooseTarget({
          chosen: target,
          document,
          setting: language.target,
          same: here,
        }),
        beamSize: completion.beamSize,
        maxSeqLen: completion.maxSentenceTokens,
        eos: generation === undefined ? null : { text: generation.eosText, lang: trainingLang },
        surroundings,
        findTaken: (cancelled) =>
          takenAround(
            { document, offset, source: language.source },
            { concepts, languages },
            cancelled,
          ),
      },
    };
  }

  #space(model: LoadedModel, lcm: string): ConceptSpace {
    const space = this.#spaces.get(lcm) ?? remembering(conceptSpace(model, lcm));
    this.#spaces.set(lcm, space);
    return space;
  }
}

function around(text: string, offset: number, imagined: readonly string[]): string {
  const before = text.slice(Math.max(0, offset - aroundUnits), offset);
  return [before, ...imagined, text.slice(offset, offset + aroundUnits)].join(
    imagined.length === 0 ? '' : ' ',
  );
}

/** The sentence that every text begins with in the training of a model, before the first one. */
function beginOfText(
  before: readonly unknown[],
  generation: Generation | undefined,
): SourceSentence[] {
  const text = generation?.beginText ?? null;
  const isWholeText = before.length > 0 && before.length < contextConcepts;
  return text !== null && isWholeText ? [{ text, lang: trainingLang }] : [];
}
