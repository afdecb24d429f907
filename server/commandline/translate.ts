import { createReadStream } from 'node:fs';
import { InvalidRequestError } from '../base/errors.ts';
import { nullLogger } from '../base/logger.ts';
import { LanguageChooser } from '../features/languageChoice.ts';
import { inLanguages } from '../features/sentenceConcepts.ts';
import {
  joinSentences,
  type TranslationOptions,
  translateSentences,
  translationBeamSize,
} from '../features/translation.ts';
import type { Inference } from '../inference/inference.ts';
import type { Sentence } from '../text/proseBlock.ts';
import { splitSentences } from '../text/sentenceSplitter.ts';
import { type Command, numberOption, requiredOption, textOption } from './command.ts';
import { groupsOf, readLines } from './input.ts';
import { deviceHelp, languageOption, modelChoice, withModel } from './model.ts';

/** Lines whose sentences are encoded together, and among which most decide for the uncertain ones. */
const groupSize = 32;

/** `thoughtline translate`: lines in one language → the same in another. */
export const translateCommand: Command = {
  name: 'translate',
  summary: 'write lines in another language',
  help: `Usage: thoughtline translate --to L [--from L] [--model DIR] [--device D]
                             [--beam K] [FILE]

Reads one paragraph a line from FILE or standard input and prints {"text","from","translation",
"score"} for each. A paragraph is translated sentence by sentence; its score is the mean of theirs.
Numbers, names, identifiers and links are those of the text, as far as it is clear which is which;
"lost" has those that the translation lacks, where there are some.
A line with a sentence longer than the model reads is reported with its number; the others are still
translated.

  --to L        the language to write: a code, tag or name, such as fra_Latn, fr or French
  --from L      the language of the lines; auto, the default, finds it out line by line
  --model DIR   a compiled model; the built-in one, which knows English only, when left out
  --device D    where the model runs: ${deviceHelp}
  --beam K      hypotheses per sentence, 1 to 20 (default ${translationBeamSize}); 1 decodes greedily`,
  options: {
    to: { type: 'string' },
    from: { type: 'string' },
    model: { type: 'string' },
    device: { type: 'string' },
    beam: { type: 'string' },
  },
  maxPositionals: 1,
  async run(values, [file], io) {
    requiredOption(values, 'to');
    const range = { min: 1, max: 20, integer: true };
    const beamSize = numberOption(values, 'beam', translationBeamSize, range);
    const input = file === undefined ? io.input : createReadStream(file);
    return withModel(modelChoice(values), io, async ({ inference, model }) => {
      const to = languageOption(values, 'to', model) ?? model.defaultLang;
      const isAuto = (textOption(values, 'from') ?? 'auto') === 'auto';
      const from = isAuto ? 'auto' : (languageOption(values, 'from', model) ?? 'auto');
      const chooser = new LanguageChooser(nullLogger);
      chooser.useModel(model);
      await chooser.loading;

      let lineNumber = 0;
      let isAllDone = true;
      for await (const texts of groupsOf(readLines(input), groupSize)) {
        const lines = readParagraphs(texts, chooser, from);
        const options = { to, beamSize, hasEntropies: model.hasEntropies };
        const results = await translateLines(inference, lines, options, io.signal);
        for (const [i, result] of results.entries()) {
          lineNumber++;
          if (result instanceof Error) {
            isAllDone = false;
            io.writeMessage(`translate: line ${lineNumber}: ${result.message}`);
          } else {
            await io.writeResult({ text: texts[i], from: lines[i]?.lang, ...result });
          }
        }
      }
      return isAllDone;
    });
  },
};

/** A line, its language and its sentences. */
interface Line {
  lang: string;
  sentences: readonly Sentence[];
}

interface TranslatedLine {
  translation: string;
  score: number;
  /** Numbers, names, identifiers and links that the translation lacks, if any. */
  lost?: string[];
}

function readParagraphs(texts: readonly string[], chooser: LanguageChooser, from: string): Line[] {
  const choices = chooser.chooseFor(texts, from);
  return texts.map((text, i) => ({
    lang: choices[i]?.code ?? '',
    sentences: splitSentences(text, 'plaintext'),
  }));
}

/** Translates lines together, or one by one where one of them is refused. */
async function translateLines(
  inference: Inference,
  lines: readonly Line[],
  options: TranslationOptions,
  signal: AbortSignal,
): Promise<(TranslatedLine | InvalidRequestError)[]> {
  try {
    const sentences = lines.flatMap((line) =>
      inLanguages(
        line.sentences,
        line.sentences.map(() => ({ code: line.lang })),
      ),
    );
    const translated = await translateSentences(inference, sentences, options, signal);
    return lines.map((line) => {
      const own = translated.splice(0, line.sentences.length);
      const texts = own.map(({ text }) => text);
      const blocks = line.sentences.map(({ block }) => block);
      const total = own.reduce((sum, { score }) => sum + score, 0);
      const lost = own.flatMap((sentence) => sentence.lost);
      return {
        ...(lost.length > 0 && { lost }),
        translation: joinSentences(texts, blocks, options.to),
        score: own.length === 0 ? 0 : total / own.length,
      };
    });
  } catch (error) {
    if (!(error instanceof InvalidRequestError)) throw error;
    if (lines.length === 1) return [error];
    const results: (TranslatedLine | InvalidRequestError)[] = [];
    for (const line of lines) {
      results.push(...(await translateLines(inference, [line], options, signal)));
    }
    return results;
  }
}
