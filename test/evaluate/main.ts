import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { InferenceClient } from '../../server/inference/client.ts';
import { evaluateAutoencoder } from './autoencoder.ts';
import { evaluateConceptModels } from './conceptModels.ts';
import { evaluateConfidence } from './confidence.ts';
import { continueParagraphs } from './continuations.ts';
import { readEvaluationSet, shorten } from './evaluationSet.ts';
import { Standard } from './geometry.ts';
import { Product } from './product.ts';
import { evaluateRewriting } from './rewriting.ts';
import { evaluateSpace } from './space.ts';
import { evaluateSteering } from './steering.ts';
import { evaluateSuggestions } from './suggestions.ts';
import { type Figures, tableOf } from './table.ts';
import { tokenAccuracy } from './tokenAccuracy.ts';

/*
 * The compiled built-in model on held-out text: what `python -m training.evaluate` measures of the
 * weights in float32, measured of the product.
 */

const help = `Usage: npm run evaluate -- [--only PART]... [--count N] [--set FILE] [--model DIR] [--out FILE]

  --only PART   autoencoder, space, lcm, suggestions, steering, confidence, rewriting or
                continuations; all when left out
  --count N     the first N of everything, to see whether it runs; writes only where --out says
  --set FILE    the evaluation set (default training/.cache/evaluation.json)
  --model DIR   a compiled model (default the one in dist/models)
  --out FILE    default models/builtin/evaluation-compiled.json
`;

const usualOut = join('models', 'builtin', 'evaluation-compiled.json');

const parts = [
  ...(['autoencoder', 'space', 'lcm'] as const),
  ...(['suggestions', 'steering', 'confidence', 'rewriting', 'continuations'] as const),
];
type Part = (typeof parts)[number];

/** Sentences whose tokens are forced, as in training/evaluation/autoencoder.py. */
const numTeacherForced = 400;

void main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', multiple: true },
      count: { type: 'string' },
      set: { type: 'string', default: 'training/.cache/evaluation.json' },
      model: { type: 'string', default: builtModel() },
      out: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) return say(help);
  const only = values.only === undefined ? parts : values.only.map(parsePart);
  const whole = readEvaluationSet(values.set);
  const set = values.count === undefined ? whole : shorten(whole, parseCount(values.count));

  const client = new InferenceClient(resolve('dist', 'inferenceWorker.js'));
  try {
    const product = new Product(client, await client.load(values.model, { device: 'cpu' }));
    const texts = set.sentences.map(({ text }) => text);
    const embeddings = await product.encode(texts);
    const standard = new Standard(embeddings);
    const measure: Record<Part, () => Promise<unknown>> = {
      autoencoder: async () => ({
        ...(await evaluateAutoencoder(product, set, standard, embeddings)),
        token_accuracy: await tokenAccuracy(
          values.model,
          texts.slice(0, numTeacherForced),
          embeddings.slice(0, numTeacherForced),
        ),
      }),
      space: () => evaluateSpace(product, set, standard, embeddings),
      lcm: () => evaluateConceptModels(product, set, standard),
      suggestions: () => evaluateSuggestions(product, set),
      steering: () => evaluateSteering(product, set),
      confidence: () => evaluateConfidence(product, set),
      rewriting: () => evaluateRewriting(product, set),
      continuations: () => continueParagraphs(product, set.paragraphs),
    };
    const measured: Record<string, unknown> = {};
    for (const part of only) {
      const start = performance.now();
      measured[part] = await measure[part]();
      const seconds = (performance.now() - start) / 1000;
      say(`${tableOf({ [part]: measured[part] }).join('\n')}\n${part}: ${seconds.toFixed(0)} s\n`);
    }
    const reproduced = {
      command: 'npm run evaluate',
      machine: `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown processor'}`,
      model: product.model.name,
    };
    say(`${Object.values(reproduced).join(' · ')}\n`);
    const out = values.out ?? (values.count === undefined ? usualOut : undefined);
    if (out === undefined) return;
    const before = only.length === parts.length ? {} : readFigures(out);
    const figures = { ...before, ...measured, reproduced };
    writeFileSync(out, `${JSON.stringify(figures, null, 1)}\n`);
  } finally {
    await client.dispose();
  }
}

function builtModel(): string {
  const folder = join('dist', 'models');
  const [name = 'thoughtline-1'] = existsSync(folder) ? readdirSync(folder) : [];
  return join(folder, name);
}

function parsePart(name: string): Part {
  const part = parts.find((known) => known === name);
  if (part !== undefined) return part;
  throw new Error(`--only: expected ${parts.join(', ')}, found ${name}`);
}

function parseCount(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 2) return count;
  throw new Error(`--count: expected a whole number from 2, found ${text}`);
}

function readFigures(path: string): Figures {
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Figures) : {};
}

function say(text: string): void {
  process.stdout.write(text);
}
