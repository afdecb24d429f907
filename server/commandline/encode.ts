import type { Command } from './command.ts';
import { groupsOf, readLines } from './input.ts';
import { deviceHelp, langOption, modelChoice, withModel } from './model.ts';

/** Lines that are encoded together: enough to sort by length, few enough to see results soon. */
const groupSize = 256;

/** `thoughtline encode`: sentences → embeddings. */
export const encodeCommand: Command = {
  name: 'encode',
  summary: 'turn sentences into embeddings',
  help: `Usage: thoughtline encode [--model DIR] [--device D] [--lang L]

Reads one sentence a line from standard input and prints {"text","embedding"} for each.

  --model DIR   a compiled model; the built-in one when left out
  --device D    where it runs: ${deviceHelp}
  --lang L      the language of the sentences, such as eng_Latn`,
  options: { model: { type: 'string' }, device: { type: 'string' }, lang: { type: 'string' } },
  maxPositionals: 0,
  async run(values, _positionals, io) {
    return withModel(modelChoice(values), io, async ({ inference, model }) => {
      const lang = langOption(values, model);
      for await (const sentences of groupsOf(readLines(io.input), groupSize)) {
        const embeddings = await inference.encode({ sentences, lang }, io.signal);
        for (const [i, text] of sentences.entries()) {
          await io.writeResult({ text, embedding: Array.from(embeddings[i] ?? []) });
        }
      }
      return true;
    });
  },
};
