import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DocumentText, type PositionKind } from '../../../server/text/documentText.ts';
import type { ProseFormat } from '../../../server/text/proseBlock.ts';
import { documents } from '../../support/documents.ts';

/** A small generator of repeatable numbers (mulberry32). */
function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

const insertions = [
  ...['a', ' ', '.', '\n', '\n\n', '. The ', '```\n', '$$\n', '- ', '> ', '  ', '|-|-|\n', '---\n'],
  ...[
    '[x]: y\n',
    '[notes]',
    '<!--',
    '-->',
    '{',
    '}',
    '%',
    '\\begin{verbatim}\n',
    '\\end{verbatim}\n',
  ],
  ...[
    '\\item ',
    '\\begin{document}',
    '\\documentclass{a}',
    '\\[',
    '\\]',
    '\0',
    '\r\n',
    '\ud800',
    '😀',
  ],
  ...['\ufeff', '\t', '1. ', '# ', '\\', '`', '$', '| a |\n', '<script>\n', '~~~\n'],
];

for (const [format, original] of documents) {
  test(`${format} after random edits is split as a fresh document`, () => {
    for (let seed = 1; seed <= 8; seed += 1) {
      const random = seeded(seed);
      const document = new DocumentText(original, format);
      if (seed % 2 === 0) assert.ok(document.sentences.length > 0);
      for (let i = 0; i < 40; i += 1) {
        const { length } = document.text;
        const start = random(length + 1);
        const isDeletion = random(3) === 0;
        const end = isDeletion ? Math.min(length, start + random(random(2) === 0 ? 4 : 60)) : start;
        const replacement = isDeletion ? '' : (insertions[random(insertions.length)] ?? '');
        const { text } = document;
        document.applyEdit(start, end, replacement);
        assert.equal(document.text, text.slice(0, start) + replacement + text.slice(end));
        const fresh = new DocumentText(document.text, format);
        assert.deepEqual(
          document.sentences,
          fresh.sentences,
          JSON.stringify({ seed, i, start, end, replacement }),
        );
      }
    }
  });

  test(`${format} typed letter by letter is split as a whole`, () => {
    const document = new DocumentText('', format);
    for (const [i, letter] of [...original].entries()) {
      document.applyEdit(document.text.length, document.text.length, letter);
      if (i % 50 === 0) {
        assert.deepEqual(document.sentences, new DocumentText(document.text, format).sentences);
      }
    }
    assert.deepEqual(document.sentences, new DocumentText(original, format).sentences);
  });
}

test('an edit reports the sentences of the paragraphs it touched', () => {
  const paragraphs = Array.from({ length: 20 }, (_, i) => `Paragraph ${i} is here. It ends.`);
  const document = new DocumentText(paragraphs.join('\n\n'), 'markdown');
  assert.equal(document.sentences.length, 40);
  const at = document.text.indexOf('19 is');
  const change = document.applyEdit(at, at, 'number ');
  assert.ok(change.added.length <= 8 && change.removed.length === change.added.length);
  assert.ok(change.added.some(({ text }) => text === 'Paragraph number 19 is here.'));
  assert.ok(change.removed.some(({ text }) => text === 'Paragraph 19 is here.'));
});

test('the sentence at an offset is the last that begins there or before', () => {
  const document = new DocumentText('# Title\n\nOne. Two.\n\nThree\n', 'markdown');
  const check = (offset: number, text: string | undefined) =>
    assert.equal(document.sentenceAt(offset)?.text, text, String(offset));
  check(3, undefined);
  check(9, 'One.');
  check(13, 'One.');
  check(14, 'Two.');
  check(19, 'Two.');
  check(document.text.length, 'Three');
  assert.equal(new DocumentText('', 'plaintext').sentenceAt(0), undefined);
});

test('a sentence knows the finished prose of its paragraph', () => {
  const { sentences } = new DocumentText('One *and* two. Three. Fou', 'markdown');
  assert.deepEqual(
    sentences.map(({ paragraph }) => paragraph),
    ['One and two. Three.', 'One and two. Three.', 'One and two. Three.'],
  );
  assert.equal(new DocumentText('Fou', 'plaintext').sentences[0]?.paragraph, '');
  assert.equal(new DocumentText('Fou\n\nX', 'plaintext').sentences[0]?.paragraph, 'Fou');
});

test('a pasted chapter is not read before it is asked for', () => {
  const document = new DocumentText('One. ', 'plaintext');
  const chapter = 'It rained. '.repeat(2000);
  assert.deepEqual(document.applyEdit(5, 5, chapter).added, []);
  assert.equal(document.sentences.length, 2001);
});

test('a definition far away makes a link of a reference', () => {
  const document = new DocumentText(
    'See [this page][p] now.\n\nMore.\n\nLast.\n\nEnd.\n',
    'markdown',
  );
  assert.equal(document.sentences[0]?.text, 'See [this page][p] now.');
  document.applyEdit(document.text.length, document.text.length, '\n[p]: http://a.b\n');
  assert.equal(document.sentences[0]?.text, 'See this page now.');
});

test('the sentences before the caret are the complete ones', () => {
  const document = new DocumentText('One. Two.\n\nThree. Four is', 'plaintext');
  const before = (offset: number, count?: number) =>
    document.sentencesBefore(offset, count).map(({ text }) => text);
  assert.deepEqual(before(document.text.length), ['One.', 'Two.', 'Three.']);
  assert.deepEqual(before(document.text.length, 2), ['Two.', 'Three.']);
  assert.deepEqual(before(9), ['One.', 'Two.']);
  assert.deepEqual(before(8), ['One.']);
  assert.deepEqual(before(0), []);
  assert.deepEqual(new DocumentText('', 'markdown').sentencesBefore(0), []);
});

/** The caret stands where `‸` does. */
function checkPosition(format: ProseFormat, cases: Record<string, PositionKind>): void {
  for (const [marked, expected] of Object.entries(cases)) {
    const offset = marked.indexOf('‸');
    const text = marked.slice(0, offset) + marked.slice(offset + 1);
    const kind = new DocumentText(text, format).positionKind(offset);
    assert.equal(kind, expected, JSON.stringify(marked));
  }
}

test('a next sentence is wanted at the ends of sentences and paragraphs', () => {
  checkPosition('markdown', {
    'A sentence.‸': 'paragraphEnd',
    'A sentence. ‸': 'paragraphEnd',
    'A sentence.‸  \nMore here.': 'sentenceEnd',
    'A **bold end.**‸': 'paragraphEnd',
    'He said “yes.”‸': 'paragraphEnd',
    'A sentence.\n\n‸': 'paragraphStart',
    'A sentence.\n\n‸\n\nMore.': 'paragraphStart',
    'A sentence.\n‸': 'paragraphEnd',
    'A sentence‸': 'midSentence',
    'A sentence‸ goes on.': 'midSentence',
    'One.‸ Two.': 'betweenSentences',
    'One. ‸Two.': 'betweenSentences',
    'One. Tw‸o.': 'midSentence',
    'See Dr.‸': 'midSentence',
    'See e.g.‸': 'midSentence',
    '- An item.‸': 'paragraphEnd',
    '> Quoted.‸': 'paragraphEnd',
    'A fact.[^1]‸\n\n[^1]: Note.': 'paragraphEnd',
    '今日は雨。‸': 'paragraphEnd',
    'نعم.‸': 'paragraphEnd',
  });
  checkPosition('latex', {
    '\\begin{document}\nA sentence.‸\n\\end{document}': 'paragraphEnd',
    'A sentence.‸': 'paragraphEnd',
    'A \\emph{sentence.}‸': 'paragraphEnd',
    '\\item An item.‸': 'paragraphEnd',
    'A sentence.\n\n‸': 'paragraphStart',
  });
  checkPosition('plaintext', {
    'A sentence.‸': 'paragraphEnd',
    'A sentence.\n‸': 'paragraphStart',
    'A sentence‸': 'midSentence',
  });
});

test('no next sentence is wanted outside of prose', () => {
  checkPosition('markdown', {
    '‸': 'notProse',
    '# A heading.‸': 'notProse',
    'A heading.‸\n===': 'notProse',
    '```\nA sentence.‸\n```': 'notProse',
    '```\nA sentence.\n\n‸\n```': 'notProse',
    '```\nA sentence.‸': 'notProse',
    '    code. Here.‸': 'notProse',
    '$$\nx.‸\n$$': 'notProse',
    '| a. | b.‸\n|---|---|': 'notProse',
    '[link](http://a.‸': 'notProse',
    'Some `code.‸': 'notProse',
    'Some `code.‸`': 'notProse',
    'Some $x.‸': 'notProse',
    'Some $x.‸$': 'notProse',
    'See <https://a.‸>': 'notProse',
    '<!-- Comment.‸ -->': 'notProse',
    '<!-- Comment.‸': 'notProse',
    '<div>\nText.‸\n</div>': 'notProse',
    '---\ntitle: A.‸\n---\n': 'notProse',
    '[a]: http://b.‸': 'notProse',
    '# Heading.\n\n‸': 'notProse',
  });
  checkPosition('latex', {
    '\\section{Title.}‸': 'notProse',
    '\\documentclass{a.}‸\n\\begin{document}\n': 'notProse',
    'Text. % Comment.‸': 'notProse',
    '\\begin{equation}\nx.‸\n\\end{equation}': 'notProse',
    '\\begin{verbatim}\nText.‸\n\\end{verbatim}': 'notProse',
    'As \\cite{a.‸': 'notProse',
    'So $x.‸': 'notProse',
    'So $x.‸$': 'notProse',
    '\\[ x.‸': 'notProse',
    'A.\n\\end{document}\nText.‸': 'notProse',
  });
  checkPosition('plaintext', { 'a\0b.‸': 'notProse' });
});

test('a document is prose again when its last NUL is gone', () => {
  const document = new DocumentText('One.\n\nTwo.\n\nThree.\n\nFour.', 'markdown');
  const { sentences } = document;
  document.applyEdit(2, 2, '\0');
  assert.deepEqual(document.sentences, []);
  document.applyEdit(2, 3, '');
  assert.deepEqual(document.sentences, sentences);
});

for (const [format, text] of documents) {
  test(`${format} read bit by bit has the sentences of reading at once, also after an edit`, () => {
    const document = new DocumentText(text, format);
    let parts = 0;
    for (const _ of document.reading()) {
      parts += 1;
      if (parts === 2) document.applyEdit(0, 0, 'A beginning. ');
    }
    assert.ok(parts > 2);
    assert.equal(document.reading().next().done, true);
    assert.deepEqual(
      document.sentences,
      new DocumentText(`A beginning. ${text}`, format).sentences,
    );
  });
}

for (const [format, text] of documents) {
  test(`${format}: the sentences around a range are those that it touches, and no far ones`, () => {
    const whole = new DocumentText(text, format).sentences;
    for (let start = 0; start < text.length; start += 37) {
      const end = Math.min(text.length, start + (start % 5) * 20);
      const around = new DocumentText(text, format).sentencesAround(start, end);
      const first = whole.findIndex((one) => one.start === around[0]?.start);
      assert.deepEqual(
        around,
        around.length === 0 ? [] : whole.slice(first, first + around.length),
      );
      const touched = whole.filter((one) => one.start < end && one.end > start);
      for (const one of touched) assert.ok(around.some((other) => other.start === one.start));
    }
  });
}

test('code, front matter and maths are opaque; prose, headings and an empty document are not', () => {
  const text = '---\nlang: en\n---\n\n# Title\n\nIt rained.\n\n```\ncode\n```\n\n$$\nx\n$$\n';
  const document = new DocumentText(text, 'markdown');
  const isOpaque = (word: string) => document.isOpaqueAt(text.indexOf(word));
  assert.deepEqual(['lang', 'code', 'x\n$$'].map(isOpaque), [true, true, true]);
  assert.deepEqual(['Title', 'rained'].map(isOpaque), [false, false]);
  assert.equal(new DocumentText('', 'markdown').isOpaqueAt(0), false);
});

test('sentences after an offset are the finished ones that begin there, in order', () => {
  const document = new DocumentText('One. Two.\n\nThree. Four.\n\nFive and', 'plaintext');
  const after = (offset: number, count: number) =>
    document.sentencesAfter(offset, count).map(({ text }) => text);
  assert.deepEqual(after(0, 3), ['One.', 'Two.', 'Three.']);
  assert.deepEqual(after(4, 2), ['Two.', 'Three.']);
  assert.deepEqual(after(6, 9), ['Three.', 'Four.']);
  assert.deepEqual(after(document.text.length, 9), []);
  assert.deepEqual(new DocumentText('', 'plaintext').sentencesAfter(0, 9), []);
});

test('sentences around an offset are the nearest of what was read, and read nothing', () => {
  const paragraphs = Array.from({ length: 9 }, (_, i) => `Number ${i}. It is.`);
  const document = new DocumentText(paragraphs.join('\n\n'), 'plaintext');
  const at = document.text.indexOf('Number 4');
  const around = (count: number) =>
    document.sentencesReadAround(at, count).map(({ start, text }) => {
      assert.equal(document.text.slice(start, start + text.length), text);
      return text;
    });
  assert.deepEqual(around(9), []);
  document.sentencesAfter(document.text.indexOf('Number 8'), 2);
  assert.deepEqual(around(9), ['Number 8.', 'It is.']);
  assert.equal(document.sentences.length, 18);
  assert.deepEqual(around(2), ['Number 3.', 'It is.', 'Number 4.', 'It is.']);
  assert.equal(around(99).length, 18);
});
