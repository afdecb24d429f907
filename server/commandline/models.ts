import { resolve } from 'node:path';
import { nullLogger } from '../base/logger.ts';
import { precisions } from '../model/manifest.ts';
import { describeModels, installFrom } from '../modelManager.ts';
import { openModelStore } from '../models.ts';
import { type Command, choiceOption, textOption, UsageError } from './command.ts';
import { reportEachTenth } from './model.ts';

/** `thoughtline models`: what is installed, what can be had, and how it comes and goes. */
export const modelsCommand: Command = {
  name: 'models',
  summary: 'list, install, remove and verify models',
  help: `Usage: thoughtline models [list]
       thoughtline models install ID --accept-licence LICENCE [--precision P] [--mirror URL]
                                     [--keep-checkpoints]
       thoughtline models install --from FOLDER [--accept-licence LICENCE] [--precision P]
       thoughtline models remove NAME
       thoughtline models verify [NAME]

list      prints {"state":"ready"|"unprepared"|"damaged","name",…} for each model of this machine,
          then {"state":"available","id",…} for each that can be had. Asks no host.
install   downloads, verifies and compiles a model. Interrupted, it goes on where it stopped when it
          is called again. Concept models bring SONAR where no model of their space is installed.
          The downloads are removed when they are compiled.
remove    removes an installed model, and what was downloaded for it
verify    compares every byte of a model with its manifest

  --accept-licence L  the licence that the list names, such as CC-BY-NC-4.0: what it allows is
                      between you and its owner
  --precision P       of the linear layers: int8, int4, fp16 or fp32; the usual one without
  --mirror URL        has the files in place of their own hosts, under the same paths
  --from FOLDER       checkpoints under their official names, or a compiled model
  --keep-checkpoints  leaves the downloads there, for another precision later

Proxies come from HTTPS_PROXY and NO_PROXY.`,
  options: {
    'accept-licence': { type: 'string' },
    precision: { type: 'string' },
    mirror: { type: 'string' },
    from: { type: 'string' },
    'keep-checkpoints': { type: 'boolean' },
  },
  maxPositionals: 2,
  async run(values, [action = 'list', name], io) {
    const { writeMessage } = io;
    const store = openModelStore(undefined, {
      ...nullLogger,
      info: writeMessage,
      warn: writeMessage,
    });
    switch (action) {
      case 'list': {
        if (name !== undefined) throw new UsageError(`unexpected argument ${name}`);
        const { installed, available } = await describeModels(store);
        for (const model of installed) await io.writeResult(model);
        for (const model of available) await io.writeResult({ state: 'available', ...model });
        return true;
      }
      case 'install': {
        const folder = textOption(values, 'from');
        if ((folder === undefined) === (name === undefined)) {
          throw new UsageError('install: expected the id of a model, or --from FOLDER');
        }
        const source =
          folder === undefined
            ? { kind: 'catalogue', id: name }
            : { kind: 'folder', folder: resolve(folder) };
        const params = {
          source,
          precision: choiceOption(values, 'precision', precisions) ?? null,
          acceptedLicence: textOption(values, 'accept-licence') ?? '',
          keepsCheckpoints: values['keep-checkpoints'] === true,
        };
        const network = {
          mirror: textOption(values, 'mirror') ?? '',
          proxy: { url: '', exceptions: [] },
        };
        const prepare = { onProgress: reportEachTenth(io), signal: io.signal };
        await io.writeResult(await installFrom(store, params, network, prepare));
        return true;
      }
      case 'remove':
        if (name === undefined) throw new UsageError('remove: expected the name of a model');
        await store.remove(name);
        return true;
      case 'verify':
        await store.verify(name ?? '', io.signal);
        return true;
      default:
        throw new UsageError(`expected list, install, remove or verify, found ${action}`);
    }
  },
};
