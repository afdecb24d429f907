import {
  type Architectures,
  conceptModelArchitectures,
  decoderArchitectures,
  encoderArchitectures,
} from '../../model/architectures.ts';
import type { SonarDecoderConfig, SonarEncoderConfig } from '../../model/config.ts';
import { Fields } from '../../model/fields.ts';
import { parseConceptModelConfig } from '../../model/parseConceptModelConfig.ts';
import { configErrors, parseDecoderConfig, parseEncoderConfig } from '../../model/parseConfig.ts';
import type { WeightSource } from '../onnx/weights.ts';
import { type Facts, factsOfConceptModel, factsOfConfig } from './conceptModelFacts.ts';
import { layerCount, shapeOf } from './shapes.ts';

/*
 * The architecture of a checkpoint, from the names and shapes of its tensors; no number is read.
 * Weights do not tell everything: heads, lengths and noise schedules are known only of the
 * architectures that are registered.
 */

export interface FoundArchitecture {
  /** The registered architecture of these sizes, or null when there is none. */
  arch: string | null;
  /** What the weights tell, under the reference's names: for errors, and for `fields`. */
  facts: Facts;
  /** The same as fields of a configuration, as far as it can be one. */
  fields: object;
}

/** @throws WeightMismatchError when a tensor is missing that every encoder has */
export function findEncoder(weights: WeightSource): FoundArchitecture {
  const { facts, fields } = sonarFacts(weights, 'encoder');
  const arch = findRegistered(facts, encoderArchitectures, (registered) =>
    factsOfEncoder(parseEncoderConfig(registered)),
  );
  return { arch, facts, fields };
}

/** @throws WeightMismatchError when a tensor is missing that every decoder has */
export function findDecoder(weights: WeightSource): FoundArchitecture {
  const sonar = sonarFacts(weights, 'decoder');
  const crossAttention = 'decoder.layers.0.encoder_decoder_attn';
  const [, inputDim] = shapeOf(weights, `${crossAttention}.v_proj.weight`, 2);
  const facts = { ...sonar.facts, input_dim: inputDim };
  const arch = findRegistered(facts, decoderArchitectures, (registered) =>
    factsOfDecoder(parseDecoderConfig(registered)),
  );
  return { arch, facts, fields: { ...sonar.fields, input_dim: inputDim } };
}

/** @throws WeightMismatchError when a tensor is missing that every model of the family has */
export function findConceptModel(weights: WeightSource): FoundArchitecture {
  const facts = factsOfConceptModel(weights);
  const registered = (fields: Fields) => factsOfConfig(parseConceptModelConfig(fields, []));
  const arch = findRegistered(facts, conceptModelArchitectures, registered);
  return { arch, facts, fields: {} };
}

function sonarFacts(weights: WeightSource, part: 'encoder' | 'decoder') {
  const [size, modelDim] = shapeOf(weights, `${part}_frontend.embed.weight`, 2);
  const layers = `${part}.layers`;
  const [innerDim] = shapeOf(weights, `${layers}.0.ffn.inner_proj.weight`, 2);
  const fields = {
    model_dim: modelDim,
    [`num_${part}_layers`]: layerCount(weights, layers),
    ffn_inner_dim: innerDim,
  };
  const facts: Facts = { ...fields, 'vocab_info.size': size };
  return { facts, fields: { ...fields, vocab_info: { size } } };
}

function factsOfEncoder(config: SonarEncoderConfig): Facts {
  return {
    model_dim: config.modelDim,
    num_encoder_layers: config.numEncoderLayers,
    ffn_inner_dim: config.ffnInnerDim,
    'vocab_info.size': config.vocabInfo.size,
  };
}

function factsOfDecoder(config: SonarDecoderConfig): Facts {
  return {
    model_dim: config.modelDim,
    num_decoder_layers: config.numDecoderLayers,
    ffn_inner_dim: config.ffnInnerDim,
    'vocab_info.size': config.vocabInfo.size,
    input_dim: config.inputDim ?? config.modelDim,
  };
}

/** Returns the name of the architecture with the same facts, or null. */
function findRegistered(
  facts: Facts,
  architectures: Architectures,
  registered: (fields: Fields) => Facts,
): string | null {
  const names = Object.keys(facts);
  const found = Object.keys(architectures).find((arch) => {
    const known = registered(new Fields({ arch }, arch, configErrors));
    const isKnown = Object.keys(known).length === names.length && names.length > 0;
    return isKnown && names.every((name) => known[name] === facts[name]);
  });
  return found ?? null;
}
