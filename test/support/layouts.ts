import type { WeightSource } from '../../server/compiler/onnx/weights.ts';
import { elementCount } from '../../server/tensor/tensor.ts';

/*
 * Checkpoints in the layouts that others give them, made from ours. Written out here on its own,
 * so that a mistake in the tables of the compiler cannot hide in a mistake of the same tables.
 */

/** Named tensors in memory. */
export type Tensors = ReadonlyMap<string, { shape: readonly number[]; values: Float32Array }>;

/** The rows of our tables of tokens in the order of Hugging Face and fairseq: `<s>` first. */
const otherFirstRows = [2, 0, 3, 1];

/** Returns everything that a source holds. */
export function tensorsOf(source: WeightSource): Tensors {
  return new Map(
    source
      .names()
      .map((name) => [name, { shape: source.shape(name), values: source.read(name) }] as const),
  );
}

/** Returns tensors as a checkpoint. */
export function weightsOf(label: string, tensors: Tensors): WeightSource {
  const tensor = (name: string) => {
    const found = tensors.get(name);
    if (found === undefined) throw new Error(`${name}: expected to be there`);
    return found;
  };
  return {
    label,
    names: () => [...tensors.keys()],
    has: (name) => tensors.has(name),
    shape: (name) => tensor(name).shape,
    type: () => 'float32',
    read: (name) => tensor(name).values.slice(),
    readRows: (name, firstRow, rowCount) => {
      const { shape, values } = tensor(name);
      const rowSize = elementCount(shape.slice(1));
      return values.slice(firstRow * rowSize, (firstRow + rowCount) * rowSize);
    },
  };
}

/** Returns the tensors with other names; those that `rename` gives several are copied. */
export function renamed(tensors: Tensors, rename: (name: string) => string | string[]): Tensors {
  return new Map(
    [...tensors].flatMap(([name, value]) =>
      [rename(name)].flat().map((other) => [other, value] as const),
    ),
  );
}

/** Returns the tensors of an encoder or a decoder as Hugging Face's M2M100 would hold them. */
export function asM2m100(
  tensors: Tensors,
  { prefix, embed }: { prefix: string; embed: readonly string[] },
): Tensors {
  return renamed(withOtherFirstRows(tensors), (name) => {
    if (name.endsWith('_frontend.embed.weight')) return [...embed];
    if (name === 'final_proj.weight') return 'lm_head.weight';
    return `${prefix}${fairseqName(name)}`;
  });
}

/** Returns the tensors of an encoder or a decoder as fairseq saved them. */
export function asFairseq(tensors: Tensors, prefix: string): Tensors {
  const files = renamed(withOtherFirstRows(tensors), (name) => {
    if (name.endsWith('_frontend.embed.weight')) return `${prefix}embed_tokens.weight`;
    if (name === 'final_proj.weight') return `${prefix}output_projection.weight`;
    return `${prefix}${fairseqName(name)}`;
  });
  return new Map([
    ...files,
    [`${prefix}version`, vector([3])],
    [`${prefix}embed_positions._float_tensor`, vector([1])],
  ]);
}

/** Returns a tensor of one dimension. */
export function vector(values: readonly number[]) {
  return { shape: [values.length], values: Float32Array.from(values) };
}

function fairseqName(name: string): string {
  return name
    .replace(/^(encoder|decoder)\./, '')
    .replace('encoder_decoder_attn', 'encoder_attn')
    .replace('attn.output_proj', 'attn.out_proj')
    .replace('ffn.inner_proj', 'fc1')
    .replace('ffn.output_proj', 'fc2')
    .replace('ffn_layer_norm', 'final_layer_norm');
}

function withOtherFirstRows(tensors: Tensors): Tensors {
  return new Map(
    [...tensors].map(([name, { shape, values }]) => {
      if (!/embed\.weight$|^final_proj\.weight$/.test(name)) return [name, { shape, values }];
      const rowSize = elementCount(shape.slice(1));
      const moved = values.slice();
      for (const [row, from] of otherFirstRows.entries()) {
        moved.set(values.subarray(from * rowSize, (from + 1) * rowSize), row * rowSize);
      }
      return [name, { shape, values: moved }];
    }),
  );
}
