import { type ModelManifest, shortlistSize } from '../model/manifest.ts';
import { tensor } from '../tensor/tensor.ts';
import { cosine, splitRows } from '../tensor/vector.ts';
import { DecoderSteps } from './decoderSteps.ts';
import type { DecoderVocabulary } from './decoderVocabulary.ts';
import { cpuDevice, type Device } from './devices.ts';
import { encoderSignature, prepareSignature, stepSignature } from './graphSession.ts';
import { OnnxSession } from './session.ts';

/*
 * A trial of a device: the model's own encoder and decoder compute the same there and on the
 * processor. The input is fixed, so that only the device can make a difference.
 */

/** What a trial found. */
export interface Trial {
  /** The smallest cosine between an embedding of the device and the processor's. */
  cosine: number;
  /** Largest difference of a likely token's log-probability. */
  logProbError: number;
  /** Time to encode and write on the device, after a first run. */
  deviceMs: number;
  /** The same on the processor. */
  cpuMs: number;
}

/** Sentences of the trial, and hypotheses of each step. */
const rows = 2;
/** Tokens of a sentence; the last row has half of them and padding. */
const sourceTokens = 12;
/** Steps of the decoder. */
const steps = 6;
/** Likely tokens that are compared. */
const topCount = 5;
/** Below it are control symbols, in all our vocabularies. */
const firstPiece = 4;
/** The fastest of so many runs counts, unless the time is up. */
const timedRuns = 3;
const timedRunsMs = 1500;
/** A first run includes the compilation of kernels, but one that takes so long needs no second. */
const hopelessMs = 5000;

interface Readings {
  embeddings: Float32Array[];
  /** log p of the likely tokens at every step. */
  logProbs: number[];
}

/**
 * Compares a device with the processor.
 *
 * @throws SessionError when a graph cannot be opened or run there
 */
export async function tryDevice(
  folder: string,
  manifest: ModelManifest,
  device: Device,
): Promise<Trial> {
  const [found, deviceMs] = await measure(folder, manifest, device);
  const [expected, cpuMs] = await measure(folder, manifest, cpuDevice);
  const cosines = found.embeddings.map((embedding, i) =>
    cosine(embedding, expected.embeddings[i] as Float32Array),
  );
  const errors = found.logProbs.map((value, i) => Math.abs(value - (expected.logProbs[i] ?? NaN)));
  return {
    cosine: Math.min(...cosines),
    logProbError: Math.max(...errors),
    deviceMs,
    cpuMs,
  };
}

async function measure(
  folder: string,
  { encoder, decoder }: ModelManifest,
  { executionProviders, keepsTensors }: Device,
): Promise<[Readings, number]> {
  const options = { executionProviders, keepsTensors };
  const opened: { dispose(): Promise<void> }[] = [];
  const open: typeof OnnxSession.create = async (...args) => {
    const session = await OnnxSession.create(...args);
    opened.push(session);
    return session;
  };
  try {
    const graphs = {
      encoder: await open(folder, encoder.graph, 'encoder', encoderSignature, options),
      prepare: await open(folder, decoder.prepare, 'decoder prepare', prepareSignature, options),
      step: await open(folder, decoder.step, 'decoder step', stepSignature, options),
    };
    const run = async (): Promise<Readings> => {
      const embeddings = await encode(graphs.encoder, Math.min(sourceTokens, encoder.maxSeqLen));
      return { embeddings, logProbs: await write(graphs, decoder, embeddings) };
    };
    const begin = performance.now();
    const readings = await run();
    const times = [performance.now() - begin];
    const end = performance.now() + ((times[0] ?? 0) > hopelessMs ? 0 : timedRunsMs);
    while (times.length <= timedRuns && performance.now() < end) {
      const start = performance.now();
      await run();
      times.push(performance.now() - start);
    }
    return [readings, Math.min(...times)];
  } finally {
    for (const session of opened) await session.dispose();
  }
}

async function encode(
  graph: OnnxSession<typeof encoderSignature>,
  length: number,
): Promise<Float32Array[]> {
  const shape = [rows, length];
  const inputIds = BigInt64Array.from({ length: rows * length }, (_, i) => BigInt(tokenAt(i)));
  const attentionMask = new BigInt64Array(rows * length).fill(1n); // [N, S]
  const padding = rows * length - Math.floor(length / 2);
  inputIds.fill(0n, padding);
  attentionMask.fill(0n, padding);
  const { sentence_embedding } = await graph.run(
    {
      input_ids: tensor('int64', shape, inputIds),
      attention_mask: tensor('int64', shape, attentionMask),
    },
    ['sentence_embedding'],
  );
  return splitRows(sentence_embedding.data, sentence_embedding.shape[1] ?? 0);
}

/** Feeds fixed tokens and reorders the rows, so that the cache is read in every way. */
async function write(
  graphs: Parameters<typeof DecoderSteps.start>[0],
  decoder: ModelManifest['decoder'],
  embeddings: readonly Float32Array[],
): Promise<number[]> {
  // Any tokens of the graph will do, so a shortlist need not be read.
  const size = decoder.shortlist ? shortlistSize(decoder.shortlist) : decoder.vocabSize;
  const vocabulary: DecoderVocabulary = {
    size,
    placeOf: (id) => id % size,
    idsOf: (places) => places,
  };
  const decoding = await DecoderSteps.start(graphs, { entry: decoder, vocabulary }, embeddings, 1);
  try {
    const logProbs: number[] = [];
    const { eosIdx } = decoder.vocabInfo;
    logProbs.push(...(await decoding.first(eosIdx, eosIdx)));
    for (let step = 0; step < Math.min(steps, decoder.maxSeqLen - 1); step++) {
      const tokens = embeddings.map((_, row) => tokenAt(step * rows + row));
      const parents = embeddings.map((_, row) => (step % 2 === 0 ? row : (row + 1) % rows));
      const { topLogProbs } = await decoding.next(tokens, parents, topCount);
      logProbs.push(...topLogProbs);
    }
    return logProbs;
  } finally {
    decoding.dispose();
  }
}

/** Returns a token that every vocabulary has. */
function tokenAt(index: number): number {
  return firstPiece + ((index * 7) % 16);
}
