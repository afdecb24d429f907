import type { Fields } from './fields.ts';
import { finiteNumbers, maxLangs } from './limits.ts';
import type { ConfidenceEntry } from './manifest.ts';

/*
 * How sure a concept model may be of a sentence: coefficients in a configuration in snake_case, in a
 * manifest in camelCase. There are all of them or none.
 */

type Coefficient = Exclude<keyof ConfidenceEntry, 'langs'>;

const configNames: Readonly<Record<Coefficient, string>> = {
  bias: 'bias',
  support: 'support',
  agreement: 'agreement',
  score: 'score',
  surprisal: 'surprisal',
  logLength: 'log_length',
};

const manifestNames: Readonly<Record<Coefficient, string>> = {
  ...configNames,
  logLength: 'logLength',
};

/**
 * Parses `confidence` of a concept model's configuration; null where there is none.
 *
 * @throws CheckpointFormatError when a coefficient is missing or no number
 * @throws CheckpointUnsupportedError for a field that nobody knows
 */
export function parseConfidenceConfig(parent: Fields): ConfidenceEntry | null {
  return parent.orNull('confidence', (key) => {
    const fields = parent.object(key);
    const confidence = parseConfidence(fields, configNames);
    fields.close();
    return confidence;
  });
}

/** Parses `confidence` of a manifest's concept model. @throws IntegrityError when it is malformed */
export function parseConfidenceEntry(parent: Fields): ConfidenceEntry | null {
  return parent.orNull('confidence', (key) => parseConfidence(parent.object(key), manifestNames));
}

function parseConfidence(
  fields: Fields,
  names: Readonly<Record<Coefficient, string>>,
): ConfidenceEntry {
  const coefficient = (name: Coefficient) => fields.number(names[name], finiteNumbers);
  return {
    langs: fields.texts('langs', maxLangs),
    bias: coefficient('bias'),
    support: coefficient('support'),
    agreement: coefficient('agreement'),
    score: coefficient('score'),
    surprisal: coefficient('surprisal'),
    logLength: coefficient('logLength'),
  };
}
