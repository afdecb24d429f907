// Takes the README's pictures from the running product: `npm run build && npm run screenshot`.
import { mkdirSync } from 'node:fs';
import { importBundled } from './bundled.mjs';
import { bringWorkbench } from './requirements.mjs';

const obstacle = bringWorkbench();
if (obstacle) throw new Error(obstacle.reason);
const { takeScreenshots } = await importBundled('test/workbench/harness/screenshot.ts');
mkdirSync('docs/images', { recursive: true });
console.log(
  await takeScreenshots({
    ghostText: 'docs/images/ghost-text.png',
    installModel: 'docs/images/install-model.png',
  }),
);
process.exit(0);
