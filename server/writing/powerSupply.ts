import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';

/*
 * Whether this machine runs on battery, as each platform tells it.
 */

/** What is asked of a machine, so that each can be imitated. */
export interface PowerMachine {
  platform: NodeJS.Platform;
  /** Where Windows lies. */
  systemRoot: string;
  /** @throws an error when there is no such folder */
  listFolder(path: string): Promise<string[]>;
  /** @throws an error when there is no such file */
  readText(path: string): Promise<string>;
  /** Returns what a program prints. @throws an error when it fails or takes too long */
  run(program: string, args: readonly string[], signal: AbortSignal): Promise<string>;
}

/** PowerShell takes a second or two to start on a slow machine. */
const maxRunMs = 20_000;

const maxOutputBytes = 1 << 16;

/** Machines have a handful of supplies: batteries, sockets, mice. */
const maxSupplies = 64;

export const thisPowerMachine: PowerMachine = {
  platform: process.platform,
  systemRoot: process.env['SystemRoot'] ?? 'C:\\Windows',
  listFolder: (path) => readdir(path),
  readText: (path) => readFile(path, 'utf8'),
  run: (program, args, signal) =>
    new Promise((resolve, reject) => {
      const options = { timeout: maxRunMs, maxBuffer: maxOutputBytes, windowsHide: true, signal };
      execFile(program, args, options, (error, output) => {
        if (error === null) resolve(output);
        else reject(error);
      });
    }),
};

/**
 * Returns whether a machine runs on battery; null where it does not tell.
 *
 * @throws an error when what should tell it fails, and the signal's reason
 */
export function readIsOnBattery(
  machine: PowerMachine,
  signal: AbortSignal,
): Promise<boolean | null> {
  switch (machine.platform) {
    case 'linux':
      return readLinux(machine, signal);
    case 'darwin':
      return readMac(machine, signal);
    case 'win32':
      return readWindows(machine, signal);
    default:
      return Promise.resolve(null);
  }
}

const supplyFolder = '/sys/class/power_supply';

/**
 * The mains decide; where none is listed, the batteries do.
 * Source: Linux, Documentation/ABI/testing/sysfs-class-power.
 */
async function readLinux(machine: PowerMachine, signal: AbortSignal): Promise<boolean | null> {
  const names = await machine.listFolder(supplyFolder).catch(missing<string[]>([]));
  const sockets: string[] = [];
  const batteries: string[] = [];
  for (const name of names.slice(0, maxSupplies)) {
    signal.throwIfAborted();
    const read = async (file: string) => {
      const text = await machine.readText(`${supplyFolder}/${name}/${file}`).catch(missing(''));
      return text.trim();
    };
    const type = await read('type');
    if (type === 'Mains') sockets.push(await read('online'));
    // A battery of scope Device is that of a mouse or a headset.
    if (type === 'Battery' && (await read('scope')) !== 'Device') {
      batteries.push(await read('status'));
    }
  }
  if (sockets.includes('1')) return false;
  if (batteries.length === 0) return null;
  if (sockets.includes('0') || batteries.includes('Discharging')) return true;
  return batteries.every((status) => status === 'Unknown' || status === '') ? null : false;
}

/** Files of a supply that was pulled out in the meantime can no longer be read either. */
function missing<T>(instead: T): (error: NodeJS.ErrnoException) => T {
  return (error) => {
    if (error.code === 'ENOENT' || error.code === 'ENODEV') return instead;
    throw error;
  };
}

async function readMac({ run }: PowerMachine, signal: AbortSignal): Promise<boolean | null> {
  const output = await run('/usr/bin/pmset', ['-g', 'batt'], signal);
  const source = /drawing from '([^'\n]{1,64})'/.exec(output)?.[1];
  if (source === 'Battery Power') return true;
  return source === 'AC Power' ? false : null;
}

/**
 * BatteryStatus of Win32_Battery: 1 discharging, 4 low, 5 critical; 2 on the mains, 3 full, 6 to 9
 * charging. Nothing is printed where there is no battery.
 * Source: Microsoft, Win32_Battery class.
 */
async function readWindows(
  { run, systemRoot }: PowerMachine,
  signal: AbortSignal,
): Promise<boolean | null> {
  // The whole path: Windows looks for programs in the folder of the writer's files first.
  const program = `${systemRoot}\\System32\\WindowsPowerShell\\v1.0\\powershell.exe`;
  const command = '(Get-CimInstance -ClassName Win32_Battery).BatteryStatus';
  const args = ['-NoLogo', '-NoProfile', '-NonInteractive', '-Command', command];
  const states = (await run(program, args, signal)).split(/\s+/);
  if (states.some((state) => ['2', '3', '6', '7', '8', '9'].includes(state))) return false;
  return states.some((state) => ['1', '4', '5'].includes(state)) ? true : null;
}
