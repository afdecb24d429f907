import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { figure } from '../figures.ts';
import { measureCli } from './measuredProcess.ts';
import {
  checkpointFile,
  cleanUp,
  configFile,
  folder,
  requireSpace,
  tokenizerFile,
  twoTowerName,
} from './sources.ts';

/*
 * `thoughtline compile` of official sizes: seconds, peak memory, bytes written. A decoder that
 * costs nothing stands beside the encoder, because a model has both.
 */

const tokenizer = tokenizerFile();
const encoder = checkpointFile('encoder');

measure('compile the encoder to int8', {
  encoder,
  decoder: checkpointFile('slightDecoder'),
  tokenizer,
  config: configFile('encoderOnly'),
  precision: 'int8',
});
measure('compile encoder and decoder to int8', {
  encoder,
  decoder: checkpointFile('decoder'),
  tokenizer,
  config: configFile('sonar'),
  precision: 'int8',
});
const twoTower = `${twoTowerName}=${checkpointFile('twoTower')}`;
measure('compile the Two-Tower to int8', { lcm: twoTower, precision: 'int8' });
measure('compile the Two-Tower to fp16', { lcm: twoTower, precision: 'fp16' });
cleanUp();

function measure(name: string, options: Readonly<Record<string, string>>): void {
  const out = join(folder, 'compiled');
  rmSync(out, { recursive: true, force: true });
  requireSpace(4e9);
  const args = Object.entries({ ...options, out }).flatMap(([key, value]) => [`--${key}`, value]);
  const { seconds, peakBytes } = measureCli(['compile', ...args]);
  figure(name, seconds, 's');
  figure(`${name}, peak memory`, peakBytes / 1e6, 'MB');
  const sizes = readdirSync(out).map((file) => statSync(join(out, file)).size);
  figure(`${name}, written`, sizes.reduce((a, b) => a + b) / 1e6, 'MB');
  rmSync(out, { recursive: true });
}
