import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findHeading } from '../../../../server/features/rewriting/headings.ts';
import { DocumentText } from '../../../../server/text/documentText.ts';
import type { ProseFormat } from '../../../../server/text/proseBlock.ts';

/** Expands the line with the caret `|` by `Text.`; null where it is no heading. */
function check(source: string, expected: string | null, format: ProseFormat = 'markdown') {
  const caret = source.indexOf('|');
  const text = source.replace('|', '');
  const place = findHeading(new DocumentText(text, format), { start: caret, end: caret });
  const expanded =
    place &&
    `${text.slice(0, place.start)}${place.prefix}Text.${place.suffix}${text.slice(place.end)}`;
  assert.equal(expanded, expected, source);
}

function checkWords(line: string, expected: string, format: ProseFormat = 'markdown') {
  const place = findHeading(new DocumentText(`${line}\n`, format), { start: 0, end: 0 });
  assert.equal(place?.heading, expected, line);
}

test('sentences below a Markdown heading have an empty line before them, and after', () => {
  check('# The| rain', '# The rain\n\nText.');
  check('## The rain|\n', '## The rain\n\nText.\n');
  check('# The| rain\n\nHe left.', '# The rain\n\nText.\n\nHe left.');
  check('# The| rain\nHe left.', '# The rain\n\nText.\n\nHe left.');
  check('The rain|\n========\n\nHe left.', 'The rain\n========\n\nText.\n\nHe left.');
  check('# The| rain\r\nHe left.\r\n', '# The rain\r\n\r\nText.\r\n\r\nHe left.\r\n');
});

test('sentences below an item are indented to its words', () => {
  check('- The| rain\n- The sun', '- The rain\n\n  Text.\n- The sun');
  check('  12. The| rain\n', '  12. The rain\n\n      Text.\n');
  check('- [ ] The| rain\n', '- [ ] The rain\n\n  Text.\n');
  check('- The| rain\n- The sun\n', '- The rain\n  Text.\n- The sun\n', 'plaintext');
  const list = (item: string) => `\\begin{itemize}\n  \\item The rain${item}\n\\end{itemize}\n`;
  check(list('|'), list('\n    Text.'), 'latex');
});

test('LaTeX headings and short lines on their own are headings', () => {
  check('\\section*{The| rain}\nHe left.', '\\section*{The rain}\nText.\n\nHe left.', 'latex');
  check('The| rain\n\nHe left.', 'The rain\n\nText.\n\nHe left.', 'plaintext');
  check('The| rain', 'The rain\n\nText.');
});

test('paragraphs, sentences, code and empty lines are none', () => {
  check('The rain| and\nthe sun', null);
  check('The rain| ended.', null);
  check('- The rain| ended.', null);
  check('```\n# The| rain\n```\n', null);
  check('---\ntitle: The| rain\n---\n', null);
  check('|', null);
  check('#|', null);
  check('#| \n', null);
  check(`${'very '.repeat(30)}|long`, null);
  const text = new DocumentText('# The rain\n\nHe left.', 'markdown');
  assert.equal(findHeading(text, { start: 2, end: 15 }), null);
});

test('a heading is its words without markup', () => {
  checkWords('## The *old* `harbour` ##', 'The old harbour');
  checkWords('# See [the rain](https://example.org)', 'See the rain');
  checkWords(
    '\\subsection[Rain]{The \\emph{old} harbour}\\label{sec:rain}',
    'The old harbour',
    'latex',
  );
  checkWords('1) The rain', 'The rain');
});
