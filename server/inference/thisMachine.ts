import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DeviceChooser } from './deviceChooser.ts';
import { processProbe } from './probeProcess.ts';

/**
 * Returns what finds the devices of this machine.
 *
 * @param bundleFolder  where `deviceProbe.js` lies
 */
export function thisMachinesDevices(bundleFolder: string): DeviceChooser {
  const { platform, arch, env } = process;
  const list = (folder: string) => (existsSync(folder) ? readdirSync(folder) : []);
  return new DeviceChooser(
    { platform, arch, env, list },
    processProbe(join(bundleFolder, 'deviceProbe.js')),
  );
}
