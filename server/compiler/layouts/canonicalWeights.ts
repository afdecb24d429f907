import { WeightMismatchError } from '../../base/errors.ts';
import type { WeightSource } from '../onnx/weights.ts';
import { fairseqDecoder, fairseqEncoder } from './fairseq.ts';
import { fairseq2Decoder, fairseq2Encoder } from './fairseq2.ts';
import { type KeyPattern, type Layout, matchesAny, type Part, rewrite } from './layout.ts';
import { lcm } from './lcm.ts';
import { m2m100Decoder, m2m100Encoder } from './m2m100.ts';
import { type RenamedTensor, RenamedWeights } from './renamedWeights.ts';
import { sonarLlm } from './sonarLlm.ts';
import { areEqual, isZero } from './tiedTensors.ts';

/** The layouts of each part; the first that is recognised counts. */
const layouts: Readonly<Record<Part, readonly Layout[]>> = {
  encoder: [fairseq2Encoder, fairseqEncoder, m2m100Encoder],
  decoder: [fairseq2Decoder, fairseqDecoder, m2m100Decoder],
  entropy: [lcm],
  conceptModel: [sonarLlm, lcm],
};

const partNames: Readonly<Record<Part, string>> = {
  encoder: 'an encoder',
  decoder: 'a decoder',
  entropy: 'an entropy model',
  conceptModel: 'a concept model',
};

/** Tables whose rows are tokens, which the layouts count differently. */
const vocabularyTables: readonly KeyPattern[] = [
  'encoder_frontend.embed.weight',
  'decoder_frontend.embed.weight',
  'final_proj.weight',
];

/** The table of tokens that a decoder reads, and the one it writes with; usually tied. */
const decoderTables = {
  embed: 'decoder_frontend.embed.weight',
  projection: 'final_proj.weight',
} as const;

/** What data-parallel training and compiled modules put into names. */
const wrappers = /(?<=^|\.)(module|_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module)\./g;

/**
 * Returns a checkpoint under the canonical names, those of fairseq2, whatever layout it has. It
 * is a view: numbers are read when they are asked for, except of copies that may be tied, which
 * are compared here.
 *
 * Keys that the layout knows and does not need are not in the view; keys that it does not know
 * are, under their own names, so that the network that is built refuses them.
 *
 * @throws WeightMismatchError when the names are of no layout we know, copies that must be equal
 *   are not, or something is not zero that must be
 */
export function canonicalWeights(source: WeightSource, part: Part): WeightSource {
  const keys = source.names().map((key) => [key, key.replaceAll(wrappers, '')] as const);
  const layout = findLayout(source, part, keys);
  const tensors = new Map<string, RenamedTensor>();
  for (const [key, bare] of keys) {
    const name = canonicalName(bare, layout);
    if (name === null) continue;
    if (matchesAny(name, layout.zeros ?? [])) {
      requireZero(source, key);
      continue;
    }
    const other = tensors.get(name);
    if (other === undefined) {
      const isTable = matchesAny(name, vocabularyTables);
      tensors.set(name, { key, firstRows: (isTable && layout.firstRows) || null });
    } else if (!areEqual(source, other.key, key)) {
      throw new WeightMismatchError(
        `${source.label}: ${key}: expected the numbers of ${other.key}, found others`,
      );
    }
  }
  if (part === 'decoder') tieProjection(source, tensors);
  return new RenamedWeights(source, tensors, (name) => keyOfName(name, layout));
}

/** @throws WeightMismatchError when the names are of no layout we know */
function findLayout(
  source: WeightSource,
  part: Part,
  keys: readonly (readonly [key: string, bare: string])[],
): Layout {
  const layout = layouts[part].find(({ prefixes, marks }) =>
    keys.some(([, bare]) => withoutPrefix(bare, prefixes).some((key) => matchesAny(key, marks))),
  );
  if (layout !== undefined) return layout;
  const known = layouts[part].map(({ name }) => name).join(', ');
  const shown = keys.slice(0, 3).map(([key]) => key);
  throw new WeightMismatchError(
    `${source.label}: expected the weights of ${partNames[part]} ` +
      `(names of ${known}), found ${shown.join(', ') || 'none'}`,
  );
}

/** @returns the canonical name, the key itself when nobody knows it, null when it is left aside */
function canonicalName(key: string, { prefixes, leftAside, renames }: Layout): string | null {
  for (const rest of withoutPrefix(key, prefixes)) {
    if (matchesAny(rest, leftAside)) return null;
    for (const [from, to] of renames) {
      const name = rewrite(rest, from, to);
      if (name !== null) return name;
    }
  }
  return key;
}

/** Returns what a key is without each of the prefixes that it has. */
function withoutPrefix(key: string, prefixes: readonly string[]): string[] {
  return prefixes
    .filter((prefix) => key.startsWith(prefix))
    .map((prefix) => key.slice(prefix.length));
}

/** Returns what a tensor is called in a layout, without what may stand before it. */
function keyOfName(name: string, { renames }: Layout): string {
  for (const [from, to] of renames) {
    const key = rewrite(name, to, from);
    if (key !== null) return key;
  }
  return name;
}

/** Makes one table of two equal ones; one table serves both purposes. */
function tieProjection(source: WeightSource, tensors: Map<string, RenamedTensor>): void {
  const embed = tensors.get(decoderTables.embed);
  const projection = tensors.get(decoderTables.projection);
  if (projection === undefined) return;
  if (embed === undefined) {
    tensors.delete(decoderTables.projection);
    tensors.set(decoderTables.embed, projection);
  } else if (areEqual(source, embed.key, projection.key)) {
    tensors.delete(decoderTables.projection);
  }
}

function requireZero(source: WeightSource, key: string): void {
  if (isZero(source, key)) return;
  throw new WeightMismatchError(
    `${source.label}: ${key}: expected zeros, which we leave aside, found other numbers`,
  );
}
