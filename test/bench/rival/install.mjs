// Brings transformers.js, which 474 MB of folder keep out of package.json.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { installTool, npmInstall } from '../../../scripts/toolFolder.mjs';

const version = '4.3.1';

/**
 * Returns the folder that transformers.js is installed in.
 *
 * @param log  receives one line about what takes so long
 */
export function installTransformersJs(log) {
  const packageIn = (folder) =>
    existsSync(join(folder, 'node_modules', '@huggingface', 'transformers')) ? folder : undefined;
  const install = (folder) =>
    // The postinstall of onnxruntime-node fetches CUDA, which is not measured here.
    npmInstall(folder, `@huggingface/transformers@${version}`, {
      ONNXRUNTIME_NODE_INSTALL: 'skip',
    });
  return installTool(`transformers-js-${version}`, packageIn, install, log);
}
