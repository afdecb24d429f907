import { parentPort } from 'node:worker_threads';
import { assert } from '../base/errors.ts';
import { CompiledModel } from './compiledModel.ts';
import { InferenceServer } from './inferenceServer.ts';
import { thisMachinesDevices } from './thisMachine.ts';

// Entry of the inference thread, which owns every session.
assert(parentPort !== null, 'worker.ts: expected to be started as a worker thread');
const devices = thisMachinesDevices(__dirname);
new InferenceServer(parentPort, (folder, options, signal) =>
  CompiledModel.load(
    folder,
    options,
    (choice, model, loading) => devices.choose(choice, model, loading),
    signal,
  ),
);
