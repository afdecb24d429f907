import { join } from 'node:path';
import { CompileClient } from '../compiler/compileClient.ts';
import { precisions } from '../model/manifest.ts';
import { type Command, choiceOption, requiredOption, UsageError } from './command.ts';
import { reportEachTenth } from './model.ts';

/** `thoughtline compile`: checkpoints → a model folder. */
export const compileCommand: Command = {
  name: 'compile',
  summary: 'compile checkpoints to a model folder',
  help: `Usage: thoughtline compile --encoder F --decoder F [--lcm NAME=F …] --tokenizer F
                           --config F.json [--precision P] --out DIR

Compiles safetensors checkpoints of SONAR's architecture to ONNX and prints the manifest.
Nothing is done when DIR already holds the model of the same files.

  --encoder F      checkpoint of the encoder
  --decoder F      checkpoint of the decoder
  --lcm NAME=F     checkpoint of a concept model, Base-LCM or Two-Tower, and its name; repeatable
  --tokenizer F    the SentencePiece model
  --config F.json  hyper-parameters under the reference's field names:
                   {"encoder":{…},"decoder":{…},"lcm":{NAME:{…}},"tokenizer":{"langs":[…]}}
  --precision P    of the linear layers: int8 (default), int4, fp16 or fp32
  --out DIR        the model folder to make`,
  options: {
    encoder: { type: 'string' },
    decoder: { type: 'string' },
    lcm: { type: 'string', multiple: true },
    tokenizer: { type: 'string' },
    config: { type: 'string' },
    precision: { type: 'string' },
    out: { type: 'string' },
  },
  maxPositionals: 0,
  async run(values, _positionals, io) {
    const request = {
      encoder: requiredOption(values, 'encoder'),
      decoder: requiredOption(values, 'decoder'),
      tokenizer: requiredOption(values, 'tokenizer'),
      config: requiredOption(values, 'config'),
      outDir: requiredOption(values, 'out'),
      lcms: namedFiles(values['lcm']),
      precision: choiceOption(values, 'precision', precisions) ?? 'int8',
    } as const;
    const compiler = new CompileClient(join(__dirname, 'compileWorker.js'));
    const onProgress = reportEachTenth(io);
    await io.writeResult(await compiler.compile(request, { onProgress, signal: io.signal }));
    return true;
  },
};

/** Reads NAME=FILE pairs. @throws UsageError when one is not a pair, or a name comes twice */
function namedFiles(pairs: string | boolean | readonly string[] | undefined) {
  const files: Record<string, string> = {};
  for (const pair of Array.isArray(pairs) ? pairs : []) {
    const [, name, file] = /^([^=]+)=(.+)$/.exec(pair) ?? [];
    if (name === undefined || file === undefined) {
      throw new UsageError(`--lcm: expected NAME=FILE, found ${pair}`);
    }
    if (Object.hasOwn(files, name)) throw new UsageError(`--lcm: ${name} is given twice`);
    files[name] = file;
  }
  return files;
}
