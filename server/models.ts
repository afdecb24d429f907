import { homedir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from './base/clock.ts';
import { type Logger, nullLogger } from './base/logger.ts';
import { CompileClient } from './compiler/compileClient.ts';
import { catalogue } from './store/catalogue.ts';
import { freeBytesOf } from './store/installer.ts';
import { ModelStore } from './store/modelStore.ts';

/** The model in the box, by the name its configuration gives it. */
const builtInName = 'thoughtline-1';

/**
 * Opens the models of this machine, and gives the store the compiler that it must not import.
 *
 * @param storageFolder  where compiled models are kept; undefined means the user's cache
 */
export function openModelStore(
  storageFolder: string | undefined,
  logger: Logger = nullLogger,
): ModelStore {
  return new ModelStore({
    builtInName,
    checkpointFolder: join(__dirname, '..', 'models', 'builtin'),
    prebuiltFolder: join(__dirname, 'models', builtInName),
    storageFolder: join(storageFolder ?? userCacheFolder(), 'models'),
    catalogue,
    clock: systemClock,
    freeBytes: freeBytesOf,
    compiler: new CompileClient(join(__dirname, 'compileWorker.js')),
    logger,
  });
}

/** The folder for what can be made again, as each platform has it. */
function userCacheFolder(): string {
  const { LOCALAPPDATA, XDG_CACHE_HOME } = process.env;
  if (process.platform === 'win32') {
    return join(LOCALAPPDATA ?? join(homedir(), 'AppData', 'Local'), 'thoughtline');
  }
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Caches', 'thoughtline');
  return join(XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'thoughtline');
}
