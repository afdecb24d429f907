import { CheckpointUnsupportedError } from '../base/errors.ts';
import {
  type Architectures,
  conceptModelArchitectures,
  decoderArchitectures,
  encoderArchitectures,
} from '../model/architectures.ts';
import type {
  ConceptModelConfig,
  SonarDecoderConfig,
  SonarEncoderConfig,
} from '../model/config.ts';
import type { Fields } from '../model/fields.ts';
import { parseConceptModelConfig } from '../model/parseConceptModelConfig.ts';
import { parseDecoderConfig, parseEncoderConfig } from '../model/parseConfig.ts';
import type { GivenConfig } from './givenConfig.ts';
import {
  type FoundArchitecture,
  findConceptModel,
  findDecoder,
  findEncoder,
} from './layouts/findArchitecture.ts';
import type { WeightSource } from './onnx/weights.ts';

/*
 * The hyper-parameters of one part, from what is given and from its weights. In this order:
 *
 *   1. fields of the configuration
 *   2. the architecture that is named, in the request or else in the configuration
 *   3. without a name, the registered architecture that has these names and shapes
 *   4. what names and shapes tell by themselves
 */

/**
 * @throws CheckpointUnsupportedError when the weights do not tell enough, or more is asked for
 *   than we build
 * @throws CheckpointFormatError when a field is malformed
 * @throws WeightMismatchError when a tensor is missing that every encoder has
 */
export function configureEncoder(weights: WeightSource, given: GivenConfig): SonarEncoderConfig {
  const heads = 'num_encoder_attn_heads';
  return parseEncoderConfig(
    withFound(weights, given, findEncoder, { heads, registered: encoderArchitectures }),
  );
}

/** @throws as `configureEncoder` */
export function configureDecoder(weights: WeightSource, given: GivenConfig): SonarDecoderConfig {
  const heads = 'num_decoder_attn_heads';
  return parseDecoderConfig(
    withFound(weights, given, findDecoder, { heads, registered: decoderArchitectures }),
  );
}

/** @throws as `configureEncoder` */
export function configureConceptModel(
  weights: WeightSource,
  given: GivenConfig,
): ConceptModelConfig {
  const registered = conceptModelArchitectures;
  const fields = withFound(weights, given, findConceptModel, { heads: null, registered });
  return parseConceptModelConfig(fields, weights.names());
}

/**
 * Returns the fields with what else is known beneath them.
 *
 * @param heads  the field that a configuration must have when no architecture is known; null when
 *   any field shows that somebody has thought about it
 */
function withFound(
  weights: WeightSource,
  { fields, arch }: GivenConfig,
  find: (weights: WeightSource) => FoundArchitecture,
  { heads, registered }: { heads: string | null; registered: Architectures },
): Fields {
  if (arch !== undefined) return fields.with({ arch });
  if (fields.has('arch')) return fields;
  const found = find(weights);
  if (found.arch !== null) return fields.over({ arch: found.arch });
  if (heads === null ? fields.keys().length > 0 : fields.has(heads)) {
    return fields.over(found.fields);
  }
  const facts = Object.entries(found.facts).map(([name, value]) => `${name} ${value}`);
  throw new CheckpointUnsupportedError(
    `${weights.label}: expected the sizes of an architecture we know ` +
      `(${Object.keys(registered).join(', ')}), found ${facts.join(', ') || 'other weights'}; ` +
      'what weights do not tell, such as the number of attention heads, must be said with ' +
      '--config, or the architecture be named with --arch',
  );
}
