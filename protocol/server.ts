import { NotificationType, RequestType } from 'vscode-languageserver-protocol';
import type { ErrorCode, ErrorData } from './errors.ts';

/*
 * What an LSP client and the server say to each other beyond the standard. A `uri` names an open
 * document, an `offset` counts UTF-16 code units in it, and embeddings never cross.
 */

/** client → server, with `initialize`: where the server may keep what it prepares. */
export interface InitializationOptions {
  /** Path of a folder of our own. It need not exist yet. */
  storageFolder: string;
}

/** server → client, on every change: the health of the model. */
export const modelStatus = new NotificationType<ModelStatus>('thoughtline/modelStatus');

export type ModelStatus =
  | { state: 'missing' }
  | {
      state: 'preparing';
      /** 0 to 1. */
      fraction: number;
      /** What is being prepared, in a few words. */
      label: string;
    }
  | { state: 'loading' }
  | {
      state: 'ready';
      model: string;
      /** Where the model runs, such as `cpu`. */
      device: string;
      /** Why it does not run on the device that the writer named; null when it does. */
      deviceNote: string | null;
      conceptModel: string;
      loadMs: number;
      /** Time of the last answer; null before the first. */
      lastLatencyMs: number | null;
      /** Memory of the whole server process. */
      memoryMb: number;
    }
  | { state: 'failed'; code: ErrorCode; message: string };

/** client → server: sentences that may follow a position, best first. */
export const nextSentences = new RequestType<NextSentencesParams, NextSentencesResult, ErrorData>(
  'thoughtline/nextSentences',
);

export interface NextSentencesParams {
  uri: string;
  offset: number;
  /** The most candidates wanted; fewer may come. */
  count: number;
}

export interface NextSentencesResult {
  candidates: Candidate[];
  latencyMs: number;
}

/** A sentence that may come next. */
export interface Candidate {
  text: string;
  /** Log-probability per token. */
  score: number;
}

/** client → server: sentences of the document nearest in meaning to the one at a position. */
export const findNeighbours = new RequestType<
  FindNeighboursParams,
  FindNeighboursResult,
  ErrorData
>('thoughtline/findNeighbours');

export interface FindNeighboursParams {
  uri: string;
  offset: number;
  /** The most neighbours wanted; fewer may come. */
  count: number;
}

export interface FindNeighboursResult {
  /** The sentence at the position; null where there is no prose. */
  sentence: LocatedSentence | null;
  /** Nearest first, without the sentence itself. */
  neighbours: Neighbour[];
}

/** A sentence and where it stands in its document: from `start` up to `end`. */
export interface LocatedSentence {
  text: string;
  start: number;
  end: number;
}

export interface Neighbour extends LocatedSentence {
  /** Cosine of the two embeddings. */
  score: number;
}

/** client → server: the languages of the model, and those that hold at a position. */
export const describeLanguage = new RequestType<
  DescribeLanguageParams,
  DescribeLanguageResult,
  ErrorData
>('thoughtline/describeLanguage');

export interface DescribeLanguageParams {
  /** Absent when only the languages of the model are wanted. */
  place?: { uri: string; offset: number };
}

export interface DescribeLanguageResult {
  /** The languages of the model; none while there is no model. */
  languages: NamedLanguage[];
  /** The language of the paragraph at the position; null without one. */
  source: LanguageChoice | null;
  /** The code of the language that sentences are offered in there; null without a position. */
  target: string | null;
}

/** A language by its code of FLORES-200, such as `fra_Latn`. */
export interface NamedLanguage {
  code: string;
  /** In English. */
  name: string;
  /** What its speakers call it, where that is known. */
  autonym?: string;
}

/** The code of a language, and why it was chosen. */
export interface LanguageChoice {
  code: string;
  reason: LanguageReason;
}

/**
 * `only`: the model knows no other; `comment`, `frontMatter`: the document says so; `setting`: the
 * settings do; `paragraph`: identified; `document`: identified in most of the rest; `default`: the
 * model's own, for want of anything better.
 */
export type LanguageReason =
  | 'only'
  | 'comment'
  | 'frontMatter'
  | 'setting'
  | 'paragraph'
  | 'document'
  | 'default';

/** client → server: a text in another language, sentence by sentence. */
export const translate = new RequestType<TranslateParams, TranslateResult, ErrorData>(
  'thoughtline/translate',
);

export interface TranslateParams {
  /** The document that the text is from, whose language and markup it shares. */
  uri?: string;
  text: string;
  /** A code, tag or English name; found out when absent. */
  from?: string;
  to: string;
}

export interface TranslateResult {
  /** The whole translation, without markup; empty while there is no model. */
  translation: string;
  /** Its sentences, in order. */
  sentences: TranslatedSentence[];
  /** The code of the language that it is in. */
  to: string;
}

export interface TranslatedSentence {
  text: string;
  /** Its language, and why it was taken for that. */
  from: LanguageChoice;
  translation: string;
  /** Log-probability per token. */
  score: number;
}
