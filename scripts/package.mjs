// Packages the extension for one platform: `npm run package -- linux-x64`; without a word, for this one.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const target = process.argv[2] ?? `${process.platform}-${process.arch}`;
const binaries = `node_modules/onnxruntime-node/bin/napi-v6/${target.replace('-', '/')}`;
if (!existsSync(binaries)) {
  console.error(`${target}: onnxruntime-node has no binaries for it`);
  process.exit(1);
}

const ignoreFile = join('out', `vscodeignore-${target}`);
mkdirSync('out', { recursive: true });
writeFileSync(ignoreFile, `${readFileSync('.vscodeignore', 'utf8')}!${binaries}/**\n`);
const words = [
  ...['npx', '--yes', '@vscode/vsce@4.1.0', 'package', '--target', target],
  ...['--ignoreFile', ignoreFile, '--allow-missing-repository', '--no-rewrite-relative-links'],
];
process.exit(spawnSync(words.join(' '), { shell: true, stdio: 'inherit' }).status ?? 1);
