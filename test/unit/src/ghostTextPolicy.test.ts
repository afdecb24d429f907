import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { endOfChange, isSentencePoint, type Offer, restsOf } from '../../../src/ghostTextPolicy.ts';

/** @param text  a document with `|` at the caret */
function checkPoint(text: string, expected: boolean): void {
  const lines = text.split('\n');
  const line = lines.findIndex((candidate) => candidate.includes('|'));
  const character = lines[line]?.indexOf('|') ?? 0;
  lines[line] = lines[line]?.replace('|', '') ?? '';
  const point = isSentencePoint(lines[line] ?? '', character, (distance) => lines[line - distance]);
  assert.equal(point, expected, JSON.stringify(text));
}

describe('isSentencePoint', () => {
  it('accepts the end of a sentence at the end of a line', () => {
    checkPoint('The harbour was dark.|', true);
    checkPoint('The harbour was dark. |', true);
    checkPoint('The harbour was dark.|  ', true);
    checkPoint('Who was there?|', true);
    checkPoint('Stop!|', true);
    checkPoint('She waited…|', true);
  });

  it('accepts closing quotes, brackets, markup and footnote marks after the punctuation', () => {
    checkPoint('“Who is there?”|', true);
    checkPoint('(She waited.)|', true);
    checkPoint('*She waited.*|', true);
    checkPoint('It was dark.[^1]|', true);
    checkPoint("``Who is there?''|", true);
    checkPoint('\\emph{It was dark.}|', true);
  });

  it('accepts the sentence ends of other scripts', () => {
    checkPoint('港は暗かった。|', true);
    checkPoint('「誰だ？」|', true);
    checkPoint('كان الميناء مظلمًا؟|', true);
    checkPoint('बंदरगाह में अँधेरा था।|', true);
  });

  it('accepts an empty line below the end of a sentence', () => {
    checkPoint('It was dark.\n|', true);
    checkPoint('It was dark.\n\n|', true);
    checkPoint('It was dark.\n\n  |', true);
    checkPoint('It was dark.\n\n\n|', false);
  });

  it('refuses the middle of a sentence and of a line', () => {
    checkPoint('The harbour was|', false);
    checkPoint('The harbour,|', false);
    checkPoint('It was dark.| She waited.', false);
    checkPoint('It was dark|.', false);
    checkPoint('The harbour was\n|', false);
  });

  it('refuses what has no sentence before it', () => {
    checkPoint('|', false);
    checkPoint('\n\n|', false);
    checkPoint('1.|', false);
    checkPoint('...|', false);
    checkPoint('# The Harbour|', false);
    checkPoint('- |', false);
  });

  it('looks at the end of a line only, however long it is', () => {
    checkPoint(`${'word '.repeat(200_000)}end.|`, true);
    checkPoint(`a.${')'.repeat(100_000)}|`, false);
    checkPoint(`a.${'[^'.repeat(100_000)}|`, false);
  });
});

const caret = { uri: 'file:///a.md', line: 4, before: 'It was dark.' };
const offer: Offer = { caret, texts: [' She waited.', ' She slept.', ' Nobody came.'] };

function checkRests(before: string, rests: string[]): void {
  assert.deepEqual(restsOf(offer, { ...caret, before }), rests);
}

describe('restsOf', () => {
  it('is everything where the offer was made', () => {
    checkRests('It was dark.', [' She waited.', ' She slept.', ' Nobody came.']);
  });

  it('is the rest of what the writer is typing', () => {
    checkRests('It was dark. ', ['She waited.', 'She slept.', 'Nobody came.']);
    checkRests('It was dark. She ', ['waited.', 'slept.']);
    checkRests('It was dark. She w', ['aited.']);
  });

  it('is nothing when the writer goes another way, or has taken all of it', () => {
    checkRests('It was dark. A', []);
    checkRests('It was dark', []);
    checkRests('It was late.', []);
    checkRests('It was dark. She slept.', []);
    checkRests('It was dark. She waited. Then', []);
  });

  it('is nothing in another place', () => {
    assert.deepEqual(restsOf(offer, { ...caret, line: 5 }), []);
    assert.deepEqual(restsOf(offer, { ...caret, uri: 'file:///b.md' }), []);
  });
});

describe('endOfChange', () => {
  it('is where the text ends, on whichever line', () => {
    const start = { line: 3, character: 5 };
    assert.deepEqual(endOfChange(start, ''), start);
    assert.deepEqual(endOfChange(start, 'dark.'), { line: 3, character: 10 });
    assert.deepEqual(endOfChange(start, 'dark.\n'), { line: 4, character: 0 });
    assert.deepEqual(endOfChange(start, 'dark.\r\n\r\nShe'), { line: 5, character: 3 });
  });
});
