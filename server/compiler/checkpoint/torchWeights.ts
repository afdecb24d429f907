import { CheckpointFormatError, CheckpointUnsupportedError } from '../../base/errors.ts';
import type { ByteSource } from './byteSource.ts';
import { InertObject, keyText, kindOf } from './pickle.ts';
import { showName } from './showValue.ts';
import type { StoredTensor } from './storedTensor.ts';
import { embeddingClass } from './torchGlobals.ts';
import { TorchTensor, UnsupportedTensor } from './torchTensor.ts';

/*
 * What a torch file holds besides the weights depends on who saved it: nothing, or the optimizer,
 * the scheduler, generators of random numbers, arguments.
 *
 *   { name: tensor, … }                                      a state dict alone
 *   { "model": { name: tensor, … }, "model_key": "model" }   fairseq2, LCM
 *   { "model_state_dict": { … }, "optimizer…": … }           SONAR-LLM
 *   { "state_dict": { … }, "embed_tokens": module }          SONAR before fairseq2
 */

/** Keys under which trainers keep the state dict. */
const wrapperKeys = ['model', 'state_dict', 'model_state_dict'] as const;

/** The module that old SONAR encoders keep beside the state dict. */
const embeddingKey = 'embed_tokens';

/** State dicts are flat; a trainer's nests them once or twice. */
const maxDepth = 8;

/** Values that are walked over: a state dict has a few thousand, an optimizer's state ten times. */
const maxValues = 1_000_000;

/** The longest names of models have fewer than 100; nesting may repeat a long one for each tensor. */
const maxNameLength = 1000;

/**
 * Returns the weights among the values of a torch file: the tensors of the state dict, those in
 * nested dicts under names joined with dots. Values that are not tensors are left aside.
 *
 * @throws CheckpointFormatError when there are none, or two of one name
 * @throws CheckpointUnsupportedError for tensors that we do not read
 */
export function findWeights(source: ByteSource, root: unknown): Map<string, StoredTensor> {
  if (!(root instanceof Map)) {
    throw new CheckpointFormatError(
      `${source.label}: expected a state dict, found ${kindOf(root)}`,
    );
  }
  const wrapped = wrapperKeys
    .filter((key) => root.get(key) instanceof Map)
    .map((key) => ({ key, weights: new WeightCollector(source).add('', root.get(key)) }))
    .filter(({ weights }) => weights.found.size > 0);
  if (wrapped.length > 1) {
    const keys = wrapped.map(({ key }) => key).join(' and ');
    throw new CheckpointUnsupportedError(`${source.label}: expected one state dict, found ${keys}`);
  }
  const weights = wrapped[0]?.weights ?? new WeightCollector(source).add('', root);
  if (wrapped.length > 0) weights.add(embeddingKey, embeddingOf(root));
  if (weights.found.size === 0) {
    throw new CheckpointFormatError(`${source.label}: expected tensors, found none`);
  }
  return weights.found;
}

/** Returns the module beside a state dict, or null. */
function embeddingOf(root: ReadonlyMap<unknown, unknown>): unknown {
  const value = root.get(embeddingKey);
  return isEmbedding(value) ? value : null;
}

/** Walks over values and keeps the tensors. */
class WeightCollector {
  readonly found = new Map<string, StoredTensor>();
  readonly #source: ByteSource;
  #numValues = 0;

  constructor(source: ByteSource) {
    this.#source = source;
  }

  add(name: string, value: unknown, depth = 0): this {
    this.#numValues += 1;
    if (this.#numValues > maxValues || depth > maxDepth) {
      throw new CheckpointFormatError(
        `${this.#source.label}: ${showName(name)}: expected at most ${maxValues} values ` +
          `in ${maxDepth} levels, found more`,
      );
    }
    if (name.length > maxNameLength) {
      throw new CheckpointFormatError(
        `${this.#source.label}: ${showName(name)}: expected a name of at most ${maxNameLength} ` +
          `letters, found ${name.length}`,
      );
    }
    if (value instanceof TorchTensor || value instanceof UnsupportedTensor) {
      if (this.found.has(name)) {
        throw new CheckpointFormatError(
          `${this.#source.label}: ${showName(name)}: expected one tensor of this name, found two`,
        );
      }
      this.found.set(name, storedTensor(this.#source, name, value));
      return this;
    }
    for (const [key, member] of members(value)) {
      this.add(name === '' ? keyText(key) : `${name}.${keyText(key)}`, member, depth + 1);
    }
    return this;
  }
}

/** Returns the values inside a value that may be tensors, with their names. */
function members(value: unknown): Iterable<[unknown, unknown]> {
  if (value instanceof Map) return value.entries();
  if (Array.isArray(value)) return value.entries();
  return isEmbedding(value) ? members(parametersOf(value)) : [];
}

function isEmbedding(value: unknown): value is InertObject {
  return value instanceof InertObject && value.className === embeddingClass;
}

/** The parameters of a module. reference: torch.nn.Module._parameters */
function parametersOf({ state }: InertObject): unknown {
  return state instanceof Map ? state.get('_parameters') : null;
}

function storedTensor(
  source: ByteSource,
  name: string,
  tensor: TorchTensor | UnsupportedTensor,
): StoredTensor {
  if (tensor instanceof UnsupportedTensor) {
    throw new CheckpointUnsupportedError(
      `${source.label}: ${showName(name)}: expected a dense tensor, found one of ${tensor.rebuild}`,
    );
  }
  const { storage, storageOffset, shape, strides } = tensor.fields;
  const { type, name: storageName, elementBytes } = storage.storageType;
  if (type === null) {
    throw new CheckpointUnsupportedError(
      `${source.label}: ${showName(name)}: expected numbers of a model, found ${storageName}`,
    );
  }
  const byteOffset = storage.entry.byteOffset + storageOffset * elementBytes;
  return { source, type, shape, strides, byteOffset };
}
