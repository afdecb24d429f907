import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import {
  defaultSettings,
  languageIds,
  parseSettings,
  settingsSection,
} from '../protocol/settings.ts';

/** What the tests read of a setting's schema in the manifest. */
interface Property {
  type: string | string[];
  default: unknown;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  maxItems?: number;
  enum?: string[];
  scope: string;
  markdownDescription: string;
}

interface Manifest {
  main: string;
  icon: string;
  keywords: string[];
  activationEvents: string[];
  engines: { vscode: string };
  devDependencies: Record<string, string>;
  capabilities: { untrustedWorkspaces: { restrictedConfigurations: string[] } };
  contributes: {
    commands: { command: string; title: string }[];
    keybindings: { command: string; key: string; mac?: string; when: string }[];
    menus: Record<string, { command?: string; submenu?: string }[]>;
    submenus: { id: string }[];
    configuration: { title: string; properties: Record<string, Property> }[];
    walkthroughs: { steps: { media: { svg: string } }[] }[];
  };
}

// The tests run in the root of the repository.
const manifestText = readFileSync('package.json', 'utf8');
const manifest: Manifest = JSON.parse(manifestText);
const properties = new Map(
  manifest.contributes.configuration.flatMap(({ properties }) => Object.entries(properties)),
);
const sources = globSync('src/*.ts').map((file) => readFileSync(file, 'utf8'));

/** Returns all first groups of a pattern in the extension's sources, each once, sorted. */
function findInSources(pattern: RegExp): string[] {
  const found = sources.flatMap((text) => [...text.matchAll(pattern)].map((match) => match[1]));
  return [...new Set(found.filter((name) => name !== undefined))].sort();
}

/** Builds the section of the configuration that sets one dotted name. */
function sectionWith(name: string, value: unknown): unknown {
  const keys = name.split('.').slice(1);
  return keys.reduceRight((inner, key) => ({ [key]: inner }), value);
}

function isRefused(name: string, value: unknown): boolean {
  return parseSettings(sectionWith(name, value)).refused.length > 0;
}

describe('settings in the manifest', () => {
  it('are the fields of Settings, with the same defaults', () => {
    const expected = Object.entries(defaultSettings).flatMap(([area, fields]) =>
      Object.entries(fields).map(([field, value]) => [
        `${settingsSection}.${area}.${field}`,
        value,
      ]),
    );
    const declared = [...properties].map(([name, property]) => [name, property.default]);
    assert.deepEqual(Object.fromEntries(declared), Object.fromEntries(expected));
  });

  for (const [name, property] of properties) {
    const types = [property.type].flat();
    const { minimum, maximum, minLength, maxLength, maxItems, enum: choices } = property;
    it(`have the limits of parseSettings: ${name}`, () => {
      if (types.some((type) => type === 'integer' || type === 'number')) {
        assert.ok(minimum !== undefined && maximum !== undefined);
        assert.equal(isRefused(name, minimum), false);
        assert.equal(isRefused(name, maximum), false);
        assert.equal(isRefused(name, minimum - 1), true);
        assert.equal(isRefused(name, maximum + 1), true);
        assert.equal(isRefused(name, minimum + 0.5), types.includes('integer'));
      }
      if (minLength !== undefined) assert.equal(isRefused(name, 'x'.repeat(minLength - 1)), true);
      if (maxLength !== undefined) {
        assert.equal(isRefused(name, 'x'.repeat(maxLength)), false);
        assert.equal(isRefused(name, 'x'.repeat(maxLength + 1)), true);
      }
      for (const choice of choices ?? []) assert.equal(isRefused(name, choice), false);
      assert.equal(property.default === null, types.includes('null'));
      assert.equal(isRefused(name, []), !types.includes('array'));
      assert.equal(types.includes('array'), maxItems !== undefined);
      if (maxItems !== undefined) {
        assert.equal(isRefused(name, new Array(maxItems).fill('a')), false);
        assert.equal(isRefused(name, new Array(maxItems + 1).fill('a')), true);
        assert.equal(isRefused(name, [7]), true);
      }
    });
  }

  it('may not come from a workspace that is not trusted when they name a path', () => {
    const restricted = manifest.capabilities.untrustedWorkspaces.restrictedConfigurations;
    const ofMachine = [...properties].filter(([, { scope }]) => scope.startsWith('machine'));
    assert.deepEqual(
      restricted,
      ofMachine.map(([name]) => name),
    );
  });
});

describe('commands in the manifest', () => {
  const declared = manifest.contributes.commands.map(({ command }) => command).sort();

  it('are the commands that src registers', () => {
    assert.deepEqual(findInSources(/registerCommand\(\s*'([^']+)'/g), declared);
  });

  it('are the only ones of ours that menus, keys, buttons and links run', () => {
    const { keybindings, menus } = manifest.contributes;
    const run = [
      ...Object.values(menus).flatMap((items) => items.flatMap(({ command }) => command ?? [])),
      ...keybindings.map(({ command }) => command),
      ...findInSources(/command(?::| =) '(thoughtline\.\w+)'/g),
      ...[...readFileSync('package.nls.json', 'utf8').matchAll(/command:(thoughtline\.\w+)/g)].map(
        (match) => match[1] ?? '',
      ),
    ];
    assert.deepEqual(
      run.filter((command) => !declared.includes(command)),
      [],
    );
  });
});

// Those of the editor itself are compared in the workbench.
describe('keys in the manifest', () => {
  const { keybindings } = manifest.contributes;

  it('open no menu and type no character on Windows and Linux', () => {
    // Alt and a letter open a menu, another in every language; Ctrl+Alt is AltGr.
    const taken = /^alt\+\w$|^ctrl\+alt\+(shift\+)?[^\s+]$/;
    assert.deepEqual(
      keybindings.map(({ key }) => key).filter((key) => taken.test(key)),
      [],
    );
  });

  it('type no character on a Mac, edit no text there and are not the system’s', () => {
    // Option and a key type a character; Ctrl and a letter are the text keys of all applications.
    const taken = /^(shift\+)?alt\+[^\s+]$|^ctrl\+(shift\+)?\w$/;
    // Spotlight, input sources, Mission Control, Dock, Force Quit, lock, full screen, emoji.
    const ofSystem =
      /^(cmd|ctrl|cmd\+alt|ctrl\+alt|ctrl\+cmd)\+space$|^ctrl\+(up|down|left|right)$|^cmd\+alt\+(d|escape)$|^ctrl\+cmd\+[qf]$/;
    assert.deepEqual(
      keybindings
        .map(({ key, mac }) => mac ?? key)
        .filter((key) => taken.test(key) || ofSystem.test(key)),
      [],
    );
  });

  it('act on a suggestion only while one is visible', () => {
    const acting = ['acceptSentence', 'acceptClause', 'cycleLanguage'];
    for (const name of acting) {
      const rule = keybindings.find(({ command }) => command === `thoughtline.${name}`);
      assert.match(rule?.when ?? '', /(^| && )inlineSuggestionVisible( && |$)/);
    }
  });
});

describe('the manifest', () => {
  it('has an entry for every submenu, and shows it', () => {
    const { menus, submenus } = manifest.contributes;
    const shown = Object.values(menus).flatMap((items) =>
      items.flatMap(({ submenu }) => submenu ?? []),
    );
    const ids = submenus.map(({ id }) => id);
    assert.deepEqual(shown, ids);
    for (const id of ids) assert.ok((menus[id] ?? []).length > 0, id);
  });

  it('starts the extension for every language that it reads', () => {
    assert.deepEqual(
      manifest.activationEvents,
      languageIds.map((id) => `onLanguage:${id}`),
    );
    for (const { when } of manifest.contributes.keybindings) {
      assert.ok(when.includes(`editorLangId =~ /^(${languageIds.join('|')})$/`), when);
    }
  });

  it('has words for every key it uses, and no others', () => {
    const used = [...manifestText.matchAll(/"%([\w.]+)%"/g)].map((match) => match[1]);
    const words: Record<string, string> = JSON.parse(readFileSync('package.nls.json', 'utf8'));
    assert.deepEqual(Object.keys(words).sort(), [...new Set(used)].sort());
  });

  it('names pictures that exist', () => {
    const steps = manifest.contributes.walkthroughs.flatMap((walkthrough) => walkthrough.steps);
    const pictures = [manifest.icon, ...steps.map(({ media }) => media.svg)];
    assert.deepEqual(
      pictures.filter((file) => !existsSync(file)),
      [],
    );
  });

  it('asks for the editor whose types it was checked with', () => {
    assert.equal(manifest.engines.vscode, `^${manifest.devDependencies['@types/vscode']}`);
  });

  it('has no more keywords than the Marketplace takes', () => {
    assert.ok(manifest.keywords.length <= 10);
  });
});

describe('notify.ts', () => {
  it('has words for every ErrorCode', () => {
    const errors = readFileSync('protocol/errors.ts', 'utf8');
    const codes = [...errors.matchAll(/\| '(\w+)'/g)].map((match) => match[1]);
    const cases = [...readFileSync('src/notify.ts', 'utf8').matchAll(/case '(\w+)':/g)];
    assert.ok(codes.length > 0);
    assert.deepEqual(
      cases
        .map((match) => match[1])
        .filter((code) => code !== 'serverStopped')
        .sort(),
      codes.sort(),
    );
  });
});
