import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { performance } from 'node:perf_hooks';
import { type Block, blocksVariable } from './blocks.ts';

/*
 * The server with a clock on its main thread: a timer that comes late says how long the thread did
 * something else. What the thread itself computed meanwhile tells a busy machine from a busy thread.
 */

const intervalMs = 1;
const leastMs = 5;

const blocks: Block[] = [];
let last = performance.now();
let before = process.threadCpuUsage();

setInterval(() => {
  const now = performance.now();
  const usage = process.threadCpuUsage();
  const processorMs = (usage.user + usage.system - before.user - before.system) / 1000;
  const wallMs = now - last - intervalMs;
  if (wallMs >= leastMs) blocks.push({ at: performance.timeOrigin + last, wallMs, processorMs });
  last = now;
  before = usage;
}, intervalMs).unref();

process.once('exit', () => {
  const path = process.env[blocksVariable];
  if (path !== undefined) writeFileSync(path, JSON.stringify(blocks));
});

require(resolve('dist', 'server.js'));
