import {
  NotificationType,
  RequestType,
  type WorkDoneProgressParams,
} from 'vscode-languageserver-protocol';
import type { ErrorCode, ErrorData } from './errors.ts';
import type { ModelPrecision } from './settings.ts';

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
      /** The concept model that predicts; empty when there is none. */
      conceptModel: string;
      /** All that may predict, best first: as `thoughtline.completion.conceptModel` takes them. */
      conceptModels: string[];
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

/** A sentence that may come next: of the model, or one that the writer wrote before. */
export type Candidate =
  | {
      origin: 'model';
      text: string;
      /** Cosine of the sentence, read again, and the nearest concept predicted beside its own. */
      agreement: number;
      /** Log-probability per token. */
      score: number;
      /** Probability that it is worth showing; null where the model tells nothing about it. */
      confidence: number | null;
    }
  | {
      origin: 'own';
      text: string;
      /** Cosine of the nearest predicted concept and that of the sentence. */
      agreement: number;
      confidence: null;
    };

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
  /** Numbers, names, identifiers and links of the text that the translation lacks. */
  lost: string[];
  /** Those of the translation that the text lacks. */
  invented: string[];
}

/** client → server: the models of this machine, and those that can be had. Asks no host. */
export const listModels = new RequestType<ListModelsParams, ListModelsResult, ErrorData>(
  'thoughtline/listModels',
);

/** Nothing is asked for in particular. */
export type ListModelsParams = Record<string, never>;

export interface ListModelsResult {
  /** The built-in model first. */
  installed: InstalledModel[];
  available: AvailableModel[];
  /** Free space of the disk where models are kept. */
  freeBytes: number;
}

/** A model reads and writes; concept models are added to every model of their space. */
export type ModelKind = 'model' | 'conceptModels';

/** A model of this machine. What cannot be read of it is null. */
export interface InstalledModel {
  /** As `thoughtline.model.name` takes it. */
  name: string;
  title: string;
  isBuiltIn: boolean;
  /** Unprepared: it is compiled when it is first used. */
  state: 'ready' | 'unprepared' | 'damaged';
  kind: ModelKind | null;
  /** Name of its concept space. */
  space: string | null;
  /** Such as `int8`, or `int8/fp16` where its parts differ. */
  precision: string | null;
  sizeBytes: number;
  conceptModels: string[];
  /** Identifier of the licence that was accepted; null for what was not installed from the catalogue. */
  licence: string | null;
  /** The downloads that it was compiled from; none when it comes from elsewhere. */
  files: DownloadedFile[];
  folder: string;
}

/** A file as it came, and what its digest was compared with: ours, the host's own word, or nothing. */
export interface DownloadedFile {
  url: string;
  sizeBytes: number;
  sha256: string;
  checkedAgainst: 'pinned' | 'announced' | 'none';
}

/** A model that can be had. */
export interface AvailableModel {
  /** As `installModel` takes it. */
  id: string;
  title: string;
  kind: ModelKind;
  space: string;
  /** What it is good for, in a sentence. */
  summary: string;
  languages: string;
  /** What must be accepted. */
  licence: { id: string; url: string; meaning: string };
  /** What the makers of these weights state; null when nothing was seen. */
  weightsLicence: string | null;
  /** Titles of what is installed with it because it needs it. */
  alsoInstalls: string[];
  isInstalled: boolean;
  /** Still to be downloaded, with what is installed along. */
  downloadBytes: number;
  /** Downloaded already. */
  fetchedBytes: number;
  /** On disk when it is compiled, and in memory when it is loaded, about, with what is installed along. */
  needs: Record<ModelPrecision, { diskBytes: number; memoryBytes: number }>;
}

/**
 * client → server: download and compile a model, or compile one of a folder. The only request that
 * opens a network connection. Progress comes under `workDoneToken`; cancelling keeps what has come.
 */
export const installModel = new RequestType<InstallModelParams, InstallModelResult, ErrorData>(
  'thoughtline/installModel',
);

export interface InstallModelParams extends WorkDoneProgressParams {
  source: { kind: 'catalogue'; id: string } | { kind: 'folder'; folder: string };
  /** null leaves it to the server. */
  precision: ModelPrecision | null;
  /** Identifier of the licence that the writer has accepted; empty when none was asked for. */
  acceptedLicence: string;
  /** Whether downloads stay after they are compiled. */
  keepsCheckpoints: boolean;
}

export interface InstallModelResult {
  name: string;
  kind: ModelKind;
  space: string;
  conceptModels: string[];
}

/** client → server: remove an installed model, and what was downloaded for it. */
export const removeModel = new RequestType<NamedModelParams, null, ErrorData>(
  'thoughtline/removeModel',
);

/** client → server: compare every byte of a model with what it should be. */
export const verifyModel = new RequestType<NamedModelParams, null, ErrorData>(
  'thoughtline/verifyModel',
);

export interface NamedModelParams {
  /** Of the list; empty means the built-in model. */
  name: string;
}
