import { existsSync, readFileSync } from 'node:fs';

/* What the model is measured on, as `python -m training.evaluation_set` writes it. */

export interface EvaluationSet {
  sentences: readonly { text: string; source: string; pieces: number }[];
  neighbours: readonly TextPair[];
  paraphrases: readonly TextPair[];
  translations: Readonly<Record<string, { pairs: readonly TextPair[]; fill: readonly string[] }>>;
  windows: readonly Window[];
  /** Of other documents than `windows`: confidence is fitted on them. */
  calibration: readonly Window[];
  paragraphs: readonly Paragraph[];
  fragile: readonly { text: string; spans: readonly string[] }[];
  /** The words of the training texts, in lower case. */
  words: readonly string[];
}

export type TextPair = readonly [string, string];

/** A part of a document, and which of its sentences are to be foretold. */
export interface Window {
  source: string;
  sentences: readonly string[];
  is_target: readonly boolean[];
}

export interface Paragraph {
  source: string;
  context: readonly string[];
  next: string;
}

const parts = [
  ...['sentences', 'neighbours', 'paraphrases', 'translations', 'windows', 'calibration'],
  ...['paragraphs', 'fragile', 'words'],
];

/** @throws Error when there is no such file, or it lacks a part */
export function readEvaluationSet(path: string): EvaluationSet {
  if (!existsSync(path)) {
    const command = 'python -m training.evaluation_set --pairs FOLDER';
    throw new Error(`${path}: expected the evaluation set, found no file; make it: ${command}`);
  }
  const content: unknown = JSON.parse(readFileSync(path, 'utf8'));
  const missing = parts.filter((part) => !Object.hasOwn(Object(content), part));
  if (missing.length > 0) {
    throw new Error(`${path}: expected ${parts.join(', ')}, found no ${missing.join(', ')}`);
  }
  return content as EvaluationSet; // ours: what is in the parts is what wrote them's to say
}

/** Returns the first `count` of everything but the known words. */
export function shorten(set: EvaluationSet, count: number): EvaluationSet {
  const translations = Object.entries(set.translations).map(([lang, { pairs, fill }]) => [
    lang,
    { pairs: pairs.slice(0, count), fill: fill.slice(0, count) },
  ]);
  return {
    sentences: set.sentences.slice(0, count),
    neighbours: set.neighbours.slice(0, count),
    paraphrases: set.paraphrases.slice(0, count),
    translations: Object.fromEntries(translations),
    windows: set.windows.slice(0, count),
    calibration: set.calibration.slice(0, count),
    paragraphs: set.paragraphs.slice(0, count),
    fragile: set.fragile.slice(0, count),
    words: set.words,
  };
}
