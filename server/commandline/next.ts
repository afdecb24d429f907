import { InvalidRequestError } from '../base/errors.ts';
import { contextConcepts } from '../features/contextWindow.ts';
import { continueText } from '../features/continueText.ts';
import { chooseConceptModel, nextSentences, samplingDefaults } from '../features/nextSentences.ts';
import { SentenceConcepts } from '../features/sentenceConcepts.ts';
import { splitSentences } from '../text/sentenceSplitter.ts';
import { type Command, choiceOption, numberOption, textOption } from './command.ts';
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

Reads a document from FILE or standard input and prints {"text","score","embedding"} for each
candidate, or with --sentences for each sentence that follows, as it is written, until the model
ends the text. The same seed gives the same sentences.

  --model DIR    a compiled model; the built-in one when left out
  --device D     where it runs: ${deviceHelp}
  --lcm NAME     the concept model (default ${samplingDefaults.lcm}, or the model's first)
  --count N      candidates, 1 to 64 (default ${samplingDefaults.count})
  --seed S       whole number from 0 to 4294967295 (default ${samplingDefaults.seed})
  --steps K      denoising steps, 1 to 1000 (default ${samplingDefaults.inferenceTimesteps})
  --guidance G   guidance scale, 0 to 20 (default ${samplingDefaults.guidanceScale}); 1 means none
  --noise S      initial noise scale, 0 to 4 (default ${samplingDefaults.initialNoiseScale})
  --temperature T, --top-k K
                 the choice among a codebook's units (Quant-LCM; the paper's when left out)
  --sentences N  up to N sentences one after the other, 1 to 1000, instead of candidates for one
  --format F     how the document is written; found from FILE's name when left out`,
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
    const whole = (name: string, fallback: number, min: number, max: number) =>
      numberOption(values, name, fallback, { min, max, integer: true });
    const real = (name: string, fallback: number, max: number) =>
      numberOption(values, name, fallback, { min: 0, max });
    const sampling = {
      ...samplingDefaults,
      count: whole('count', samplingDefaults.count, 1, 64),
      seed: whole('seed', samplingDefaults.seed, 0, 0xffffffff),
      inferenceTimesteps: whole('steps', samplingDefaults.inferenceTimesteps, 1, 1000),
      guidanceScale: real('guidance', samplingDefaults.guidanceScale, 20),
      initialNoiseScale: real('noise', samplingDefaults.initialNoiseScale, 4),
      ...(textOption(values, 'temperature') !== undefined && {
        temperature: numberOption(values, 'temperature', 1, { min: 1e-6, max: 1e6 }),
      }),
      ...(textOption(values, 'top-k') !== undefined && { topK: whole('top-k', 1, 1, 65536) }),
    };
    const maxGenLen = whole('sentences', 0, 1, 1000);
    const lcm = textOption(values, 'lcm');
    const format = choiceOption(values, 'format', formats) ?? formatOf(file);
    const sentences = splitSentences(await readDocument(io.input, file), format);
    return withModel(modelChoice(values), io, async ({ inference, model }) => {
      if (lcm !== undefined && !model.conceptModels.includes(lcm)) {
        throw new InvalidRequestError(
          `--lcm: expected ${model.conceptModels.join(', ')}, found ${lcm}`,
        );
      }
      const concepts = new SentenceConcepts(inference);
      const context = await concepts.concepts(
        sentences.slice(-contextConcepts).map(({ text }) => ({ text, lang: model.defaultLang })),
        io.signal,
      );
      const name = lcm ?? chooseConceptModel(model.conceptModels, sampling.lcm);
      const options = {
        sampling: { ...sampling, lcm: name },
        lang: model.defaultLang,
        beamSize: 5,
        maxSeqLen: 128,
      };
      const generation = model.generations[name];
      const written =
        maxGenLen > 0 && generation !== undefined
          ? continueText(
              inference,
              context,
              (texts, signal) => concepts.concepts(texts, signal),
              { ...options, generation, maxGenLen },
              io.signal,
            )
          : await nextSentences(inference, context, options, io.signal);
      for await (const { text, score, embedding } of written) {
        await io.writeResult({ text, score, embedding: Array.from(embedding) });
      }
      return true;
    });
  },
};
