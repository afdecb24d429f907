import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach } from 'node:test';
import { compileModel } from '../../server/compiler/compile.ts';
import type { ModelManifest } from '../../server/model/manifest.ts';
import { type TinySources, writeTinySources } from './tinySources.ts';

/** What is changed of the tiny sources. */
export type Changes = Parameters<typeof writeTinySources>[1];

/** Folders to compile from and into, empty before each test of the file that asks for them. */
export function compileFolders() {
  const root = mkdtempSync(join(tmpdir(), 'thoughtline-compile-'));
  const sources = join(root, 'sources');
  const target = join(root, 'target');
  after(() => rmSync(root, { recursive: true }));
  beforeEach(() => {
    for (const folder of [sources, target]) {
      rmSync(folder, { recursive: true, force: true });
      mkdirSync(folder);
    }
  });
  return {
    sources,
    target,
    request: (changes?: Changes): TinySources & { outDir: string } => {
      return { ...writeTinySources(sources, changes), outDir: join(target, 'model') };
    },
    /** Everything below the target folder, hidden files included. */
    written: () => readdirSync(target, { recursive: true, encoding: 'utf8' }).sort(),
  };
}

/** Compiles sources that have an encoder and a decoder. */
export async function compileWhole(
  ...args: Parameters<typeof compileModel>
): Promise<ModelManifest> {
  const manifest = await compileModel(...args);
  assert.ok(manifest.kind === 'model');
  return manifest;
}
