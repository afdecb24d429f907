import { autoConceptModel } from '../../protocol/settings.ts';
import { InvalidRequestError } from '../base/errors.ts';
import { conceptSpace } from '../features/conceptSpace.ts';
import { contextConcepts } from '../features/contextWindow.ts';
import { continueText } from '../features/continueText.ts';
import { nextSentences } from '../features/nextSentences.ts';
import {
  chooseConceptModel,
  type SamplingWishes,
  samplingDefaults,
  samplingOptions,
} from '../features/sampling.ts';
import { type EncodeSentences, SentenceConcepts } from '../features/sentenceConcepts.ts';
import { readBack } from '../features/suggestions.ts';
import { codebookSizes, guidanceScales, noiseScales, temperatures } from '../model/limits.ts';
import { splitSentences } from '../text/sentenceSplitter.ts';
import {
  type Command,
  choiceOption,
  type NumberRange,
  numberOption,
  textOption,
} from './command.ts';
import { formatOf, formats } from './format.ts';
import { readDocument } from './input.ts';
import { deviceHelp, modelChoice, withModel } from './model.ts';

/** `thoughtline next`: a document → candidates for its next sentence. */
export const nextCommand: Command = {
  name: 'next',
  summary: "write candidates for a document's next sentence",
  help: `Usage: thoughtline next [--model DIR] [--device D] [--lcm NAME] [--count N] [--seed S]
                        [--steps K] [--guidance G] [--noise S] [--temperature T] [--top-k K]
                        [--sentences N] [--format ${formats.join('|')}] [FILE]

Reads a document from FILE or standard input and prints {"text","score","agreement","embedding"}
for each candidate, or with --sentences for each sentence that follows, as it is written, until the
model ends the text: the log-probability per token, how well the sentence says what was predicted
(the cosine of the two concepts), and the predicted concept. The same seed gives the same sentences.

  --model DIR    a compiled model; the built-in one when left out
  --device D     where it runs: ${deviceHelp}
  --lcm NAME     the concept model; ${autoConceptModel}, the model's first, when left out
  --count N      candidates, 1 to 64 (default ${samplingDefaults.count})
  --seed S       whole number from 0 to 4294967295 (default ${samplingDefaults.seed})
  --steps K      denoising steps, 1 to 1000 (diffusion)
  --guidance G   guidance scale, 0 to 20; 1 means none
  --noise S      initial noise scale, 0 to 4
  --temperature T, --top-k K
                 the choice among a codebook's units (Quant-LCM)
  --sentences N  up to N sentences one after the other, 1 to 1000, instead of candidates for one
  --format F     how the document is written; found from FILE's name when left out

What is left out of --steps to --top-k is as the makers of the concept model recommend; where they
say nothing, ${samplingDefaults.inferenceTimesteps} steps, guidance ${samplingDefaults.guidanceScale}, noise ${samplingDefaults.initialNoiseScale}, and the paper's choice of units.`,
  options: {
    model: { type: 'string' },
    device: { type: 'string' },
    lcm: { type: 'string' },
    count: { type: 'string' },
    seed: { type: 'string' },
    steps: { type: 'string' },
    guidance: { type: 'string' },
    noise: { type: 'string' },
    temperature: { type: 'string' },
    'top-k': { type: 'string' },
    sentences: { type: 'string' },
    format: { type: 'string' },
  },
  maxPositionals: 1,
  async run(values, [file], io) {
    const number = (name: string, range: NumberRange) =>
      values[name] === undefined ? null : numberOption(values, name, 0, range);
    const whole = (name: string, min: number, max: number) =>
      number(name, { min, max, integer: true });
    const wishes: SamplingWishes = {
      count: whole('count', 1, 64),
      seed: whole('seed', 0, 0xffffffff),
      inferenceTimesteps: whole('steps', 1, 1000),
      guidanceScale: number('guidance', guidanceScales),
      initialNoiseScale: number('noise', noiseScales),
      temperature: number('temperature', temperatures),
      topK: whole('top-k', 1, codebookSizes.max),
    };
    const maxGenLen = whole('sentences', 1, 1000) ?? 0;
    const wanted = textOption(values, 'lcm') ?? autoConceptModel;
    const format = choiceOption(values, 'format', formats) ?? formatOf(file);
    const sentences = splitSentences(await readDocument(io.input, file), format);
    return withModel(modelChoice(values), io, async ({ inference, model }) => {
      const known = [autoConceptModel, ...model.conceptModels];
      if (!known.includes(wanted)) {
        throw new InvalidRequestError(`--lcm: expected ${known.join(', ')}, found ${wanted}`);
      }
      const lcm = chooseConceptModel(model.conceptModels, wanted);
      const concepts = new SentenceConcepts(inference);
      const encode: EncodeSentences = (texts, signal) => concepts.concepts(texts, signal);
      const context = await concepts.concepts(
        sentences.slice(-contextConcepts).map(({ text }) => ({ text, lang: model.defaultLang })),
        io.signal,
      );
      const options = {
        sampling: samplingOptions(model, lcm, wishes),
        lang: model.defaultLang,
        beamSize: 5,
        maxSeqLen: 128,
      };
      const generation = model.generations[lcm];
      const written =
        maxGenLen > 0 && generation !== undefined
          ? continueText(
              inference,
              context,
              encode,
              { ...options, generation, maxGenLen },
              io.signal,
            )
          : await nextSentences(inference, context, options, io.signal);
      const reading = { encode, space: conceptSpace(model, lcm), lang: options.lang };
      for await (const sentence of written) {
        for (const { text, score, agreement, embedding } of await readBack([sentence], reading)) {
          await io.writeResult({ text, score, agreement, embedding: Array.from(embedding) });
        }
      }
      return true;
    });
  },
};
