import { describeSpeed, type Verdict } from '../inference/deviceChooser.ts';
import { placeConceptModels, readModel } from '../inference/modelFolder.ts';
import { thisMachinesDevices } from '../inference/thisMachine.ts';
import type { DeviceName } from '../model/device.ts';
import { type Command, textOption } from './command.ts';
import { prepareModel } from './model.ts';

/** `thoughtline devices`: what could run a model here. */
export const devicesCommand: Command = {
  name: 'devices',
  summary: 'try what can run a model on this machine',
  help: `Usage: thoughtline devices [--model DIR]

Tries every device of this platform with a model, each in a process of its own. Prints one line
of {"device","works","speed","reason"} for each. Speed is in times of the CPU's; reason says why
a device cannot be used, or how fast it is.

  --model DIR   a compiled model; the built-in one when left out`,
  options: { model: { type: 'string' } },
  maxPositionals: 0,
  async run(values, _positionals, io) {
    const chooser = thisMachinesDevices(__dirname);
    for (const device of chooser.devices) {
      const choice = { folder: textOption(values, 'model'), device: device.name };
      const { folder, addOns } = await prepareModel(choice, io);
      const manifest = readModel(folder);
      const placed = placeConceptModels(folder, manifest, addOns);
      const conceptModels = [...placed.values()].map(({ entry }) => entry);
      const model = { folder, manifest, conceptModels };
      const verdict = await chooser.verdict(device, model, io.signal);
      await io.writeResult({
        device: device.name,
        works: verdict.works,
        speed: verdict.works ? Number(verdict.speed.toPrecision(3)) : null,
        reason: reasonOf(device.name, verdict),
      });
    }
    return true;
  },
};

function reasonOf(name: DeviceName, verdict: Verdict): string {
  if (!verdict.works) return verdict.reason;
  return name === 'cpu' ? 'what the others are compared with' : describeSpeed(verdict.speed);
}
