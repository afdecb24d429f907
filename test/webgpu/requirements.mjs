// What the WebGPU tests need besides npm packages: a Vulkan driver that computes on the processor.
// Chromium brings SwiftShader, and libvulkan1 is what looks for drivers.
import { existsSync } from 'node:fs';
import { bringPackages, isInstalled } from '../support/packages.mjs';

const driver = '/usr/lib/chromium/vk_swiftshader_icd.json';
const loader = 'libvulkan1';

/**
 * Finds or brings the driver, and names it to every process of the tests.
 *
 * @returns why the tests cannot run here, `fatal` where that must not happen; or undefined
 */
export function bringVulkan() {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    return {
      reason: `they use SwiftShader on Linux x64, and this is ${process.platform} ${process.arch}`,
    };
  }
  const missing = [
    ...(existsSync(driver) ? [] : ['chromium']),
    ...(isInstalled(loader) ? [] : [loader]),
  ];
  const obstacle = bringPackages(missing);
  if (obstacle) return obstacle;
  if (!existsSync(driver)) return { reason: `this Chromium has no SwiftShader at ${driver}` };
  process.env.VK_DRIVER_FILES = driver;
  return undefined;
}
