import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { eventually } from '../harness/eventually.ts';
import { isRunning } from '../harness/processes.ts';
import { Workbench } from '../harness/workbench.ts';

const story = `The storm had passed over the island in the night.
The fishermen went down to the beach to look for their boats.
`;
const files = {
  'harbour.md': readFileSync('samples/harbour.md', 'utf8'),
  'story.md': story,
  'story.tex': `\\section{The storm}\n${story}`,
  'story.txt': story,
};

let workbench: Workbench;
before(async () => {
  workbench = await Workbench.open(files);
});
after(async () => workbench?.dispose());

/** Opens a document, writes a sentence at the end of a line and returns what is offered after it. */
async function writeSentence(name: string, line: number, sentence: string): Promise<string> {
  await workbench.openFile(name);
  await workbench.putCaretAtEndOf(line);
  await workbench.type(sentence);
  return workbench.ghostText();
}

test('a sentence appears after a pause at the end of a sentence in a Markdown file', async () => {
  const line = files['harbour.md'].split('\n').findIndex((text) => text.startsWith('One winter'));
  const offered = await writeSentence('harbour.md', line + 1, ' The wind grew stronger.');
  assert.match(offered, /^ \S.*\S$/);
});

test('cycling shows another candidate, Tab accepts it and the file on disk has it', async () => {
  const sentence = ' Nobody spoke.';
  const first = await writeSentence('story.md', 2, sentence);
  await workbench.press('Alt+BracketRight');
  const second = await workbench.ghostText(first);
  await workbench.press('Tab');
  const saved = await workbench.saveAndRead('story.md', sentence + second);
  assert.ok(!saved.includes(first), 'the first candidate is not in the file');
});

for (const [name, line] of [
  ['story.tex', 3],
  ['story.txt', 2],
] as const) {
  test(`a sentence appears in ${name}`, async () => {
    assert.notEqual(await writeSentence(name, line, ' Nobody spoke.'), '');
  });
}

test('a killed server comes back and offers a sentence again', async () => {
  const killed = await workbench.serverPid();
  const before = await workbench.status();
  process.kill(killed, 'SIGKILL');
  const restarted = await workbench.serverPid(killed);
  assert.notEqual(restarted, killed);
  // That of the new server tells of no answer yet; until it starts the old one's still stands there.
  await eventually(async () => {
    const status = await workbench.status();
    return status.includes('Ready') && status !== before;
  }, 'a server that is ready again');
  assert.notEqual(await writeSentence('story.txt', 1, ' The sea was quiet.'), '');
});

test('the server is gone after the window closes', async () => {
  const server = await workbench.serverPid();
  await workbench.closeWindow();
  await eventually(() => !isRunning(server), 'the end of the server');
});
