import { splitSentences } from '../text/sentenceSplitter.ts';
import { type Command, choiceOption, type OptionValues } from './command.ts';
import { formatOf, formats } from './format.ts';
import { readDocument } from './input.ts';

/** `thoughtline split`: a document → its sentences, with offsets. */
export const splitCommand: Command = {
  name: 'split',
  summary: 'split a document into sentences',
  help: `Usage: thoughtline split [--format ${formats.join('|')}] [FILE]

Reads a document from FILE or standard input and prints {"text","start","end"} for each sentence.
Offsets count UTF-16 units of the input; the end is exclusive.

  --format F   how the document is written; found from FILE's name when left out, else plaintext`,
  options: { format: { type: 'string' } },
  maxPositionals: 1,
  async run(values: OptionValues, [file], io) {
    const format = choiceOption(values, 'format', formats) ?? formatOf(file);
    const text = await readDocument(io.input, file);
    for (const sentence of splitSentences(text, format)) {
      io.signal.throwIfAborted();
      await io.writeResult({ text: sentence.text, start: sentence.start, end: sentence.end });
    }
    return true;
  },
};
