import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProseFormat } from '../../../server/text/proseBlock.ts';
import { splitSentences } from '../../../server/text/sentenceSplitter.ts';
import { type StatedSwitch, statedSwitch } from '../../../server/text/statedSwitch.ts';

const formats = ['markdown', 'latex', 'plaintext'] as const;

function check(format: ProseFormat, text: string, expected: StatedSwitch | null) {
  assert.equal(statedSwitch(text, format), expected, text);
}

test('a comment for us, in the comments of each format', () => {
  check('markdown', '<!-- thoughtline: off -->\nIt rains.', 'off');
  check('markdown', '# Rain\n\n<!--Thoughtline:MANUAL-->', 'manual');
  check('markdown', '<!-- thoughtline: on --> It rains.', 'on');
  check('latex', '% thoughtline: off\r\nIt rains.', 'off');
  check('latex', '%% thoughtline: manual', 'manual');
  check('plaintext', 'thoughtline: off\n\nIt rains.', 'off');
  check('plaintext', '\uFEFFthoughtline: off\n\nIt rains.', 'off');
  check('plaintext', 'Rain\n\n  thoughtline: false  \r\nIt rains.', 'off');
});

test('the comment of another format, another word and a sentence are no switch', () => {
  check('markdown', 'thoughtline: off', null);
  check('markdown', '% thoughtline: off', null);
  check('latex', 'thoughtline: off', null);
  check('plaintext', '<!-- thoughtline: off -->', null);
  check('plaintext', 'thoughtline: offline', null);
  check('plaintext', 'thoughtline: never', null);
  check('plaintext', 'thoughtline: off for now', null);
  check('plaintext', 'Write thoughtline: off at the top.', null);
  check('plaintext', 'thoughtline:\noff', null);
  for (const format of formats) check(format, '', null);
});

test('a comment counts in the first 20 lines', () => {
  check('plaintext', `${'A line.\n'.repeat(19)}thoughtline: off`, 'off');
  check('plaintext', `${'A line.\n'.repeat(20)}thoughtline: off`, null);
});

test('front matter in YAML and TOML, with the booleans that YAML makes of on and off', () => {
  check('markdown', '---\ntitle: A\nthoughtline: off\n---\nIt rains.', 'off');
  check('markdown', '---\nthoughtline: on\n---\n', 'on');
  check('markdown', '---\nthoughtline: false\n---\n', 'off');
  check('markdown', '---\nthoughtline: True\n---\n', 'on');
  check('markdown', '\uFEFF---\r\nthoughtline: "manual" # for now\r\n---\r\n', 'manual');
  check('markdown', "+++\nthoughtline = 'off'\n+++\n", 'off');
  check('markdown', '+++\nthoughtline = false\n+++\n', 'off');
});

test('what only looks like front matter is none', () => {
  check('markdown', '---\nthoughtline: off\n', null);
  check('markdown', '\n---\nthoughtline: off\n---\n', null);
  check('markdown', '---\nexport:\n  thoughtline: off\n---\n', null);
  check('markdown', '---\nthoughtlines: off\n---\n', null);
  check('markdown', '---\nthoughtline: "off\n---\n', null);
  check('latex', '---\nthoughtline: off\n---\n', null);
});

test('a comment stands above the front matter, the first above the second', () => {
  check('markdown', '---\nthoughtline: off\n---\n<!-- thoughtline: on -->\n', 'on');
  check('plaintext', 'thoughtline: manual\nthoughtline: off', 'manual');
});

test('a switch and a language stand beside each other', () => {
  const text = '---\nlang: fr\nthoughtline: off\n---\n<!-- thoughtline: lang=de -->\n';
  check('markdown', text, 'off');
});

test('hostile beginnings end soon', () => {
  const start = performance.now();
  const many = 200_000;
  for (const text of [
    `---\n${'thoughtline: '.repeat(many)}`,
    `---\n${'---x\n'.repeat(many)}`,
    `---\nthoughtline: ${'"'.repeat(many)}\n---`,
    `---\nthoughtline: off${' '.repeat(many)}x\n---`,
    `<!-- thoughtline: off${' '.repeat(many)}`,
    '<!-- thoughtline: off'.repeat(many),
    `${'%'.repeat(many)} thoughtline: off`,
    `${'\t'.repeat(many)}thoughtline: off`,
    '\r'.repeat(many),
  ]) {
    for (const format of formats) assert.equal(statedSwitch(text, format), null);
  }
  // Far more than it takes; what backtracks over the whole head takes minutes.
  assert.ok(performance.now() - start < 5000);
});

test('the line that switches plain text is not prose', () => {
  const sentences = splitSentences('thoughtline: off\nIt rains. He leaves.', 'plaintext');
  assert.deepEqual(
    sentences.map(({ text }) => text),
    ['It rains.', 'He leaves.'],
  );
});
