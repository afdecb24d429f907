import { join } from 'node:path';
import { CompileClient } from '../compiler/compileClient.ts';
import type { CompileRequest } from '../compiler/compileRequest.ts';
import {
  type Architectures,
  conceptModelArchitectures,
  decoderArchitectures,
  encoderArchitectures,
} from '../model/architectures.ts';
import { type PartPrecisions, type Precision, precisions } from '../model/manifest.ts';
import { findLanguage } from '../text/languageNames.ts';
import {
  type Command,
  type OptionValues,
  requiredOption,
  textOption,
  textOptions,
  UsageError,
} from './command.ts';
import { reportEachTenth } from './model.ts';

/** The parts of `--precision`, by the words of the command line. */
const precisionParts: Readonly<Record<string, keyof PartPrecisions>> = {
  encoder: 'encoder',
  decoder: 'decoder',
  lcm: 'conceptModels',
};

/** `thoughtline compile`: checkpoints → a model folder. */
export const compileCommand: Command = {
  name: 'compile',
  summary: 'compile checkpoints to a model folder',
  help: `Usage: thoughtline compile --encoder F --decoder F --tokenizer F [--lcm NAME=F …] --out DIR
       thoughtline compile --lcm NAME=F [--lcm NAME=F …] --out DIR

Compiles checkpoints to ONNX and prints the manifest. The first form makes a model; the second an
add-on, which brings concept models to a model that is there already. Nothing is done when DIR
already holds the result of the same files and options.

  --encoder F      the text encoder
  --decoder F      the text decoder
  --tokenizer F    their SentencePiece model
  --entropy F      a byte entropy model, for a model that has one; needs --config
  --directions F   directions of the concept space, for steering, by their names; needs --config
  --lcm NAME=F     a concept model and the name that you give it; repeatable. With
                   NAME=F,config=F.json its hyper-parameters come from a file of its own, such as
                   the config.json of a SONAR-LLM
  --out DIR        the folder to make

Checkpoints are files of torch.save (.pt, .bin), safetensors, or the index.json of several of them.
Their names may be those of fairseq2, fairseq or Hugging Face's M2M100, SONAR-LLM or LCM. Official
files need nothing else: their architecture shows in the sizes of their weights. For others:

  --arch PART=NAME  the architecture of encoder, decoder or a concept model; repeatable
  --config F.json   hyper-parameters under the reference's names, and languages in the order of
                    their tokens (without them the 202 languages of SONAR):
                    {"encoder":{…},"decoder":{…},"entropy":{…},"lcm":{NAME:{…}},
                    "directions":[NAME,…],"tokenizer":{"langs":[…]}}
                    or the config.json of an M2M100

  --precision P     how linear layers hold their weights: ${precisions.join(', ')}; for all parts, or as
                    encoder=P,decoder=P,lcm=P
  --vocabulary-langs L,L…  the languages that the decoder is to write: codes, tags or names. Tokens
                    with characters of other scripts are left out, which makes it smaller and each
                    step shorter; it writes no other language, and no word in another script
  --name N          the model's name; without it that of the configuration or of DIR
  --space S         name of the concept space. Add-ons run with models of their space. It is
                    found for SONAR; a model of another kind is a space of its own

Architectures of encoders: ${names(encoderArchitectures)}
Architectures of decoders: ${names(decoderArchitectures)}
Architectures of concept models:
  ${names(conceptModelArchitectures, '\n  ')}`,
  options: {
    encoder: { type: 'string' },
    decoder: { type: 'string' },
    tokenizer: { type: 'string' },
    entropy: { type: 'string' },
    directions: { type: 'string' },
    lcm: { type: 'string', multiple: true },
    arch: { type: 'string', multiple: true },
    config: { type: 'string' },
    precision: { type: 'string' },
    'vocabulary-langs': { type: 'string' },
    name: { type: 'string' },
    space: { type: 'string' },
    out: { type: 'string' },
  },
  maxPositionals: 0,
  async run(values, _positionals, io) {
    const request = readRequest(values);
    const compiler = new CompileClient(join(__dirname, 'compileWorker.js'));
    const onProgress = reportEachTenth(io);
    await io.writeResult(await compiler.compile(request, { onProgress, signal: io.signal }));
    return true;
  },
};

function readRequest(values: OptionValues): CompileRequest {
  const outDir = requiredOption(values, 'out');
  const { files: lcms, configs: lcmConfigs } = readConceptModels(values);
  const codec = ['encoder', 'decoder', 'tokenizer'];
  const isModel = codec.some((name) => textOption(values, name) !== undefined);
  if (!isModel && Object.keys(lcms).length === 0) {
    throw new UsageError('--encoder, --decoder and --tokenizer, or --lcm, are required');
  }
  if (isModel) for (const name of codec) requiredOption(values, name);
  return {
    encoder: textOption(values, 'encoder'),
    decoder: textOption(values, 'decoder'),
    tokenizer: textOption(values, 'tokenizer'),
    entropy: textOption(values, 'entropy'),
    directions: textOption(values, 'directions'),
    config: textOption(values, 'config'),
    name: textOption(values, 'name'),
    space: textOption(values, 'space'),
    archs: readPairs('arch', 'PART=NAME', textOptions(values, 'arch')),
    precision: readPrecision(textOption(values, 'precision')),
    vocabularyLangs: readLanguages(textOption(values, 'vocabulary-langs')),
    lcms,
    lcmConfigs,
    outDir,
  };
}

/** Reads NAME=F and NAME=F,config=F.json. */
function readConceptModels(values: OptionValues) {
  const files: Record<string, string> = {};
  const configs: Record<string, string> = {};
  const given = readPairs('lcm', 'NAME=FILE', textOptions(values, 'lcm'));
  for (const [name, value] of Object.entries(given)) {
    const [, file = value, config] = /^(.+?),config=(.+)$/.exec(value) ?? [];
    files[name] = file;
    if (config !== undefined) configs[name] = config;
  }
  return { files, configs };
}

/** Reads one precision for all parts, or a list of pairs. */
function readPrecision(value: string | undefined): Precision | Partial<PartPrecisions> | undefined {
  if (value?.includes('=') !== true) return value === undefined ? value : precisionOf(value);
  const pairs = readPairs('precision', 'PART=P', value.split(','));
  return Object.fromEntries(
    Object.entries(pairs).map(([word, name]) => {
      const part = precisionParts[word];
      if (part === undefined) {
        const known = Object.keys(precisionParts).join(', ');
        throw new UsageError(`--precision: expected ${known}, found ${word}`);
      }
      return [part, precisionOf(name)];
    }),
  );
}

/** Reads a list of languages; what is none that we know may be one of the model's own. */
function readLanguages(value: string | undefined): string[] | undefined {
  return value?.split(',').map((name) => findLanguage(name) ?? name.trim());
}

function precisionOf(name: string): Precision {
  const precision = precisions.find((known) => known === name);
  if (precision !== undefined) return precision;
  throw new UsageError(`--precision: expected ${precisions.join(', ')}, found ${name}`);
}

/** Reads KEY=VALUE pairs. @throws UsageError when one is not a pair, or a key comes twice */
function readPairs(
  option: string,
  form: string,
  pairs: readonly string[],
): Readonly<Record<string, string>> {
  const values = new Map<string, string>();
  for (const pair of pairs) {
    const [, key, value] = /^([^=]+)=(.+)$/.exec(pair) ?? [];
    if (key === undefined || value === undefined) {
      throw new UsageError(`--${option}: expected ${form}, found ${pair}`);
    }
    if (values.has(key)) throw new UsageError(`--${option}: ${key} is given twice`);
    values.set(key, value);
  }
  return Object.fromEntries(values);
}

function names(architectures: Architectures, separator = ', '): string {
  return Object.keys(architectures).join(separator);
}
