import { join } from 'node:path';
import { InvalidRequestError } from '../base/errors.ts';
import { InferenceClient } from '../inference/client.ts';
import type { Inference, LoadedModel } from '../inference/inference.ts';
import { openModelStore } from '../models.ts';
import { type CommandIo, type OptionValues, textOption } from './command.ts';

/**
 * Runs `body` with a loaded model, and lets the model go afterwards.
 *
 * @param folder  a compiled model; undefined means the built-in one, compiled first if needed
 */
export async function withModel<T>(
  folder: string | undefined,
  io: CommandIo,
  body: (parts: { inference: Inference; model: LoadedModel }) => Promise<T>,
): Promise<T> {
  const { folder: modelFolder, addOns } = await openModelStore(undefined).prepare(folder ?? '', {
    onProgress: reportEachTenth(io),
    signal: io.signal,
  });
  const inference = new InferenceClient(join(__dirname, 'inferenceWorker.js'));
  try {
    const model = await inference.load(modelFolder, { addOns }, io.signal);
    return await body({ inference, model });
  } finally {
    await inference.dispose();
  }
}

/** Returns the language that `--lang` names, or the model's own. */
export function langOption(values: OptionValues, model: LoadedModel): string {
  const lang = textOption(values, 'lang') ?? model.defaultLang;
  if (!model.langs.includes(lang)) {
    const known = model.langs.slice(0, 10).join(', ');
    const more = model.langs.length > 10 ? ', …' : '';
    throw new InvalidRequestError(`--lang: expected ${known}${more}, found ${lang}`);
  }
  return lang;
}

/** Tells progress in steps that a person can read. */
export function reportEachTenth(io: CommandIo): (fraction: number, label: string) => void {
  let told = -1;
  return (fraction, label) => {
    const tenth = Math.floor(fraction * 10);
    if (tenth === told) return;
    told = tenth;
    io.writeMessage(`${label}: ${tenth * 10} %`);
  };
}
