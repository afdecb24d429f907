import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, sep } from 'node:path';
import { test } from 'node:test';

/**
 * One floor: what the files of a folder may import, besides each other.
 * A package is allowed with all its subpaths; `in` names the only file that may use it.
 */
interface Floor {
  imports: readonly string[];
  uses?: readonly (string | { name: string; in: string })[];
}

const disk = ['node:fs', 'node:fs/promises', 'node:path', 'node:os'];

/** What the two entries of the server, for an editor and for scripts, are built from. */
const wholeServer = [
  'server/writing',
  'server/features/rewriting',
  'server/features',
  'server/search',
  'server/store',
  'server/inference',
  'server/compiler',
  'server/model',
  'server/text',
  'server/tensor',
  'server/base',
  'protocol',
];

/** The floors, from the ground up. A new folder needs a row here. */
const floors: Readonly<Record<string, Floor>> = {
  protocol: { imports: [], uses: ['vscode-languageserver-protocol'] },
  'server/base': { imports: ['protocol'] },
  'server/tensor': { imports: ['server/base'] },
  'server/text': {
    imports: ['server/base'],
    uses: [
      '@unified-latex/unified-latex-util-parse',
      { name: 'cld3-asm', in: 'server/text/languageIdentifier.ts' },
      'mdast-util-from-markdown',
      'mdast-util-frontmatter',
      'mdast-util-gfm',
      'mdast-util-math',
      'micromark',
      'micromark-extension-frontmatter',
      'micromark-extension-gfm',
      'micromark-extension-math',
      'micromark-util-decode-string',
    ],
  },
  'server/model': { imports: ['server/text', 'server/tensor', 'server/base'] },
  'server/compiler/checkpoint': { imports: ['server/base', 'server/tensor'], uses: disk },
  'server/compiler/onnx': { imports: ['server/base', 'server/tensor'] },
  'server/compiler/nn': { imports: ['server/compiler/onnx', 'server/tensor'] },
  'server/compiler/models': {
    imports: ['server/compiler/nn', 'server/compiler/onnx', 'server/model', 'server/base'],
  },
  'server/compiler/layouts': {
    imports: ['server/compiler/onnx', 'server/model', 'server/tensor', 'server/base'],
  },
  'server/compiler': {
    imports: [
      'server/compiler/checkpoint',
      'server/compiler/layouts',
      'server/compiler/models',
      'server/compiler/nn',
      'server/compiler/onnx',
      'server/model',
      'server/tensor',
      'server/base',
    ],
    uses: [...disk, 'node:crypto', 'node:worker_threads'],
  },
  'server/inference/lcm': {
    imports: ['server/inference', 'server/model', 'server/tensor', 'server/base'],
  },
  'server/inference': {
    imports: [
      'server/inference/lcm',
      'server/model',
      'server/text',
      'server/tensor',
      'server/base',
    ],
    uses: [
      ...disk,
      { name: 'onnxruntime-node', in: 'server/inference/session.ts' },
      { name: 'node:child_process', in: 'server/inference/probeProcess.ts' },
      'node:worker_threads',
    ],
  },
  'server/store': {
    imports: ['server/model', 'server/base'],
    uses: [
      ...disk,
      'node:crypto',
      { name: 'node:http', in: 'server/store/http.ts' },
      { name: 'node:https', in: 'server/store/http.ts' },
      { name: 'node:tls', in: 'server/store/http.ts' },
      { name: 'https-proxy-agent', in: 'server/store/http.ts' },
    ],
  },
  'server/search': { imports: ['server/tensor', 'server/base'], uses: ['node:sqlite', 'pg'] },
  'server/features': {
    imports: [
      'server/inference',
      'server/search',
      'server/text',
      'server/tensor',
      'server/base',
      'protocol',
    ],
  },
  'server/features/rewriting': {
    imports: [
      'server/features',
      'server/inference',
      'server/text',
      'server/tensor',
      'server/base',
      'protocol',
    ],
  },
  'server/writing': {
    imports: [
      'server/features',
      'server/inference',
      'server/text',
      'server/tensor',
      'server/base',
      'protocol',
    ],
    uses: [
      { name: 'node:child_process', in: 'server/writing/powerSupply.ts' },
      { name: 'node:fs/promises', in: 'server/writing/powerSupply.ts' },
      { name: 'node:fs/promises', in: 'server/writing/statisticsFile.ts' },
      { name: 'node:path', in: 'server/writing/statisticsFile.ts' },
    ],
  },
  'server/commandline': { imports: ['server', ...wholeServer], uses: ['node:*'] },
  server: {
    imports: ['server/commandline', ...wholeServer],
    uses: ['vscode-languageserver', 'vscode-languageserver-textdocument', 'node:*'],
  },
  src: {
    imports: ['protocol'],
    uses: ['vscode', 'vscode-languageclient', 'node:crypto', 'node:path'],
  },
};

/** Every source file of the product by its path from the root, with forward slashes. */
function readSources(): Map<string, string> {
  const sources = new Map<string, string>();
  for (const room of ['protocol', 'server', 'src', 'media']) {
    for (const name of readdirSync(room, { recursive: true, encoding: 'utf8' })) {
      if (!name.endsWith('.ts')) continue;
      const path = join(room, name);
      sources.set(path.split(sep).join('/'), readFileSync(path, 'utf8'));
    }
  }
  return sources;
}

/** Statements that begin a line, so that examples in comments are not taken for imports. */
const importPatterns = [
  /^(?:import|export)\b[^;'"]*\bfrom\s*['"]([^'"]+)['"]/gm,
  /^import\s*['"]([^'"]+)['"]/gm,
  /\b(?:import|require)\(\s*['"]([^'"]+)['"]\s*\)/g,
];

function importsOf(source: string): string[] {
  const code = source.replace(/^\s*(?:\/\/|\/?\*).*$/gm, '');
  return importPatterns.flatMap((pattern) => [...code.matchAll(pattern)].map((m) => m[1] ?? ''));
}

function resolveImport(path: string, specifier: string): string {
  return posix.join(posix.dirname(path), specifier);
}

function mayUse(floor: Floor, path: string, name: string): boolean {
  return (floor.uses ?? []).some((use) => {
    if (typeof use !== 'string') return name === use.name && path === use.in;
    if (use.endsWith('*')) return name.startsWith(use.slice(0, -1));
    return name === use || (name.startsWith(`${use}/`) && !use.startsWith('node:'));
  });
}

/** Returns what one file breaks of the table, in words. */
function brokenFloors(path: string, source: string): string[] {
  const folder = posix.dirname(path);
  const floor = floors[folder];
  if (!floor) return [`${folder}: no row in the table of floors`];
  const broken: string[] = [];
  for (const specifier of importsOf(source)) {
    if (!specifier.startsWith('.')) {
      if (!mayUse(floor, path, specifier)) broken.push(`${path} may not use ${specifier}`);
      continue;
    }
    const target = resolveImport(path, specifier);
    const targetFolder = posix.dirname(target);
    if (targetFolder !== folder && !floor.imports.includes(targetFolder)) {
      broken.push(`${path} may not import ${target}`);
    }
  }
  if (posix.basename(path) === 'index.ts') broken.push(`${path} is a barrel file`);
  if (/^export\s+(?:type\s+)?(?:\*[^;'"]*|\{[^}]*\})\s*from\b/m.test(source))
    broken.push(`${path} re-exports`);
  return broken;
}

/** Returns every circle of imports as the path of files that closes it. */
function importCycles(sources: ReadonlyMap<string, string>): string[] {
  const cycles: string[] = [];
  const finished = new Set<string>();
  const visit = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) cycles.push([...trail.slice(trail.indexOf(path)), path].join(' → '));
    if (trail.includes(path) || finished.has(path)) return;
    const relative = importsOf(sources.get(path) ?? '').filter((i) => i.startsWith('.'));
    for (const specifier of relative) visit(resolveImport(path, specifier), [...trail, path]);
    finished.add(path);
  };
  for (const path of sources.keys()) visit(path, []);
  return cycles;
}

function checkBroken(path: string, source: string, expected: readonly string[]): void {
  assert.deepEqual(brokenFloors(path, source), expected);
}

test('every file imports only what its floor may', () => {
  const broken = [...readSources()].flatMap(([path, source]) => brokenFloors(path, source));
  assert.deepEqual(broken, []);
});

test('no files import each other in a circle', () => {
  assert.deepEqual(importCycles(readSources()), []);
});

test('every package that a file uses is a dependency of ours', () => {
  const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8'));
  for (const [path, source] of readSources()) {
    for (const specifier of importsOf(source)) {
      if (/^(\.|node:|vscode$)/.test(specifier)) continue;
      const name = /^(@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? '';
      assert.ok(name in dependencies, `${path}: ${name} is not in package.json`);
    }
  }
});

test('every floor of the table names floors of the table', () => {
  for (const [folder, floor] of Object.entries(floors)) {
    for (const name of floor.imports) assert.ok(name in floors, `${folder}: ${name} has no row`);
    assert.ok(dirname(folder) === '.' || posix.dirname(folder) in floors, folder);
  }
});

test('an import of a lower floor, of a neighbour file or of an allowed package is fine', () => {
  checkBroken('server/tensor/vector.ts', "import { assert } from '../base/errors.ts';", []);
  checkBroken('server/tensor/vector.ts', "import type {\n  A,\n} from './tensor.ts';", []);
  checkBroken('src/client.ts', "import { X } from 'vscode-languageclient/node';", []);
  checkBroken('server/inference/session.ts', "import * as ort from 'onnxruntime-node';", []);
  checkBroken('server/text/prose.ts', "// import { a } from '../store/a.ts';", []);
});

test('an import of a higher floor, of another room or of a foreign package is told', () => {
  checkBroken('server/tensor/a.ts', "import { b } from '../text/b.ts';", [
    'server/tensor/a.ts may not import server/text/b.ts',
  ]);
  checkBroken('server/store/a.ts', "import type {\n  B,\n} from '../compiler/b.ts';", [
    'server/store/a.ts may not import server/compiler/b.ts',
  ]);
  checkBroken('src/a.ts', "const b = await import('../server/b.ts');", [
    'src/a.ts may not import server/b.ts',
  ]);
  checkBroken('server/text/a.ts', "import 'node:fs';", ['server/text/a.ts may not use node:fs']);
  checkBroken('server/inference/a.ts', "import * as ort from 'onnxruntime-node';", [
    'server/inference/a.ts may not use onnxruntime-node',
  ]);
});

test('a folder without a row, a barrel and a re-export are told', () => {
  checkBroken('server/magic/a.ts', '', ['server/magic: no row in the table of floors']);
  checkBroken('protocol/index.ts', '', ['protocol/index.ts is a barrel file']);
  checkBroken('src/a.ts', "export * from './b.ts';", ['src/a.ts re-exports']);
  checkBroken('src/a.ts', "export type { B } from './b.ts';", ['src/a.ts re-exports']);
  checkBroken('src/a.ts', 'export function fromWire() {}', []);
});

test('a circle of imports is told by the files that close it', () => {
  const sources = new Map([
    ['src/a.ts', "import './b.ts';"],
    ['src/b.ts', "import './c.ts';"],
    ['src/c.ts', "import './b.ts';"],
  ]);
  assert.deepEqual(importCycles(sources), ['src/b.ts → src/c.ts → src/b.ts']);
});
