import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DocumentText } from '../../../server/text/documentText.ts';
import { extractProse, maxParsedLength } from '../../../server/text/prose.ts';
import type { ProseFormat } from '../../../server/text/proseBlock.ts';
import { splitSentences } from '../../../server/text/sentenceSplitter.ts';
import { documents } from '../../support/documents.ts';

const formats: readonly ProseFormat[] = ['markdown', 'latex', 'plaintext'];

/** Markup may come between the letters of a sentence, but its letters are the document's. */
function isSubsequence(letters: string, source: string): boolean {
  let at = 0;
  for (const unit of letters) {
    at = source.indexOf(unit, at) + unit.length;
    if (at < unit.length) return false;
  }
  return true;
}

for (const [format, original] of documents) {
  for (const [name, text] of [
    ['line feeds', original],
    ['CRLF', original.replaceAll('\n', '\r\n')],
    ['a byte order mark', `\ufeff${original}`],
  ] as const) {
    test(`${format} with ${name}: each sentence stands where its offsets say`, () => {
      const sentences = splitSentences(text, format);
      assert.ok(sentences.length > 10);
      let previous = 0;
      for (const { text: sentence, start, end, block } of sentences) {
        assert.ok(start < end && end <= text.length && block <= start, sentence);
        if (!sentence.startsWith('They wrote')) assert.ok(format === 'latex' || start >= previous);
        previous = end;
        const source = text.slice(start, end);
        assert.equal(source[0] === sentence[0] || /^[\\`&]/.test(source), true, sentence);
        const plain = sentence.replace(/[^\p{ASCII}]/gu, '').replace(/[\s&]/g, '');
        assert.ok(isSubsequence(plain, source), `${sentence} ⊄ ${source}`);
        assert.equal(sentence.trim(), sentence);
      }
    });
  }

  test(`${format}: line ends and a byte order mark do not change the sentences`, () => {
    const texts = (text: string) => splitSentences(text, format).map((sentence) => sentence.text);
    const expected = texts(original);
    assert.deepEqual(texts(original.replaceAll('\n', '\r\n')), expected);
    assert.deepEqual(texts(`\ufeff${original}`), expected);
  });

  test(`${format}: a block maps its prose to the document and back`, () => {
    for (const block of extractProse(original, format)) {
      for (let offset = 0; offset < block.text.length; offset += 1) {
        const at = block.toDocument(offset);
        const end = block.toDocumentEnd(offset + 1);
        assert.ok(block.start <= at && at < end && end <= block.end);
        assert.ok(block.toProse(end) > offset && block.toProse(at) <= offset);
        const [prose, source] = [block.text[offset], original.slice(at, end)];
        if (source.length === 1 && prose !== ' ' && !/[‘”“–]/.test(prose ?? '')) {
          assert.equal(source, prose);
        }
      }
      const inside = block.pieces.every(
        ({ start, end }) => block.start <= start && end <= block.end,
      );
      assert.ok(inside);
    }
  });
}

test('the blocks say what they are', () => {
  const kinds = (text: string, format: ProseFormat) =>
    extractProse(text, format).map(({ kind, text: prose }) => `${kind}: ${prose}`);
  assert.deepEqual(kinds('A\n\n- b\n\n> c\n\nx[^1]\n\n[^1]: d\n', 'markdown'), [
    'paragraph: A',
    'listItem: b',
    'blockquote: c',
    'paragraph: x',
    'footnote: d',
  ]);
  assert.deepEqual(kinds('A\\footnote{b} c.\n\\item d', 'latex'), [
    'paragraph: A c.',
    'footnote: b',
    'listItem: d',
  ]);
});

/** Hostile documents: nothing is expected of them but an answer. */
const hostile: Record<string, string> = {
  'nested quotes': `${'>'.repeat(10_000)} a. B.`,
  'nested brackets': `${'['.repeat(10_000)}a${']'.repeat(10_000)}`,
  'nested braces': `${'{'.repeat(10_000)}a${'}'.repeat(10_000)}`,
  'nested links': '[a]('.repeat(5_000),
  'nested emphasis': '**a _b '.repeat(2_000),
  'nested lists': Array.from({ length: 500 }, (_, i) => `${' '.repeat(2 * i)}- a. B.`).join('\n'),
  'nested environments': '\\begin{a}'.repeat(3_000),
  'unclosed maths': '$a \\( \\[ $$ '.repeat(2_000),
  'unclosed environments': '\\begin{equation}\n\n'.repeat(5_000),
  'unclosed verbatim': '\\begin{verbatim}\na. B.\n\n'.repeat(2_000),
  'unclosed fences': '```\n~~~\n\n'.repeat(5_000),
  'unclosed comments': '<!-- a. B.\n\n'.repeat(5_000),
  'one macro after another': '\\a{'.repeat(5_000),
  backticks: '`'.repeat(20_000),
  ampersands: '&'.repeat(20_000),
  'table rows': `|a|b|\n|-|-|\n${'|c. D.|e|\n'.repeat(5_000)}`,
  'blank lines': '\n'.repeat(100_000),
  spaces: ' '.repeat(100_000),
  'carriage returns': 'a. B.\r'.repeat(5_000),
  'one long word': 'x'.repeat(50_000),
  'one long line': 'Lorem ipsum dolor. '.repeat(5_000),
  'combining marks': `a${'\u0301'.repeat(20_000)}`,
  'lone surrogates': 'a \ud800 b. \udc00 C.'.repeat(500),
  'right to left': '‏هذه جملة. وهذه أخرى؟ \u202eabc\u202c نعم.\n\n'.repeat(200),
  definitions: Array.from({ length: 2_000 }, (_, i) => `[a${i}]: b\n`).join('\n'),
};

for (const format of formats) {
  test(`hostile ${format} is answered`, () => {
    for (const [name, text] of Object.entries(hostile)) {
      for (const { start, end, text: sentence } of splitSentences(text, format)) {
        assert.ok(start < end && end <= text.length, name);
        assert.ok([...sentence].length <= 256, name);
      }
      const document = new DocumentText(text, format);
      document.positionKind(text.length);
      document.applyEdit(text.length, text.length, '.');
    }
  });

  test(`binary ${format} has no prose`, () => {
    assert.deepEqual(splitSentences('Text. More.\0\x01\x02', format), []);
  });

  test(`${format} keeps lone surrogates as they are`, () => {
    assert.equal(splitSentences('A \ud800 b.', format)[0]?.text, 'A \ud800 b.');
  });

  test(`a very long ${format} document is read without its markup`, () => {
    const paragraph = 'A plain sentence of text. Another one follows it.\n\n';
    const count = Math.ceil(maxParsedLength / paragraph.length) + 1;
    const text = `${paragraph.repeat(count)}\\textbf{A} **line** with markup.\n`;
    assert.equal(text.length > maxParsedLength, true);
    const document = new DocumentText(text, format);
    const last = document.sentencesBefore(text.length, 3).map((sentence) => sentence.text);
    assert.deepEqual(last.slice(0, 2).length, 2);
    assert.equal(last[0], format === 'plaintext' ? 'A plain sentence of text.' : last[0]);
    assert.equal(extractProse(text, format).length, count + (format === 'plaintext' ? 1 : 0));
  });
}
