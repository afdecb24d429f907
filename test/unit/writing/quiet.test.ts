import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Quiet } from '../../../protocol/completion.ts';
import { type CompletionSettings, defaultSettings } from '../../../protocol/settings.ts';
import { findFilePlace } from '../../../server/writing/filePlace.ts';
import { ExcludedFiles, type QuietFacts, quietReason } from '../../../server/writing/quiet.ts';

type Changes = Partial<Omit<QuietFacts, 'settings'>> & { completion?: Partial<CompletionSettings> };

function check({ completion, ...changes }: Changes, expected: Quiet | null): void {
  const reason = quietReason({
    settings: { ...defaultSettings, completion: { ...defaultSettings.completion, ...completion } },
    languageId: 'markdown',
    isExcluded: false,
    stated: null,
    snoozedUntil: null,
    isOnBattery: null,
    now: 1000,
    ...changes,
  });
  assert.equal(reason, expected, JSON.stringify({ completion, ...changes }));
}

const noMarkdown = { languages: { ...defaultSettings.completion.languages, markdown: false } };
const manual = { mode: 'manual' } as const;
const battery = { pauseOnBattery: true };

describe('quietReason', () => {
  it('has none by default', () => {
    check({}, null);
    check({ languageId: 'tex' }, null);
  });

  it('is off where the writer has switched everything, the language or the file off', () => {
    check({ completion: { enabled: false } }, 'off');
    check({ completion: noMarkdown }, 'off');
    check({ completion: noMarkdown, languageId: 'latex' }, null);
    check({ languageId: 'python' }, 'off');
    check({ isExcluded: true }, 'off');
  });

  it('is manual in that mode', () => {
    check({ completion: manual }, 'manual');
  });

  it('is snoozed until the time has come', () => {
    check({ snoozedUntil: 1001 }, 'snoozed');
    check({ snoozedUntil: 1000 }, null);
  });

  it('is for the battery where the writer wants it and the machine tells', () => {
    check({ completion: battery, isOnBattery: true }, 'battery');
    check({ completion: battery, isOnBattery: false }, null);
    check({ completion: battery, isOnBattery: null }, null);
    check({ isOnBattery: true }, null);
  });

  it('heeds what the document says above the settings of its kind', () => {
    check({ stated: 'off' }, 'off');
    check({ stated: 'manual' }, 'manual');
    check({ stated: 'on', completion: manual }, null);
    check({ stated: 'on', completion: noMarkdown }, null);
    check({ stated: 'on', isExcluded: true }, null);
    check({ stated: 'manual', isExcluded: true }, 'manual');
  });

  it('heeds the switch of all, a snooze and the battery above what the document says', () => {
    check({ stated: 'on', completion: { enabled: false } }, 'off');
    check({ stated: 'on', snoozedUntil: 2000 }, 'snoozed');
    check({ stated: 'on', completion: battery, isOnBattery: true }, 'battery');
  });

  it('tells what lasts before what passes', () => {
    const passing = { snoozedUntil: 2000, isOnBattery: true };
    check({ ...passing, stated: 'off', completion: { ...manual, ...battery } }, 'off');
    check({ ...passing, completion: { ...manual, ...battery } }, 'manual');
    check({ ...passing, completion: battery }, 'snoozed');
  });
});

describe('ExcludedFiles', () => {
  const folders = ['file:///home/ada/book'];
  const warnings: string[] = [];
  const ignore = () => {};
  const warn = (message: string) => void warnings.push(message);
  const files = new ExcludedFiles({ debug: ignore, info: ignore, warn, error: ignore });

  const has = (patterns: string[], uri: string) => files.has(patterns, findFilePlace(uri, folders));

  const inside = 'file:///home/ada/book/letters/one.md';

  it('names files relative to their folder, by their whole path or by their name', () => {
    assert.ok(has(['letters/*'], inside));
    assert.ok(has(['/home/*/book/**'], inside));
    assert.ok(has(['one.*'], inside));
    assert.ok(has(['other', '**/letters/**'], inside));
    assert.ok(!has(['book/**'], inside));
    assert.ok(!has(['letters'], inside));
    assert.ok(!has(['*/one.md'], 'file:///home/ada/one.md'));
    assert.ok(has(['**/one.md'], 'file:///home/ada/one.md'));
    assert.ok(!has([], inside));
  });

  it('names none for documents without a file', () => {
    assert.ok(!has(['**'], 'untitled:Untitled-1'));
    assert.ok(!has(['**'], `file:///${'a'.repeat(5000)}`));
  });

  it('tells of a pattern that cannot be read once, and heeds the others', () => {
    const patterns = ['[a', 'letters/', ''];
    assert.ok(has(patterns, inside));
    assert.ok(!has(patterns, 'file:///home/ada/book/one.md'));
    assert.deepEqual(warnings.splice(0), [
      'setting refused: thoughtline.completion.excludedFiles.0: expected a ] for every [',
      'setting refused: thoughtline.completion.excludedFiles.2: expected a glob, found nothing',
    ]);
  });

  it('reads no more than can be matched soon', () => {
    const patterns = [...Array.from({ length: 20 }, () => '*a'.repeat(250)), '**/letters/*'];
    assert.ok(has(patterns, inside));
    assert.equal(warnings.splice(0).length, 4);
  });
});
