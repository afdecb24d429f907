import type { Fields } from './fields.ts';
import { cosines, sentenceCounts } from './limits.ts';
import type { GenerationEntry } from './manifest.ts';

/**
 * How a Large Concept Model writes on, when its configuration does not say.
 *
 * reference: LCMGeneratorOptions; the repetition threshold is the paper's (arXiv:2412.08821,
 * section 3.1), which the code leaves off.
 */
export const lcmGeneration: GenerationEntry = {
  feedback: 'concept',
  eosText: 'End of text.',
  eosThreshold: 0.9,
  repetitionThreshold: 0.9,
  minGenLen: 1,
  beginText: null,
};

/** How a SONAR-LLM writes on; reference: FusionBrainLab/SONAR-LLM, generate.py. */
export const sonarLlmGeneration: GenerationEntry = {
  feedback: 'text',
  eosText: 'End of sequence.',
  eosThreshold: 0.98,
  repetitionThreshold: null,
  minGenLen: 0,
  beginText: null,
};

/**
 * Parses what a configuration says about generation, under the names of the reference where it
 * has any.
 *
 * @throws CheckpointFormatError when a value is out of its range
 * @throws CheckpointUnsupportedError for a field that nobody knows
 */
export function parseGeneration(fields: Fields, defaults: GenerationEntry): GenerationEntry {
  const nullable = <T>(key: string, read: (key: string) => T, fallback: T | null) =>
    fields.has(key) ? fields.orNull(key, read) : fallback;
  const generation: GenerationEntry = {
    feedback: fields.choice('feedback', ['concept', 'text'], defaults.feedback),
    eosText: fields.text('eos_text', defaults.eosText),
    eosThreshold: fields.number('eos_threshold', cosines, defaults.eosThreshold),
    repetitionThreshold: nullable(
      'stop_on_repetition_cosine_threshold',
      (key) => fields.number(key, cosines),
      defaults.repetitionThreshold,
    ),
    minGenLen: fields.integer('min_seq_len', sentenceCounts, defaults.minGenLen),
    beginText: nullable('begin_text', (key) => fields.text(key), defaults.beginText),
  };
  fields.close();
  return generation;
}
