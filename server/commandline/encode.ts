import { type Command, textOption } from './command.ts';
import { groupsOf, readLines } from './input.ts';
import { langOption, withModel } from './model.ts';

/** Lines that are encoded together: enough to sort by length, few enough to see results soon. */
const groupSize = 256;

/** `thoughtline encode`: sentences → embeddings. */
export const encodeCommand: Command = {
  name: 'encode',
  summary: 'turn sentences into embeddings',
  help: `Usage: thoughtline encode [--model DIR] [--lang L]

Reads one sentence a line from standard input and prints {"text","embedding"} for each.

  --model DIR   a compiled model; the built-in one when left out
  --lang L      the language of the sentences, such as eng_Latn`,
  options: { model: { type: 'string' }, lang: { type: 'string' } },
  maxPositionals: 0,
  async run(values, _positionals, io) {
    return withModel(textOption(values, 'model'), io, async ({ inference, model }) => {
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
