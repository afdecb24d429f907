import { cpus } from 'node:os';
import { contextConcepts } from '../features/contextWindow.ts';
import { nextSentences } from '../features/nextSentences.ts';
import { samplingOptions } from '../features/sampling.ts';
import { SentenceConcepts } from '../features/sentenceConcepts.ts';
import { type Command, numberOption } from './command.ts';
import { deviceHelp, modelChoice, withModel } from './model.ts';

/** Sentences of ordinary length, about 12 words each, all different. */
function sentencesForBench(count: number): string[] {
  const places = ['the harbour', 'an old house', 'the market', 'a small garden', 'the river'];
  const people = ['The teacher', 'A young woman', 'The old captain', 'My brother', 'Her friend'];
  const deeds = ['waited for', 'wrote about', 'remembered', 'looked for', 'talked about'];
  return Array.from({ length: count }, (_, i) => {
    const person = people[i % 5];
    const deed = deeds[Math.floor(i / 5) % 5];
    const place = places[Math.floor(i / 25) % 5];
    return `${person} ${deed} ${place} until the evening of day number ${i + 1}.`;
  });
}

/** `thoughtline bench`: what the models cost on this machine. */
export const benchCommand: Command = {
  name: 'bench',
  summary: 'measure the models on this machine',
  help: `Usage: thoughtline bench [--model DIR] [--device D] [--runs N]

Prints one {"name","value","unit"} per figure: time to load, sentences encoded per second, and the
time from a prepared context of 20 sentences to three written candidates.

  --model DIR   a compiled model; the built-in one when left out
  --device D    where it runs: ${deviceHelp}
  --runs N      repetitions, 1 to 1000 (default 30)`,
  options: { model: { type: 'string' }, device: { type: 'string' }, runs: { type: 'string' } },
  maxPositionals: 0,
  async run(values, _positionals, io) {
    const runs = numberOption(values, 'runs', 30, { min: 1, max: 1000, integer: true });
    return withModel(modelChoice(values), io, async ({ inference, model }) => {
      const figure = (name: string, value: number, unit: string) =>
        io.writeResult({ name, value: Number(value.toFixed(3)), unit });
      await io.writeResult({ name: 'machine', value: machine(), unit: '' });
      await figure('load', model.loadMs, 'ms');

      const sentences = sentencesForBench(512);
      const request = { sentences, lang: model.defaultLang };
      await inference.encode(request, io.signal);
      const start = performance.now();
      await inference.encode(request, io.signal);
      const seconds = (performance.now() - start) / 1000;
      await figure('encode', sentences.length / seconds, 'sentences/s');

      const concepts = new SentenceConcepts(inference);
      const context = await concepts.concepts(
        sentences.slice(0, 20).map((text) => ({ text, lang: model.defaultLang })),
        io.signal,
      );
      for (const lcm of model.conceptModels) {
        const times: number[] = [];
        for (let run = 0; run < runs + 2; run++) {
          const began = performance.now();
          await nextSentences(
            inference,
            context.slice(-contextConcepts),
            {
              sampling: samplingOptions(model, lcm, { seed: run }),
              lang: model.defaultLang,
              beamSize: 3,
              maxSeqLen: 64,
            },
            io.signal,
          );
          times.push(performance.now() - began);
        }
        const sorted = times.slice(2).sort((a, b) => a - b);
        await figure(`next ${lcm} p50`, percentile(sorted, 0.5), 'ms');
        await figure(`next ${lcm} p95`, percentile(sorted, 0.95), 'ms');
      }
      await figure('memory', process.memoryUsage.rss() / 2 ** 20, 'MB');
      return true;
    });
  },
};

/** @param sorted  ascending; at least one */
function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

function machine(): string {
  const all = cpus();
  return `${all.length} × ${all[0]?.model.trim() ?? 'unknown processor'}, Node ${process.version}`;
}
