// Takes the README's picture from the running product: `npm run build && npm run screenshot`.
import { mkdirSync } from 'node:fs';
import { importBundled } from './bundled.mjs';
import { bringWorkbench } from './requirements.mjs';

const obstacle = bringWorkbench();
if (obstacle) throw new Error(obstacle.reason);
const { takeScreenshot } = await importBundled('test/workbench/harness/screenshot.ts');
mkdirSync('docs/images', { recursive: true });
console.log(await takeScreenshot('docs/images/ghost-text.png'));
process.exit(0);
