import type { TowerEntry } from '../../model/manifest.ts';
import { tensor } from '../../tensor/tensor.ts';
import { concatenate, splitRows } from '../../tensor/vector.ts';
import type { CarriedTensor, GraphSession, slotLcmSignature } from '../graphSession.ts';
import { CachedTower } from './cachedTower.ts';
import type { GuidedPredictions } from './diffusion.ts';

/** What a slot is asked: all rows have the same condition and share one context. */
export interface SlotStep {
  /** What the slots hold, [E] each. */
  slots: readonly Float32Array[];
  /** How clean they are: the timestep, or the number of centroids. */
  condition: number;
  /** Whether it must also predict without context. */
  isGuided: boolean;
}

/**
 * The tower of One-Tower and Quant-LCM: clean concepts run once and leave their keys and values,
 * beside which the slots of all candidates run as one batch.
 */
export class SlotTower {
  readonly #graph: GraphSession<typeof slotLcmSignature>;
  readonly #tower: CachedTower;

  /** @param cleanCondition  the condition of clean concepts */
  constructor(
    entry: TowerEntry,
    graph: GraphSession<typeof slotLcmSignature>,
    cleanCondition: number,
  ) {
    this.#graph = graph;
    this.#tower = new CachedTower(entry, async (embeddings, pastKeyValues) => {
      const { present_key_values } = await graph.run(
        {
          sentence_embedding: rowsTensor([embeddings]),
          condition: conditionTensor(cleanCondition, 1),
          is_conditional: tensor('float32', [1], Float32Array.of(1)),
          past_key_values: pastKeyValues,
        },
        ['present_key_values'],
      );
      return { outputs: [], presentKeyValues: present_key_values };
    });
  }

  /**
   * Reads a context.
   *
   * @param context  clean concepts in the tower's space, [E] each
   * @returns what the slots after it are run with, until another context is read
   */
  async readContext(
    context: readonly Float32Array[],
    signal?: AbortSignal,
  ): Promise<(step: SlotStep) => Promise<GuidedPredictions>> {
    const keyValues = await this.#tower.keyValues(context, signal);
    return (step) => this.#runSlots(step, keyValues);
  }

  async dispose(): Promise<void> {
    this.#tower.dispose();
    await this.#graph.dispose();
  }

  /** Runs N rows with context, and as many without when guided. */
  async #runSlots(
    { slots, condition, isGuided }: SlotStep,
    keyValues: CarriedTensor<'float32'>,
  ): Promise<GuidedPredictions> {
    const count = slots.length;
    const rows = isGuided ? [...slots, ...slots] : slots;
    const { prediction } = await this.#graph.run(
      {
        sentence_embedding: rowsTensor(rows.map((slot) => [slot])),
        condition: conditionTensor(condition, rows.length),
        is_conditional: tensor(
          'float32',
          [rows.length],
          new Float32Array(rows.length).fill(1, 0, count),
        ),
        past_key_values: keyValues,
      },
      ['prediction'],
    );
    const predictions = splitRows(prediction.data, prediction.shape[2] as number);
    return { conditional: predictions.slice(0, count), unconditional: predictions.slice(count) };
  }
}

/** Joins sequences of equal length, [N, S, E]. */
function rowsTensor(sequences: readonly (readonly Float32Array[])[]) {
  const [first = []] = sequences;
  const shape = [sequences.length, first.length, first[0]?.length ?? 0];
  return tensor('float32', shape, concatenate(sequences.flat()));
}

function conditionTensor(condition: number, rows: number) {
  return tensor('int64', [rows], new BigInt64Array(rows).fill(BigInt(condition)));
}
