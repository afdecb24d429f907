import { join } from 'node:path';
import { InvalidRequestError } from '../base/errors.ts';
import { InferenceClient } from '../inference/client.ts';
import type { Inference, LoadedModel } from '../inference/inference.ts';
import { type DeviceChoice, deviceNames } from '../model/device.ts';
import { openModelStore } from '../models.ts';
import type { PreparedModel } from '../store/modelStore.ts';
import { findLanguageAmong } from '../text/languageNames.ts';
import { type CommandIo, choiceOption, type OptionValues, textOption } from './command.ts';

/** A model and where it runs, as the options of a command name them. */
export interface ModelChoice {
  /** A compiled model; undefined means the built-in one, compiled first if needed. */
  folder?: string | undefined;
  device: DeviceChoice;
}

/** Returns what `--model` and `--device` name. @throws UsageError for an unknown device */
export function modelChoice(values: OptionValues): ModelChoice {
  return {
    folder: textOption(values, 'model'),
    device: choiceOption(values, 'device', ['auto', ...deviceNames]) ?? 'auto',
  };
}

/**
 * Runs `body` with a loaded model, and lets the model go afterwards. Why it does not run on the
 * device that was named is written as a message.
 */
export async function withModel<T>(
  { folder, device }: ModelChoice,
  io: CommandIo,
  body: (parts: { inference: Inference; model: LoadedModel }) => Promise<T>,
): Promise<T> {
  const prepared = await prepareModel({ folder, device }, io);
  const inference = new InferenceClient(join(__dirname, 'inferenceWorker.js'));
  try {
    const options = { addOns: prepared.addOns, device };
    const model = await inference.load(prepared.folder, options, io.signal);
    if (model.deviceNote !== null) io.writeMessage(model.deviceNote);
    return await body({ inference, model });
  } finally {
    await inference.dispose();
  }
}

/** Returns the folders of a compiled model; the built-in one, compiled first if needed. */
export function prepareModel(
  { folder, device }: ModelChoice,
  io: CommandIo,
): Promise<PreparedModel> {
  return openModelStore(undefined).prepare(folder ?? '', {
    device,
    onProgress: reportEachTenth(io),
    signal: io.signal,
  });
}

/** What `--help` says about `--device`. */
export const deviceHelp = `auto (default), ${deviceNames.join(', ')}`;

/** Returns the language that `--lang` names, or the model's own. */
export function langOption(values: OptionValues, model: LoadedModel): string {
  return languageOption(values, 'lang', model) ?? model.defaultLang;
}

/**
 * Returns the language that an option names: by its code, a BCP 47 tag or its English name.
 *
 * @throws InvalidRequestError when the model does not know it
 */
export function languageOption(
  values: OptionValues,
  name: string,
  { langs }: LoadedModel,
): string | undefined {
  const value = textOption(values, name);
  if (value === undefined) return undefined;
  const code = findLanguageAmong(langs, value);
  if (code !== undefined) return code;
  const known = langs.slice(0, 10).join(', ');
  const more = langs.length > 10 ? ', …' : '';
  throw new InvalidRequestError(`--${name}: expected ${known}${more}, found ${value}`);
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
