import { openModelStore } from '../models.ts';
import type { Command } from './command.ts';

/** `thoughtline models`: what is installed. */
export const modelsCommand: Command = {
  name: 'models',
  summary: 'list the models of this machine',
  help: `Usage: thoughtline models

Prints {"name","folder","isBuiltIn","state","sizeBytes","conceptModels"} for each model. A model is
ready, unprepared (its checkpoint is here and is compiled when it is first used) or damaged.`,
  options: {},
  maxPositionals: 0,
  async run(_values, _positionals, io) {
    for (const model of await openModelStore(undefined).list()) await io.writeResult(model);
    return true;
  },
};
