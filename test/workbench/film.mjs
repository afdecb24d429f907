// Writes a page with the running product and films it: `npm run build && npm run film`.
import { mkdirSync } from 'node:fs';
import { importBundled } from './bundled.mjs';
import { bringWorkbench } from './requirements.mjs';

const obstacle = bringWorkbench();
if (obstacle) throw new Error(obstacle.reason);
const { filmWritingSession } = await importBundled('test/workbench/harness/writingSession.ts');
mkdirSync('docs/images', { recursive: true });
console.log(await filmWritingSession('docs/images/writing.gif'));
process.exit(0);
