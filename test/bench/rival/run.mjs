// Runs transformers.js in a process of its own, as a user would: `fullSize/transformersJs.bench.ts`
// forks it and sends it one task after another.
//
//   node run.mjs PACKAGE MODEL   the folder that transformers.js is installed in, and the model's
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const [packageFolder, modelFolder] = process.argv.slice(2).map((path) => resolve(path));
const entry = createRequire(join(packageFolder, 'package.json')).resolve(
  '@huggingface/transformers',
);
const { AutoModel, M2M100ForConditionalGeneration, PretrainedConfig, Tensor, env, mean_pooling } =
  await import(pathToFileURL(entry));
env.allowRemoteModels = false;
env.localModelPath = dirname(modelFolder);

const config = JSON.parse(readFileSync(join(modelFolder, 'config.json'), 'utf8'));
const models = new Map();

/** What a task does; it is repeated by whoever measures. */
const tasks = {
  /** Sentences to embeddings: the encoder and the mean over tokens. */
  async encode({ dtype, rows, tokens }) {
    const encoder = await load(`encoder ${dtype}`, () =>
      AutoModel.from_pretrained(basename(modelFolder), {
        // A type of one session; the whole model would load its decoder as well.
        config: new PretrainedConfig({ ...config, model_type: 'm2m_100_encoder' }),
        model_file_name: 'encoder_model',
        use_external_data_format: true,
        dtype,
      }),
    );
    const ids = integers([rows, tokens], (i) => 4 + ((7919 * i) % 250_000));
    const mask = integers([rows, tokens], () => 1);
    const { last_hidden_state } = await encoder({ input_ids: ids, attention_mask: mask });
    return mean_pooling(last_hidden_state, mask).dims;
  },

  /** One vector per sentence to tokens, greedily: it has no beams. */
  async decode({ dtype, rows, tokens }) {
    const model = await load(`decoder ${dtype}`, async () => {
      const loaded = await M2M100ForConditionalGeneration.from_pretrained(basename(modelFolder), {
        use_external_data_format: true,
        dtype,
      });
      // It decodes a vector that is there already, instead of what its encoder says.
      loaded.forward_params = [...loaded.forward_params, 'encoder_outputs'];
      return loaded;
    });
    const vectors = new Float32Array(rows * config.d_model).map((_, i) => 0.01 * Math.sin(i));
    const sequences = await model.generate({
      encoder_outputs: new Tensor('float32', vectors, [rows, 1, config.d_model]),
      input_ids: integers([rows, 1], () => 4),
      attention_mask: integers([rows, 1], () => 1),
      decoder_start_token_id: 2,
      eos_token_id: null,
      max_new_tokens: tokens,
    });
    return sequences.dims;
  },
};

process.on('message', async ({ name, ...options }) => {
  try {
    process.send({ dims: await tasks[name](options) });
  } catch (error) {
    process.send({ error: String(error?.stack ?? error) });
  }
});
process.send({ dims: [] });

async function load(key, open) {
  if (!models.has(key)) models.set(key, await open());
  return models.get(key);
}

function integers(shape, valueAt) {
  const length = shape.reduce((a, b) => a * b);
  return new Tensor(
    'int64',
    BigInt64Array.from({ length }, (_, i) => BigInt(valueAt(i))),
    shape,
  );
}
