import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { endOfPart } from '../../../src/acceptedPart.ts';
import { eventually } from '../harness/eventually.ts';
import { Workbench } from '../harness/workbench.ts';

const story = `The storm had passed over the island in the night.
The fishermen went down to the beach to look for their boats.`;
const sentence = ' Nobody spoke.';
/** A document for each test, because what is set about one document is of no other. */
const names = [
  'clause',
  'sentence',
  'typing',
  'language',
  'snooze',
  'steer',
  'explain',
  'restart',
] as const;

let workbench: Workbench;
before(async () => {
  const files = Object.fromEntries(names.map((name) => [`${name}.md`, story]));
  // Two sentences, so that a clause and a sentence are only a part of what is offered.
  workbench = await Workbench.open(files, { 'thoughtline.completion.sentences': 2 });
});
after(async () => workbench?.dispose());

/** Opens a document, writes a sentence at its end and returns what is offered after it. */
async function write(name: (typeof names)[number]): Promise<string> {
  await workbench.openFile(`${name}.md`);
  await workbench.putCaretAtEndOf(2);
  await workbench.type(sentence);
  return workbench.ghostText();
}

/** Saves and waits until what stands on disk after the story is this. */
async function checkSaved(name: (typeof names)[number], added: string): Promise<void> {
  await workbench.press('Control+S');
  await eventually(() => workbench.read(`${name}.md`) === story + added, `“${added}” in ${name}`);
}

/** The editor takes words one by one, so that others may stand there before. */
async function checkGhostText(expected: string): Promise<void> {
  await eventually(async () => (await workbench.ghostText()) === expected, `“${expected}”`);
}

async function checkStatus(pattern: RegExp): Promise<void> {
  await eventually(async () => pattern.test(await workbench.status()), String(pattern));
}

for (const [part, key] of [
  ['clause', 'Alt+Comma'],
  ['sentence', 'Alt+Period'],
] as const) {
  test(`a key takes one ${part}, the rest stays to be taken, and undo takes it back`, async () => {
    const offered = await write(part);
    const end = endOfPart(offered, part);
    await workbench.press(key);
    await checkGhostText(offered.slice(end));
    await checkSaved(part, sentence + offered.slice(0, end));
    await workbench.press('Tab');
    await checkSaved(part, sentence + offered);
    await workbench.press('Control+Z');
    await checkSaved(part, sentence + offered.slice(0, end));
    // The first word is taken by itself where the offered sentences begin with the same one.
    await workbench.press('Control+Z');
    await workbench.press('Control+S');
    const taken = story.length + sentence.length + end;
    await eventually(() => workbench.read(`${part}.md`).length < taken - 8, 'a part taken back');
    assert.ok(workbench.read(`${part}.md`).startsWith(story + sentence));
  });
}

test('typing what is shown keeps it, without a flicker', async () => {
  const offered = await write('typing');
  const vanished = await workbench.vanishedGhostTexts();
  const typed = offered.slice(0, 8);
  for (const character of typed) {
    const before = await workbench.ghostText();
    await workbench.type(character);
    await checkGhostText(before.slice(1));
  }
  assert.equal(await workbench.vanishedGhostTexts(), vanished);
});

test('a key shows the same thought in the next language, and the status bar tells which', async () => {
  const offered = await write('language');
  await workbench.press('Alt+Slash');
  assert.notEqual(await workbench.ghostText(offered), offered);
  await checkStatus(/Suggestions in \p{Lu}/u);
});

test('nothing comes unasked while it is snoozed, and a key ends that', async () => {
  await workbench.openFile('snooze.md');
  await workbench.putCaretAtEndOf(2);
  await workbench.press('Shift+Alt+End');
  await workbench.choose('5 minutes');
  await checkStatus(/Snoozed until/);
  const { length } = await workbench.drawnGhostTexts();
  await workbench.type(sentence);
  await workbench.press('Control+Alt+Enter');
  const offered = await workbench.ghostText();
  assert.deepEqual((await workbench.drawnGhostTexts()).slice(length), [offered]);
  await workbench.press('Shift+Alt+End');
  await checkStatus(/^(?!.*Snoozed)/);
});

test('suggestions are steered toward a phrase, the status bar tells, and a key clears it', async () => {
  await write('steer');
  await workbench.press('Shift+Alt+Enter');
  await workbench.choose('Toward a phrase');
  await workbench.answer('The lighthouse went out.');
  await checkStatus(/Steered → “The lighthouse went out\.”/);
  assert.notEqual(await workbench.ghostText(), '');
  await workbench.press('Shift+Alt+Backspace');
  await checkStatus(/^(?!.*Steered)/);
});

test('the reasons of a suggestion are shown, and another candidate is taken from them', async () => {
  await write('explain');
  await workbench.runCommand('Why This Suggestion?');
  const candidates = await workbench.choices('Why This Suggestion?');
  assert.ok(candidates.length > 1);
  await workbench.choose(candidates[1] ?? '');
  await workbench.saveAndRead('explain.md', `${story}${sentence} ${candidates[1]}`);
});

test('what is written while the server is away is answered when it is back', async () => {
  await workbench.openFile('restart.md');
  await workbench.putCaretAtEndOf(2);
  const killed = await workbench.serverPid();
  process.kill(killed, 'SIGKILL');
  await workbench.type(sentence);
  assert.match(await workbench.ghostText(), /\S/);
});

test('what became of the suggestions is counted in a view', async () => {
  await workbench.page.locator('.activitybar [aria-label="Thoughtline"]').first().click();
  await workbench.page.getByRole('treeitem', { name: /^Shown: [1-9]/ }).waitFor();
  await workbench.page.getByRole('treeitem', { name: /^Accepted: [1-9]/ }).waitFor();
});
