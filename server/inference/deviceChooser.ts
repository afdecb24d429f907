import { type DeviceChoice, type DeviceName, precisionsOf } from '../model/device.ts';
import type { ConceptModelEntry, ModelManifest, Precision } from '../model/manifest.ts';
import {
  type ChosenDevice,
  cpuDevice,
  type Device,
  devices,
  devicesOf,
  type Machine,
  mayHave,
} from './devices.ts';
import type { Trial } from './deviceTrial.ts';
import type { Probe } from './probeProcess.ts';

/** What a device is worth for one model. */
export type Verdict =
  | {
      works: true;
      /** How many times as fast as the processor. */
      speed: number;
    }
  | { works: false; reason: string };

/** A model that waits for a device. */
export interface Candidate {
  folder: string;
  manifest: ModelManifest;
  /** The model's own and those of its add-ons. */
  conceptModels: readonly ConceptModelEntry[];
}

/** Finds the device that a model runs on. */
export type ChooseDevice = (
  choice: DeviceChoice,
  model: Candidate,
  signal?: AbortSignal,
) => Promise<ChosenDevice>;

/**
 * How far a device may be from the processor. Weights in few bits are multiplied in other ways on
 * other devices: the processor rounds activations to bytes, a graphics card does not.
 */
const tolerances: Readonly<Record<Precision, { minCosine: number; maxLogProbError: number }>> = {
  fp32: { minCosine: 0.9999, maxLogProbError: 0.05 }, // graphics cards may multiply with 10 bits
  fp16: { minCosine: 0.999, maxLogProbError: 0.2 },
  int8: { minCosine: 0.99, maxLogProbError: 0.5 },
  int4: { minCosine: 0.99, maxLogProbError: 0.5 },
};

/** Finds the device for a model by trying. What was found holds as long as the process. */
export class DeviceChooser {
  readonly #machine: Machine;
  readonly #probe: Probe;
  readonly #verdicts = new Map<string, Verdict>();

  constructor(machine: Machine, probe: Probe) {
    this.#machine = machine;
    this.#probe = probe;
  }

  /** The devices of this platform, whether they work or not. */
  get devices(): readonly Device[] {
    return devicesOf(this.#machine);
  }

  /**
   * Returns the device that was asked for, or else the processor and why. `auto` is the fastest
   * device whose numbers are right, among those that the machine may have.
   */
  async choose(
    choice: DeviceChoice,
    model: Candidate,
    signal?: AbortSignal,
  ): Promise<ChosenDevice> {
    if (choice === 'cpu') return { device: cpuDevice, note: null };
    if (choice === 'auto') return { device: await this.#fastest(model, signal), note: null };
    const device = devices[choice];
    const verdict = await this.verdict(device, model, signal);
    if (verdict.works) return { device, note: null };
    return { device: cpuDevice, note: `${device.label}: ${verdict.reason}` };
  }

  /** Returns what a device is worth for a model; tries it when that is not known yet. */
  async verdict(device: Device, model: Candidate, signal?: AbortSignal): Promise<Verdict> {
    if (device.name === 'cpu') return { works: true, speed: 1 };
    const { platform, arch } = this.#machine;
    if (!this.devices.includes(device)) {
      return { works: false, reason: `not available on ${platform}-${arch}` };
    }
    const unfit = unfitPart(device.name, model);
    if (unfit !== null) return { works: false, reason: unfit };
    const key = `${device.name} ${model.manifest.sourceDigest}`;
    const known = this.#verdicts.get(key);
    if (known !== undefined) return known;
    const answer = await this.#probe(device.name, model.folder, signal);
    const verdict: Verdict =
      'trial' in answer
        ? judge(answer.trial, model.manifest)
        : { works: false, reason: answer.failure };
    this.#verdicts.set(key, verdict);
    return verdict;
  }

  async #fastest(model: Candidate, signal?: AbortSignal): Promise<Device> {
    let best: { device: Device; speed: number } = { device: cpuDevice, speed: 1 };
    for (const device of this.devices) {
      if (!mayHave(device, this.#machine)) continue;
      const verdict = await this.verdict(device, model, signal);
      if (verdict.works && verdict.speed > best.speed) best = { device, speed: verdict.speed };
    }
    return best.device;
  }
}

/** Decides from the numbers of a trial. NaN is wrong, as it compares to nothing. */
export function judge(trial: Trial, { encoder, decoder }: ModelManifest): Verdict {
  const { cosine, logProbError, deviceMs, cpuMs } = trial;
  const isRight =
    cosine >= tolerances[encoder.precision].minCosine &&
    logProbError <= tolerances[decoder.precision].maxLogProbError;
  if (!isRight) return { works: false, reason: 'its numbers are not those of the processor' };
  return { works: true, speed: cpuMs / deviceMs };
}

/** Says how a device compares, in words. */
export function describeSpeed(speed: number): string {
  const times = (factor: number) => factor.toFixed(factor < 10 ? 1 : 0);
  return speed < 1
    ? `${times(1 / speed)} times slower than the CPU here`
    : `${times(speed)} times as fast as the CPU here`;
}

/** Returns why a device does not run a model, or null when it runs the precisions of all parts. */
function unfitPart(name: DeviceName, { manifest, conceptModels }: Candidate): string | null {
  const runs = precisionsOf(name);
  const parts: readonly [string, Precision][] = [
    ['encoder', manifest.encoder.precision],
    ['decoder', manifest.decoder.precision],
    ...conceptModels.map((model): [string, Precision] => [model.name, model.precision]),
  ];
  const unfit = parts.find(([, precision]) => !runs.includes(precision));
  if (unfit === undefined) return null;
  return `runs models in ${runs.join(', ')}; ${unfit[0]} of ${manifest.name} is ${unfit[1]}`;
}
