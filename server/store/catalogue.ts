import { InvalidRequestError } from '../base/errors.ts';

/*
 * The models that can be had: where their files lie, how large they are, under which licence, and
 * what the compiler must be told. A fact that nobody has stated is marked so.
 *
 * Sources: the asset cards and LICENSE.md of facebookresearch/SONAR, the hub pages of
 * facebook/SONAR, mimir-lcm and raxtemur, and the papers that the entries name.
 */

/** Which part of a model a file holds. */
export type FileRole = 'encoder' | 'decoder' | 'tokenizer' | 'conceptModel' | 'conceptModelConfig';

/** A length that somebody has stated, or one that follows from the number of weights. */
export interface FileLength {
  state: 'known' | 'estimated';
  bytes: number;
}

export interface CatalogueFile {
  role: FileRole;
  /** Name on this machine. Entries that share a file give it one name. */
  name: string;
  url: string;
  length: FileLength;
  /** Unknown: what came is recorded with its own digest, or compared with the one the host tells. */
  digest: { state: 'known'; sha256: string } | { state: 'unknown' };
}

export interface Licence {
  /** Identifier of SPDX; who consents repeats it. */
  id: string;
  url: string;
  /** What it means for the writer, in a sentence. */
  meaning: string;
}

export interface CatalogueEntry {
  /** As `install` takes it; letters a-z, digits and hyphens. */
  id: string;
  title: string;
  /** A model reads and writes; concept models are added to a model of their space. */
  kind: 'model' | 'conceptModels';
  space: string;
  /** What it is good for, in a sentence. */
  summary: string;
  /** In words. */
  languages: string;
  /** What one must accept to use it. */
  licence: Licence;
  /** Licence that the makers of these weights have stated; null when none was seen. */
  weightsLicence: string | null;
  files: readonly CatalogueFile[];
  /** Names of the compiler's architectures by part; a configuration among the files says the rest. */
  archs: Readonly<Partial<Record<FileRole, string>>>;
  /** How many numbers the compiled model has, about: its size follows from them. */
  parameters: number;
}

/** Holds for whatever runs through SONAR's encoder or decoder, whoever made it. */
export const sonarLicence: Licence = {
  id: 'CC-BY-NC-4.0',
  url: 'https://creativecommons.org/licenses/by-nc/4.0/legalcode',
  meaning: 'You may use it for what is not commercial, and must credit Meta.',
};

const unknown = { state: 'unknown' } as const;

const sonarHost = 'https://dl.fbaipublicfiles.com/SONAR';

const sonarEncoder: CatalogueFile = {
  role: 'encoder',
  name: 'sonar_text_encoder.pt',
  url: `${sonarHost}/sonar_text_encoder.pt`,
  length: { state: 'known', bytes: 3_064_513_202 },
  digest: {
    state: 'known',
    sha256: 'b46ffc66abd0519ce6693797eaf8b15da9011159eae18d99900c273a54208bf7',
  },
};

const sonarTokenizer: CatalogueFile = {
  role: 'tokenizer',
  name: 'sentencepiece.source.256000.model',
  url: `${sonarHost}/sentencepiece.source.256000.model`,
  length: { state: 'known', bytes: 4_852_054 },
  digest: {
    state: 'known',
    sha256: '14bb8dfb35c0ffdea7bc01e56cea38b9e3d5efcdcb9c251d6b40538e1aab555a',
  },
};

/** The bytes follow from 866,902,016 float32 parameters whose tied projection is stored once. */
function sonarDecoder(name: string): CatalogueFile {
  const length = { state: 'estimated', bytes: 3_470_000_000 } as const;
  return { role: 'decoder', name, url: `${sonarHost}/${name}`, length, digest: unknown };
}

const sonar = {
  kind: 'model',
  space: 'sonar',
  languages: '202 languages',
  licence: sonarLicence,
  weightsLicence: 'CC-BY-NC-4.0',
  archs: { encoder: 'basic', decoder: 'basic' },
  // Encoder and decoder; half of the decoder's attention to the concept is folded away.
  parameters: 766_091_264 + 866_902_016 - 50_380_800,
} as const;

/** Source: arXiv:2605.25263. Each repository has one float16 checkpoint of a Two-Tower. */
function mimir(
  size: '1.6B' | '7B',
  tuned: boolean,
  facts: { parameters: number; weightsLicence: string | null },
): CatalogueEntry {
  const repository = `Mimir-${size}${tuned ? '-Instruct' : ''}`;
  const id = idOf(repository);
  return {
    id,
    title: `Mimir ${size}${tuned ? ' Instruct' : ''}`,
    kind: 'conceptModels',
    space: 'sonar',
    summary: tuned
      ? 'A Large Concept Model tuned to answer: it continues a question with an answer.'
      : 'A Large Concept Model: it continues prose, and its candidates differ in idea.',
    languages: tuned ? '35 languages' : '46 languages',
    licence: sonarLicence,
    weightsLicence: facts.weightsLicence,
    files: [
      {
        role: 'conceptModel',
        name: `${id}.pt`,
        url: `https://huggingface.co/mimir-lcm/${repository}/resolve/main/model.pt`,
        length: { state: 'estimated', bytes: facts.parameters * 2 },
        digest: unknown,
      },
    ],
    archs: { conceptModel: `two_tower_diffusion_lcm_${size.replace('.', '_')}` },
    parameters: facts.parameters,
  };
}

/** Source: FusionBrainLab/SONAR-LLM. The table of tokens is in the file and left aside. */
function sonarLlm(size: string, facts: { body: number; stored: number }): CatalogueEntry {
  const repository = `sonar-llm-${size}`;
  const id = idOf(repository);
  const base = `https://huggingface.co/raxtemur/${repository}/resolve/main`;
  return {
    id,
    title: `SONAR-LLM ${size.toUpperCase()}`,
    kind: 'conceptModels',
    space: 'sonar',
    summary: 'Predicts one next concept without chance: quick, and given to repeating itself.',
    languages: 'English',
    licence: sonarLicence,
    weightsLicence: null,
    files: [
      {
        role: 'conceptModel',
        name: `${id}.bin`,
        url: `${base}/pytorch_model.bin`,
        length: { state: 'estimated', bytes: facts.stored * 4 },
        digest: unknown,
      },
      {
        role: 'conceptModelConfig',
        name: `${id}.config.json`,
        url: `${base}/config.json`,
        length: { state: 'estimated', bytes: 2000 },
        digest: unknown,
      },
    ],
    archs: {},
    parameters: facts.body,
  };
}

export const catalogue: readonly CatalogueEntry[] = [
  {
    ...sonar,
    id: 'sonar',
    title: 'SONAR',
    summary:
      'Reads and writes sentences: nearest in meaning, translation. A concept model must be added to continue a text.',
    files: [sonarEncoder, sonarDecoder('sonar_text_decoder.pt'), sonarTokenizer],
  },
  {
    ...sonar,
    id: 'sonar-finetuned',
    title: 'SONAR with the fine-tuned decoder',
    summary:
      'The same with a decoder that was tuned on mixed vectors: steadier where a concept is inexact.',
    files: [sonarEncoder, sonarDecoder('finetuned_decoder.pt'), sonarTokenizer],
  },
  mimir('1.6B', false, { parameters: 1_645_538_304, weightsLicence: null }),
  mimir('1.6B', true, { parameters: 1_645_538_304, weightsLicence: 'MIT' }),
  mimir('7B', false, { parameters: 6_930_781_696, weightsLicence: null }),
  mimir('7B', true, { parameters: 6_930_781_696, weightsLicence: null }),
  sonarLlm('100m', { body: 34_613_248, stored: 100_280_320 }),
  sonarLlm('900m', { body: 698_407_936, stored: 895_409_152 }),
  // Only the number of trained parameters was seen; the table has 128,256 rows of 2,048.
  sonarLlm('1.3b', { body: 1_100_000_000, stored: 1_362_668_288 }),
];

/**
 * Returns an entry by its id, or by its name as the hub spells it.
 *
 * @throws InvalidRequestError when there is none
 */
export function findEntry(entries: readonly CatalogueEntry[], id: string): CatalogueEntry {
  const entry = entries.find((candidate) => candidate.id === idOf(id));
  if (entry === undefined) {
    const known = entries.map((candidate) => candidate.id).join(', ');
    throw new InvalidRequestError(`model: expected one of ${known}, found ${id.slice(0, 80)}`);
  }
  return entry;
}

/**
 * Returns where a file is asked for: from its own host, or from a mirror that has it under the
 * same path.
 *
 * @param mirror  base address; empty means none
 * @throws InvalidRequestError for a mirror that is no address
 */
export function fileUrl({ url }: CatalogueFile, mirror: string): URL {
  const original = new URL(url);
  if (mirror === '') return original;
  const base = mirror.endsWith('/') ? mirror : `${mirror}/`;
  if (!URL.canParse(base)) {
    throw new InvalidRequestError(`mirror: expected an address, found ${mirror.slice(0, 80)}`);
  }
  return new URL(original.pathname.slice(1), base);
}

function idOf(name: string): string {
  return name.toLowerCase().replaceAll('.', '-');
}
