import { autoConceptModel } from '../../protocol/settings.ts';
import { conceptSpace } from '../features/conceptSpace.ts';
import { contextConcepts } from '../features/contextWindow.ts';
import { nearestConcepts } from '../features/neighbours.ts';
import { chooseConceptModel, samplingOptions } from '../features/sampling.ts';
import { type EncodeSentences, SentenceConcepts } from '../features/sentenceConcepts.ts';
import { suggestSentences } from '../features/suggestions.ts';
import { splitSentences } from '../text/sentenceSplitter.ts';
import type { Command } from './command.ts';
import { formatOf } from './format.ts';
import { readDocument } from './input.ts';
import { withModel } from './model.ts';

/** `thoughtline show`: the main job at a glance, for a person. */
export const showCommand: Command = {
  name: 'show',
  summary: "show a document's next sentences and the neighbours of its last one",
  help: `Usage: thoughtline show [FILE]

Prints candidates for the next sentence of a document, and the sentences of the document that are
nearest in meaning to its last one. For reading, not for scripts: they take next and encode.`,
  options: {},
  maxPositionals: 1,
  async run(_values, [file], io) {
    const text = await readDocument(io.input, file);
    const sentences = splitSentences(text, formatOf(file)).map((sentence) => sentence.text);
    const last = sentences.at(-1);
    if (last === undefined) {
      process.stdout.write('The document has no sentence yet.\n');
      return true;
    }
    return withModel({ device: 'auto' }, io, async ({ inference, model }) => {
      const concepts = new SentenceConcepts(inference);
      const lang = model.defaultLang;
      const all = await concepts.concepts(
        sentences.map((text) => ({ text, lang })),
        io.signal,
      );
      const context = all.slice(-contextConcepts);
      const lcm = chooseConceptModel(model.conceptModels, autoConceptModel);
      const eosText = model.generations[lcm]?.eosText;
      const encode: EncodeSentences = (texts, signal) => concepts.concepts(texts, signal);
      const start = performance.now();
      const candidates = await suggestSentences(
        { inference, encode, space: conceptSpace(model, lcm) },
        context,
        {
          sampling: samplingOptions(model, lcm, {}),
          steering: null,
          lang,
          beamSize: 5,
          maxSeqLen: 64,
          eos: eosText === undefined ? null : { text: eosText, lang },
          surroundings: text,
        },
        io.signal,
      );
      const elapsed = Math.round(performance.now() - start);
      const query = all.at(-1);
      const neighbours =
        query === undefined ? [] : nearestConcepts(query.embedding, all, 3, all.length - 1);
      const lines = [
        `… ${last}`,
        '',
        `What may come next (${model.name} on ${model.device}, ${elapsed} ms):`,
        ...candidates.map((candidate) => `  → ${candidate.text}`),
        '',
        'Nearest in meaning to the last sentence:',
        ...neighbours.map(({ text: near, score }) => `  ${score.toFixed(3)}  ${near}`),
      ];
      process.stdout.write(`${lines.join('\n')}\n`);
      return true;
    });
  },
};
