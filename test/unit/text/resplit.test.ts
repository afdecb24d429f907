import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cutSentence, resplit } from '../../../server/text/resplit.ts';

test('resplit packs words greedily, as the recipe does', () => {
  const cases: readonly (readonly [string, number, string, string[]])[] = [
    [
      'This is a long sentence that should be split into multiple parts.',
      20,
      ' ',
      ['This is a long ', 'sentence that ', 'should be split ', 'into multiple parts.'],
    ],
    ['one two three four', 9, ' ', ['one two ', 'three ', 'four']],
    ['aaaaaaaaaaaa bb c', 5, ' ', ['aaaaaaaaaaaa ', 'bb c']],
    ['a, b; c, dddddddd, e', 8, ',', ['a, b; c,', ' dddddddd,', ' e']],
    ['', 5, ' ', []],
    ['a', 5, ' ', ['a']],
    ['a ', 1, ' ', ['a ']],
    ['a b...c', 3, '...', ['a b...', 'c']],
  ];
  for (const [text, max, separator, expected] of cases) {
    assert.deepEqual(resplit(text, max, separator), expected, text);
    assert.equal(resplit(text, max, separator).join(''), text);
  }
});

/** Pieces are written as one string with ` | ` between them. */
function checkCut(max: number, cases: Record<string, string>): void {
  for (const [text, expected] of Object.entries(cases)) {
    const pieces = cutSentence(text, max).map(({ start, end }) => text.slice(start, end));
    assert.equal(pieces.join(' | '), expected, text);
  }
}

test('a long sentence is cut at the strongest separator that does', () => {
  checkCut(10, {
    short: 'short',
    'one, two; three for': 'one, two; | three for',
    'one two three four': 'one two | three four',
    'one... two thre, four': 'one... | two thre, | four',
    aaaaaaaaaaaaaaaaaaaaaaaaa: 'aaaaaaaaaa | aaaaaaaaaa | aaaaa',
    '今日は雨です、明日は晴れです': '今日は雨です、 | 明日は晴れです',
  });
});

test('a cut never falls inside a grapheme or a surrogate pair', () => {
  checkCut(3, {
    '😀😀😀😀': '😀😀😀 | 😀',
    'e\u0301e\u0301e\u0301': 'e\u0301 | e\u0301 | e\u0301',
    '👩‍👩‍👧a': '👩‍👩 | ‍👧a',
    'a\ud800b\udc00c': 'a\ud800b | \udc00c',
  });
});

test('the pieces of a word of 20,000 letters are all of it', () => {
  const pieces = cutSentence('x'.repeat(20_000));
  assert.equal(pieces.length, Math.ceil(20_000 / 256));
  for (const [i, { start, end }] of pieces.entries()) {
    assert.equal(start, pieces[i - 1]?.end ?? 0);
    assert.ok(end - start <= 256);
  }
});
