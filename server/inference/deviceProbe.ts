import { deviceNames } from '../model/device.ts';
import { devices } from './devices.ts';
import { tryDevice } from './deviceTrial.ts';
import { readModel } from './modelFolder.ts';

/*
 * Entry of a process that tries one device and is thrown away: a driver that crashes or hangs takes
 * nothing else with it. Arguments: the model folder, the device. It prints one line of JSON,
 * {"trial":…} or {"error":"…"}.
 */
async function main([folder = '', deviceName]: readonly string[]): Promise<object> {
  const name = deviceNames.find((known) => known === deviceName);
  if (name === undefined)
    return { error: `expected ${deviceNames.join(', ')}, found ${deviceName}` };
  try {
    return { trial: await tryDevice(folder, readModel(folder), devices[name]) };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

void main(process.argv.slice(2)).then((answer) => {
  process.stdout.write(`${JSON.stringify(answer)}\n`, () => process.exit());
});
