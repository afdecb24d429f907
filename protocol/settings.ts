/*
 * The writer's settings: their shape, their defaults and the parser that trusts nothing.
 * `package.json` declares the same defaults and limits to the editor; a test holds the two together.
 */

/** Section of the configuration, as in `workspace/configuration`. */
export const settingsSection = 'thoughtline';

/** The model's first concept model, which is its best. */
export const autoConceptModel = 'auto';

/** Languages of documents that we read, by the identifiers of the editor and of LSP. */
export const languageIds = ['markdown', 'latex', 'tex', 'plaintext'] as const;

export type LanguageId = (typeof languageIds)[number];

export interface Settings {
  completion: CompletionSettings;
  language: LanguageSettings;
  model: ModelSettings;
  trace: { server: TraceLevel };
}

export interface CompletionSettings {
  enabled: boolean;
  languages: Readonly<Record<LanguageId, boolean>>;
  /** Whether sentences are offered by themselves, or only when they are asked for. */
  mode: CompletionMode;
  /** Globs of files, relative to their folder, in which nothing is offered unasked. */
  excludedFiles: readonly string[];
  /** Whether nothing is offered unasked while the machine runs on battery. */
  pauseOnBattery: boolean;
  /** How long the writer must rest before a sentence is offered; null learns it from the writer. */
  pauseMs: number | null;
  /** Sentences of which the model is less sure are not offered unasked. */
  minConfidence: number;
  candidates: number;
  /** Sentences of one suggestion. */
  sentences: number;
  /** Whether candidates may be sentences that the writer wrote before. */
  ownSentences: boolean;
  /** `auto`, or the name of a concept model; the model's first when it has none of that name. */
  conceptModel: string;
  /** null leaves these three to the concept model. */
  inferenceSteps: number | null;
  guidanceScale: number | null;
  noiseScale: number | null;
  beamSize: number;
  maxSentenceTokens: number;
}

const completionModes = ['automatic', 'manual'] as const;

export type CompletionMode = (typeof completionModes)[number];

/** A language is named by its code (`fra_Latn`), a BCP 47 tag (`fr`) or its English name. */
export interface LanguageSettings {
  /** The language of documents; `auto` finds it out paragraph by paragraph. */
  source: string;
  /** The language of offered sentences; `same` is that of the paragraph. */
  target: string;
  /** Languages that the key goes through; none means all of the model. */
  cycle: readonly string[];
}

export interface ModelSettings {
  /** Name of an installed model, or path of a model folder; empty means the built-in model. */
  name: string;
  /** 0 means as many as suits the machine. */
  threads: number;
  /** Where the model runs; `auto` means the fastest that gives the right numbers. */
  device: DeviceChoice;
  /** Address that has the files of models in place of their own hosts; empty means none. */
  mirror: string;
}

/** Devices that the writer may name. */
export const deviceChoices = [
  'auto',
  'cpu',
  'cuda',
  'tensorrt',
  'webgpu',
  'directml',
  'coreml',
] as const;

export type DeviceChoice = (typeof deviceChoices)[number];

/** How linear layers hold their weights: a choice when a model is installed. */
export const modelPrecisions = ['fp32', 'fp16', 'int8', 'int4'] as const;

export type ModelPrecision = (typeof modelPrecisions)[number];

/** No level that shows the content of messages: the writer's text is never logged. */
const traceLevels = ['off', 'messages'] as const;

export type TraceLevel = (typeof traceLevels)[number];

/** What holds where the writer has set nothing, or nothing usable. */
export const defaultSettings: Settings = {
  completion: {
    enabled: true,
    languages: { markdown: true, latex: true, tex: true, plaintext: true },
    mode: 'automatic',
    excludedFiles: [],
    pauseOnBattery: false,
    pauseMs: null,
    minConfidence: 0.4,
    candidates: 3,
    sentences: 1,
    ownSentences: false,
    conceptModel: autoConceptModel,
    inferenceSteps: null,
    guidanceScale: null,
    noiseScale: null,
    beamSize: 3,
    maxSentenceTokens: 64,
  },
  language: { source: 'auto', target: 'same', cycle: [] },
  model: { name: '', threads: 0, device: 'auto', mirror: '' },
  trace: { server: 'off' },
};

/**
 * Reads settings field by field. An absent field takes its default silently; an unusable one takes
 * its default and is reported; an unknown one is passed over. Never throws.
 *
 * @param value  the section as the client gave it
 * @returns the settings, and one line for each field that was refused
 */
export function parseSettings(value: unknown): { settings: Settings; refused: string[] } {
  const refused: string[] = [];
  const section = new Fields(value, settingsSection, defaultSettings, refused);
  const completion = section.group('completion');
  const languages = completion.group('languages');
  const language = section.group('language');
  const model = section.group('model');
  const trace = section.group('trace');
  const settings: Settings = {
    completion: {
      enabled: completion.field('enabled', boolean),
      languages: {
        markdown: languages.field('markdown', boolean),
        latex: languages.field('latex', boolean),
        tex: languages.field('tex', boolean),
        plaintext: languages.field('plaintext', boolean),
      },
      mode: completion.field('mode', oneOf(completionModes)),
      excludedFiles: completion.field('excludedFiles', listOf(string, maxGlobs)),
      pauseOnBattery: completion.field('pauseOnBattery', boolean),
      pauseMs: completion.field('pauseMs', orNull(integer(0, 5000))),
      minConfidence: completion.field('minConfidence', number(0, 1)),
      candidates: completion.field('candidates', integer(1, 8)),
      sentences: completion.field('sentences', integer(1, 5)),
      ownSentences: completion.field('ownSentences', boolean),
      conceptModel: completion.field('conceptModel', string),
      inferenceSteps: completion.field('inferenceSteps', orNull(integer(1, 100))),
      guidanceScale: completion.field('guidanceScale', orNull(number(0, 10))),
      noiseScale: completion.field('noiseScale', orNull(number(0, 2))),
      beamSize: completion.field('beamSize', integer(1, 10)),
      maxSentenceTokens: completion.field('maxSentenceTokens', integer(8, 256)),
    },
    language: {
      source: language.field('source', word),
      target: language.field('target', word),
      cycle: language.field('cycle', listOf(word, maxLanguages)),
    },
    model: {
      name: model.field('name', string),
      threads: model.field('threads', integer(0, 256)),
      device: model.field('device', oneOf(deviceChoices)),
      mirror: model.field('mirror', address),
    },
    trace: { server: trace.field('server', oneOf(traceLevels)) },
  };
  return { settings, refused };
}

/** Tells whether the writer wants sentences offered in documents of a language. */
export function isLanguageEnabled({ completion }: Settings, languageId: string): boolean {
  const id = languageIds.find((known) => known === languageId);
  return completion.enabled && id !== undefined && completion.languages[id];
}

/** A group of settings as it was given, beside the defaults that stand in for what is unusable. */
class Fields<T extends object> {
  readonly #given: Record<string, unknown>;
  readonly #path: string;
  readonly #defaults: T;
  readonly #refused: string[];

  constructor(value: unknown, path: string, defaults: T, refused: string[]) {
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    this.#given = isObject ? { ...value } : {};
    this.#path = path;
    this.#defaults = defaults;
    this.#refused = refused;
    if (!isObject && !isAbsent(value)) this.#refuse(path, 'an object', value);
  }

  field<K extends keyof T & string>(name: K, kind: Kind<T[K]>): T[K] {
    const value = this.#given[name];
    if (kind.accepts(value)) return value;
    if (!isAbsent(value)) this.#refuse(`${this.#path}.${name}`, kind.expected, value);
    return this.#defaults[name];
  }

  group<K extends keyof T & string>(name: K): Fields<T[K] & object> {
    const defaults: T[K] & object = Object(this.#defaults[name]);
    return new Fields(this.#given[name], `${this.#path}.${name}`, defaults, this.#refused);
  }

  #refuse(path: string, expected: string, value: unknown): void {
    this.#refused.push(`${path}: expected ${expected}, found ${shown(value)}`);
  }
}

/** LSP clients without a setting send null. */
function isAbsent(value: unknown): boolean {
  return value === undefined || value === null;
}

/** What a field may hold. */
interface Kind<T> {
  expected: string;
  accepts(value: unknown): value is T;
}

const boolean: Kind<boolean> = {
  expected: 'true or false',
  accepts: (value) => typeof value === 'boolean',
};

/** Paths are at most 4,096 on Linux and 32,767 with a prefix on Windows; names are shorter. */
const maxStringLength = 32_767;

const string: Kind<string> = {
  expected: `text of at most ${maxStringLength} characters`,
  accepts: (value): value is string => typeof value === 'string' && value.length <= maxStringLength,
};

/** Names of languages are shorter. */
const maxWordLength = 64;

const word: Kind<string> = {
  expected: `text of 1 to ${maxWordLength} characters`,
  accepts: (value): value is string =>
    string.accepts(value) && value.trim() !== '' && value.length <= maxWordLength,
};

const address: Kind<string> = {
  expected: 'an address with https, or nothing',
  accepts: (value): value is string =>
    string.accepts(value) &&
    /^$|^https:\/\/[^\s/]|^http:\/\/(127\.0\.0\.1|localhost)\b/.test(value),
};

function number(minimum: number, maximum: number): Kind<number> {
  return {
    expected: `a number from ${minimum} to ${maximum}`,
    // NaN fails both comparisons.
    accepts: (value): value is number =>
      typeof value === 'number' && value >= minimum && value <= maximum,
  };
}

function integer(minimum: number, maximum: number): Kind<number> {
  const { accepts } = number(minimum, maximum);
  return {
    expected: `a whole number from ${minimum} to ${maximum}`,
    accepts: (value): value is number => accepts(value) && Number.isInteger(value),
  };
}

function orNull<T>({ expected, accepts }: Kind<T>): Kind<T | null> {
  return {
    expected: `${expected}, or null`,
    accepts: (value): value is T | null => value === null || accepts(value),
  };
}

/** Longer lists are a mistake. */
const maxGlobs = 256;
const maxLanguages = 256;

function listOf<T>({ expected, accepts }: Kind<T>, maxLength: number): Kind<readonly T[]> {
  return {
    expected: `a list of at most ${maxLength}, each ${expected}`,
    accepts: (value): value is readonly T[] =>
      Array.isArray(value) && value.length <= maxLength && value.every(accepts),
  };
}

function oneOf<T extends string>(choices: readonly T[]): Kind<T> {
  return {
    expected: choices.join(', '),
    accepts: (value): value is T => choices.some((choice) => choice === value),
  };
}

/** Names a refused value briefly; structures are named by their type alone. */
function shown(value: unknown): string {
  if (typeof value === 'string') return value.length > 40 ? 'a long text' : `'${value}'`;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return Array.isArray(value) ? 'a list' : `a value of type ${typeof value}`;
}
