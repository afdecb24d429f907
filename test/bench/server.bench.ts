import { readFileSync } from 'node:fs';
import { nextSentences } from '../../protocol/server.ts';
import { ServerProcess } from '../support/serverProcess.ts';
import { figure, percentiles } from './figures.ts';

/*
 * The server as an editor runs it: start, a warm request on a document of 20 sentences, and, while
 * models run, how long the main thread lets a trivial request wait.
 */

const config = JSON.parse(readFileSync('models/builtin/config.json', 'utf8'));
const conceptModels = Object.keys(config.lcm);
const warmUp = 5;
const repetitions = 60;
const paragraph = [
  'The old lighthouse had been dark for eleven years.',
  'Every evening the daughter of the keeper walked up the hill.',
  'She carried a lantern in one hand and a book in the other.',
  'The people of the village thought that she was waiting for a ship.',
  'One winter a storm came in from the north.',
];
const document = Array.from({ length: 4 }, () => paragraph.join(' ')).join('\n\n');

void main();

async function main(): Promise<void> {
  const began = performance.now();
  const server = await ServerProcess.start();
  figure('server ready', performance.now() - began, 'ms');

  for (const lcm of conceptModels) await measureNext(lcm);
  await measureBlocking(server);

  const status = server.statuses.findLast(({ state }) => state === 'ready');
  if (status?.state === 'ready') figure('server memory', status.memoryMb, 'MB');
  await server.stop();
}

async function measureNext(conceptModel: string): Promise<void> {
  const server = await ServerProcess.start({ completion: { conceptModel } });
  await server.open('file:///bench.txt', 'plaintext', document);
  const times: number[] = [];
  for (let i = 0; i < warmUp + repetitions; i++) {
    const start = performance.now();
    await server.connection.sendRequest(nextSentences, {
      uri: 'file:///bench.txt',
      offset: document.length,
      count: 3,
    });
    if (i >= warmUp) times.push(performance.now() - start);
  }
  percentiles(`next, 3 candidates, ${conceptModel}`, times, 'ms');
  await server.stop();
}

/** Asks something that needs no model, all the time, while the models are busy. */
async function measureBlocking(server: ServerProcess): Promise<void> {
  await server.open('file:///busy.txt', 'plaintext', document);
  let isBusy = true;
  const work = (async () => {
    for (let i = 0; i < 30; i++) {
      const uri = 'file:///busy.txt';
      await server.connection.sendRequest(nextSentences, {
        uri,
        offset: document.length,
        count: 3,
      });
    }
    isBusy = false;
  })();
  const times: number[] = [];
  while (isBusy) {
    const start = performance.now();
    const nowhere = { uri: 'file:///nowhere', offset: 0, count: 1 };
    await server.connection.sendRequest(nextSentences, nowhere).catch(() => {
      times.push(performance.now() - start);
    });
    await new Promise((resolve) => setImmediate(resolve));
  }
  await work;
  percentiles('main thread answers while models run', times, 'ms');
}
