import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fragileKey, fragileSpans } from '../../../server/text/fragileSpans.ts';

/** Spans are written as `kind:text`, joined with ` | `. */
function checkSpans(cases: Record<string, string>, lang?: string): void {
  for (const [text, expected] of Object.entries(cases)) {
    const spans = fragileSpans(text, lang === undefined ? {} : { lang });
    const found = spans.map(({ start, end, kind }) => `${kind}:${text.slice(start, end)}`);
    assert.equal(found.join(' | '), expected, text);
  }
}

test('a plain sentence has none', () => {
  checkSpans({
    '': '',
    'The cat sat on the mat.': '',
    'He was tired. Then it rained! I know; so do you.': '',
    'She said, "Come here." I came.': '',
    'Everything was quiet, and nothing had changed.': '',
    "It's late.": '',
    '你好，世界。': '',
  });
});

test('numbers are found with what separates their digits', () => {
  checkSpans({
    'It took 3 days.': 'number:3',
    'About 1,234.5 of 10 000 people.': 'number:1,234.5 | number:10 | number:000',
    'At 12:30 on 2024-01-05.': 'number:12:30 | number:2024-01-05',
    'It costs $5.': 'number:5',
    'the 1990s and the 21st century': 'number:1990 | number:21',
    '共有12个。': 'number:12',
  });
});

test('names are words with a capital that begin no sentence', () => {
  checkSpans({
    'He met Anna in Paris.': 'name:Anna | name:Paris',
    'He met Mr. Smith and J. K. Rowling.': 'name:Mr. Smith | name:J. K. Rowling',
    'They live in New York City.': 'name:New York City',
    'In Paris it rained.': 'name:Paris',
    'Barack Obama spoke.': 'name:Barack Obama',
    'He saw Paris. London was next.': 'name:Paris | name:London',
    'He read about Jean de la Fontaine.': 'name:Jean de la Fontaine',
    'She studied at the University of Oxford, I think.': 'name:University of Oxford',
    'He likes O’Brien’s work.': 'name:O’Brien',
    'Él vive en São Paulo.': 'name:São Paulo',
  });
});

test('the first word is a name where the next one says so', () => {
  checkSpans({
    'Lily was happy.': 'name:Lily',
    "Tom's dog barked.": 'name:Tom',
    'Tom and Lily played.': 'name:Tom | name:Lily',
    'Water boils.': '',
    'Then Tom left.': 'name:Tom',
  });
});

test('every noun of German has a capital, so one word there is no name', () => {
  checkSpans({ 'Er sah das Haus von Angela Merkel.': 'name:Angela Merkel' }, 'deu_Latn');
});

test('where every word has a capital, a byte model tells names from words', () => {
  const check = (text: string, surprising: string, expected: string[], lang = 'eng_Latn') => {
    const at = Buffer.byteLength(text.slice(0, text.indexOf(surprising)));
    const surprisals = new Float32Array(Buffer.byteLength(text)).fill(1);
    surprisals.fill(3, at + 1, at + Buffer.byteLength(surprising));
    const spans = fragileSpans(text, { lang, surprisals });
    assert.deepEqual(
      spans.map(({ start, end }) => text.slice(start, end)),
      expected,
    );
  };
  check('Água Zoë sang.', 'Água', ['Água Zoë']);
  check('Zoë sang.', 'Zoë', ['Zoë']);
  check('Water was cold.', 'cold', []);
  check('Then it rained.', 'Then', []);
  check('Er sah Haus und Öçalan.', 'Öçalan', ['Öçalan'], 'deu_Latn');
});

test('identifiers look like code', () => {
  checkSpans({
    'Call `read file` first.': 'identifier:`read file`',
    'The flag --no-cache and -v are known.': 'identifier:--no-cache | identifier:-v',
    'Use max_seq_len or maxSeqLen in PyTorch.':
      'identifier:max_seq_len | identifier:maxSeqLen | identifier:PyTorch',
    'main() is in src/base/main.ts.': 'identifier:main() | identifier:src/base/main.ts',
    'Import os.path, utf8 and GPT4.': 'identifier:os.path | identifier:utf8 | identifier:GPT4',
    'Ask @anna about #tides.': 'identifier:@anna | identifier:#tides',
  });
});

test('links end before the punctuation of the sentence', () => {
  checkSpans({
    'See https://a.example/b?c=1.': 'link:https://a.example/b?c=1',
    '(www.example.org), or mail me@example.org!': 'link:www.example.org | link:me@example.org',
  });
});

test('numbers are equal by their digits, names by their letters', () => {
  const key = (text: string) => {
    const [span] = fragileSpans(text);
    return span && fragileKey(text, span);
  };
  assert.equal(key('It has 1,000 parts.'), key('Es sind 1.000 Teile.'));
  assert.equal(key('in １２ days'), '12');
  assert.equal(key('He saw ANNA.'), key('He saw Anna.'));
  assert.notEqual(key('Use maxLen.'), key('Use maxlen2.'));
});

test('no text takes long, whatever it repeats', () => {
  for (const unit of ['a', 'a_', '.', '-', 'A', '1', 'a.', '/', 'A ', 'http://', '`', '@a', "A'"]) {
    const start = performance.now();
    fragileSpans(unit.repeat(30_000));
    assert.ok(performance.now() - start < 2000, unit); // squared, it would be minutes
  }
});

test('spans are in order, apart from each other, and cost time in proportion to the text', () => {
  const text = 'On 5 May Anna Smith saw http://x.example/A_b1 and a_b.c9 (Tom’s). '.repeat(400);
  const spans = fragileSpans(text);
  assert.ok(spans.length > 2000);
  for (const [i, { start, end }] of spans.entries()) {
    assert.ok(start < end && end <= (spans[i + 1]?.start ?? text.length));
  }
});
