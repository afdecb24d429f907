import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { Precision } from '../../../server/model/manifest.ts';
import { measureCli } from './measuredProcess.ts';
import {
  checkpointFile,
  configFile,
  folder,
  requireSpace,
  tokenizerFile,
  twoTowerName,
} from './sources.ts';

/** What a model of SONAR's size, or one add-on, takes on disk at most. */
const maxCompiledBytes = 8e9;

/** Returns the folder of SONAR's encoder and decoder, compiled; made when it is not there. */
export function compiledSonar(precision: Precision): string {
  return compiled(`sonar-${precision}`, {
    encoder: checkpointFile('encoder'),
    decoder: checkpointFile('decoder'),
    tokenizer: tokenizerFile(),
    config: configFile('sonar'),
    precision,
  });
}

/** Returns the folder of the Two-Tower of 1.6 billion parameters, an add-on. */
export function compiledTwoTower(precision: Precision): string {
  return compiled(`twoTower-${precision}`, {
    lcm: `${twoTowerName}=${checkpointFile('twoTower')}`,
    precision,
  });
}

function compiled(name: string, options: Readonly<Record<string, string>>): string {
  const out = join(folder, name);
  if (statSync(out, { throwIfNoEntry: false }) === undefined) requireSpace(maxCompiledBytes);
  const args = Object.entries({ ...options, out }).flatMap(([key, value]) => [`--${key}`, value]);
  measureCli(['compile', ...args]);
  return out;
}
