import { writeFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
import { peakFileVariable } from './measuredProcess.ts';

// Preloaded into a process that is measured: it leaves its peak of memory when it ends.
const file = process.env[peakFileVariable];
if (isMainThread && file !== undefined) {
  process.once('exit', () => writeFileSync(file, String(process.resourceUsage().maxRSS)));
}
