import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fitSentence, fitSentences, placeAt } from '../../../server/features/fitting.ts';
import { DocumentText } from '../../../server/text/documentText.ts';
import type { ProseFormat } from '../../../server/text/proseBlock.ts';

/** A document with the caret at `|`, a sentence, and what is inserted for it. */
type Example = readonly [document: string, sentence: string, inserted: string];

function check(format: ProseFormat, examples: readonly Example[], lang?: string): void {
  for (const [document, sentence, inserted] of examples) {
    test(`${format}: ${JSON.stringify(document)} + ${JSON.stringify(sentence)}`, () => {
      const offset = document.indexOf('|');
      const text = document.replace('|', '');
      assert.equal(fitSentence(placeAt(text, offset, format, lang), sentence), inserted);
    });
  }
}

// Between the text before and the sentence.
check('markdown', [
  ['|', 'He left.', 'He left.'],
  ['It rained.|', 'He left.', ' He left.'],
  ['It rained. |', 'He left.', 'He left.'],
  ['He said: “No.”|', 'He left.', ' He left.'],
  ['下雨了。|', '他走了。', '他走了。'],
  ['It rained.\n\n|', 'He left.', 'He left.'],
  ['It rained.\n\nHe left.|\n\nShe stayed.', 'They met.', ' They met.'],
  // Two spaces after a full stop.
  ['It rained.  He left.  She stayed.|', 'They met.', '  They met.'],
  ['It rained.  He left.  She stayed. |', 'They met.', ' They met.'],
  ['It rained. He left.  She stayed. They met.|', 'They met.', ' They met.'],
  // One sentence per line.
  ['It rained.\nHe left.|', 'She stayed.', '\nShe stayed.'],
  ['It rained.\nHe left. |', 'She stayed.', 'She stayed.'],
  ['It rained\nall day.|', 'He left.', ' He left.'],
  ['It rained. Dr. Gray left.\nShe stayed.|', 'They met.', ' They met.'],
  ['It rained.\nDr. Gray left.|', 'She stayed.', '\nShe stayed.'],
  ['It rained.\nHe left.\n\n## Noon\n\nThe sun came out.|', 'She sang.', '\nShe sang.'],
  ['It rained. He left.\n\nThe sun came out.|', 'She sang.', ' She sang.'],
  ['It rained.\r\nHe left.|', 'She stayed.', '\r\nShe stayed.'],
  ['> It rained.\n> He left.|', 'She stayed.', '\n> She stayed.'],
  ['- It rained.\n  He left.|', 'She stayed.', '\n  She stayed.'],
  // Lists.
  ['- It rained.\n- He left.\n|', 'She stayed.', '- She stayed.'],
  ['* It rained.\n\n* He left.\n|', 'She stayed.', '* She stayed.'],
  ['  - It rained.\n  - He left.\n|', 'She stayed.', '  - She stayed.'],
  ['  - It rained.\n  - He left.\n  |', 'She stayed.', '- She stayed.'],
  ['- [x] It rained.\n- [ ] He left.\n|', 'She stayed.', '- [ ] She stayed.'],
  ['1. It rained.\n2. He left.\n|', 'She stayed.', '3. She stayed.'],
  ['8. It rained.\n9. He left.\n|', 'She stayed.', '10. She stayed.'],
  ['1. It rained.\n1. He left.\n|', 'She stayed.', '1. She stayed.'],
  ['1) It rained.\n2) He left.\n|', 'She stayed.', '3) She stayed.'],
  ['- It rained. It poured.\n- He left.\n|', 'She stayed.', '  She stayed.'],
  ['1. It rained. It poured.\n2. He left.\n|', 'She stayed.', '   She stayed.'],
  ['- Weather.\n  - It rained.\n  - He left.\n|', 'She stayed.', '  - She stayed.'],
  ['- It rained. It poured.\n  - He left.\n|', 'She stayed.', '  - She stayed.'],
  ['- It rained.\n- He left.|', 'She stayed.', ' She stayed.'],
  ['> - It rained.\n> - He left.\n|', 'She stayed.', '> - She stayed.'],
  ['> It rained and\n> poured.\n|', 'He left.', '> He left.'],
  ['It rained and\npoured.\n|', 'He left.', 'He left.'],
  ['- It rained.\n\n|', 'He left.', 'He left.'],
]);

// Casing.
check('markdown', [
  ['It rained.|', 'he left.', ' He left.'],
  ['It rained.|', 'iPhones rang.', ' iPhones rang.'],
  ['It rained.|', '3 dogs came.', ' 3 dogs came.'],
  ['- it rained\n- he left\n- she stayed.\n|', 'They met.', '- they met.'],
  ['it rained. he left. she stayed.|', 'They met.', ' they met.'],
  ['it rained. he left. she stayed.|', 'NASA met them.', ' NASA met them.'],
  ['it rained. he left. she stayed.|', "I'd left.", " I'd left."],
  ['it rained on Ann. he left. she stayed.|', 'Ann met them.', ' Ann met them.'],
  ['IT RAINED. HE LEFT.|', 'They met.', ' They met.'],
]);

// Quotes, apostrophes and dashes.
check('markdown', [
  ['He said, "No." It rained.|', '“Yes,” she’d say.', ' "Yes," she’d say.'],
  ['He said, “No.” It rained.|', '"Yes," she said.', ' “Yes,” she said.'],
  ['He said, “No.” It’s wet.|', '"Don\'t," she said.', ' “Don’t,” she said.'],
  ["It's wet.|", 'She doesn’t know.', " She doesn't know."],
  ['Code `a "b"`. He said, “No.”|', '"Yes," she said.', ' “Yes,” she said.'],
  ['„Nein“, sagte er. Es regnet.|', '"Ja", sagte sie.', ' „Ja“, sagte sie.'],
  ['„Nein“, sagte er. Es regnet.|', '“Ja”, sagte sie.', ' „Ja“, sagte sie.'],
  ['»Nein«, sagte er. Es regnet.|', '"Ja", sagte sie.', ' »Ja«, sagte sie.'],
  ['« Non », dit-il.|', '"Oui", dit-elle.', ' « Oui », dit-elle.'],
  ['« Non », dit-il.|', '«Oui», dit-elle.', ' « Oui », dit-elle.'],
  ['«No», dijo él.|', '« Sí », dijo ella.', ' «Sí», dijo ella.'],
  ['他说：「不。」|', '她说：“是的。”', '她说：「是的。」'],
  ['It rained.|', '"Yes," she said.', ' "Yes," she said.'],
  ['He said, “No.”|', '"He said \'no\' to us," she said.', ' “He said ‘no’ to us,” she said.'],
  ['It rained — it poured.|', 'He left -- at once.', ' He left — at once.'],
  ['It rained—it poured.|', 'He left — at once.', ' He left—at once.'],
  ['It rained – it poured.|', 'He left—at once.', ' He left – at once.'],
  ['It rained -- it poured.|', 'He left—at once.', ' He left -- at once.'],
  ['It rained — it poured.|', 'From 10–20 of them.', ' From 10–20 of them.'],
]);

// French spaces, Chinese stops.
check('markdown', [
  ['Quoi\u202f? Il pleut\u202f!|', 'Pourquoi?', ' Pourquoi\u202f?'],
  ['Quoi\u00a0? Il pleut\u00a0!|', 'Pourquoi ?!', ' Pourquoi\u00a0?!'],
  [
    'Il dit\u00a0: Quoi\u202f?|',
    'Elle dit: voir https://a.b/c.',
    ' Elle dit\u00a0: voir https://a.b/c.',
  ],
  ['What? It rained!|', 'Why?', ' Why?'],
  ['下雨了。他走了。|', '她 来 了,他走了.', '她来了，他走了。'],
  ['下雨了.他走了.|', '她来了,他走了.', ' 她来了,他走了.'],
  ['下雨了。|', 'He paid 3.50, then left.', 'He paid 3.50, then left.'],
]);

// Nothing becomes markup.
check('markdown', [
  ['It rained.|', 'He said *no* to snake_case.', ' He said \\*no\\* to snake_case.'],
  ['It rained.|', 'Use `it` and _this_.', ' Use \\`it\\` and \\_this\\_.'],
  ['It rained.|', 'It costs $5 and $6.', ' It costs \\$5 and \\$6.'],
  ['It rained.|', 'It costs $5.', ' It costs $5.'],
  ['It rained.|', 'Let $x_1 * y$ be it.', ' Let $x_1 * y$ be it.'],
  ['It rained.|', 'Is a<b or <b> it?', ' Is a\\<b or \\<b> it?'],
  ['It rained.|', 'See [it](there) &amp; [1].', ' See \\[it](there) \\&amp; [1].'],
  ['|', '# It rained.', '\\# It rained.'],
  ['|', '- It rained.', '\\- It rained.'],
  ['|', '1. It rained.', '1\\. It rained.'],
  ['|', '1.5 of them left.', '1.5 of them left.'],
]);
check('plaintext', [
  ['It rained.|', 'He said *no* & left $5.', ' He said *no* & left $5.'],
  ['- It rained.\n- He left.\n|', 'She stayed.', '- She stayed.'],
  ['• It rained.\n• He left.\n|', 'She stayed.', '• She stayed.'],
]);
check('latex', [
  [
    'It rained.|',
    'He paid 5% & left #1 a_b for $5.',
    ' He paid 5\\% \\& left \\#1 a\\_b for \\$5.',
  ],
  ['It rained.|', 'Let $x_1$ be it.', ' Let $x_1$ be it.'],
  ['It rained.|', 'Use {a} ~ b^2.', ' Use \\{a\\} \\textasciitilde{} b\\textasciicircum{}2.'],
  ['It rained.|', '“Yes,” she said — twice.', " ``Yes,'' she said --- twice."],
  ["``No,'' he said.|", '"Yes," she said.', " ``Yes,'' she said."],
  ['“No,” he said.|', '"Yes," she said.', ' “Yes,” she said.'],
  ['It rained --- it poured.|', 'He left — at once.', ' He left --- at once.'],
  ['It rained---it poured.|', 'He left — at once.', ' He left---at once.'],
  ['It rained -- it poured.|', 'He left — at once.', ' He left -- at once.'],
  [
    '\\begin{itemize}\n  \\item It rained.\n  \\item He left.\n|',
    'She stayed.',
    '  \\item She stayed.',
  ],
  [
    '\\begin{itemize}\n  \\item It rained. It poured.\n  \\item He left.\n|',
    'She stayed.',
    '  She stayed.',
  ],
]);

test('a sentence in another language has the marks of that one', () => {
  const text = 'He said, “No.” It’s wet.';
  const place = placeAt(text, text.length, 'markdown', 'eng_Latn');
  assert.equal(fitSentence(place, '"Ja", sagte sie.', 'deu_Latn'), ' „Ja“, sagte sie.');
  assert.equal(
    fitSentence(place, '"Oui": pourquoi?', 'fra_Latn'),
    ' «\u00a0Oui\u00a0»\u00a0: pourquoi\u202f?',
  );
  assert.equal(fitSentence(place, '"Yes," she said.', 'eng_Latn'), ' “Yes,” she said.');
  const straight = placeAt("It's wet.", 9, 'markdown', 'eng_Latn');
  assert.equal(fitSentence(straight, '“Ja”, sagte sie.', 'deu_Latn'), ' "Ja", sagte sie.');
});

test('several sentences are fitted one behind the other', () => {
  const list = placeAt('- It rained.\n', 13, 'markdown');
  assert.equal(fitSentences(list, ['He left.', 'She stayed.']), '- He left. She stayed.');
  const lines = placeAt('It rained.\nIt poured.', 21, 'markdown');
  assert.equal(fitSentences(lines, ['He left.', 'She stayed.']), '\nHe left.\nShe stayed.');
  const chinese = placeAt('下雨了。', 4, 'plaintext');
  assert.equal(fitSentences(chinese, ['他走了.', '她没走.']), '他走了。她没走。');
});

/** What fitting may change about a sentence. */
function folded(text: string): string {
  return text
    .replace(/[“”„«»「」]|''|``|[‘’‚『』‹›`']/g, '"')
    .replace(/\s*(?:—|–|-{2,3})\s*/g, '-')
    .replace(/[，。？！：；]/g, (sign) => ',.?!:;'['，。？！：；'.indexOf(sign)] ?? sign)
    .replace(/\s+(?=[;:?!"])|(?<=")\s+/g, '')
    .replace(/\s+/g, ' ')
    .toLowerCase();
}

const samples = [
  'He left.',
  'She said, “We don’t know.”',
  '"Is it 5% of $10 & more?" he asked.',
  'Use *stars*, `code`, _lines_ and snake_case #1 {here} ~ there^2 \\ done.',
  'Let $x_1 < y$ be the [first](one) of &amp; <b>all</b>.',
  'Tom — the older one -- left; why?',
  "'It is late,' he said, and didn't wait.",
  'It cost 3.50 on 2024-05-01 at https://a.example/b_c_d.',
  '- Not an item.',
  '12. Not a number.',
  '# Not a heading.',
  '> Not a quotation!',
];
const documents: readonly (readonly [ProseFormat, string])[] = (
  [
    'It rained.',
    'It rained.\nIt poured.',
    'He said, “No.” It’s wet — very wet.',
    '"No," he said -- twice.  It rained.  It poured.',
    '« Non\u202f! », dit-il\u00a0: «\u00a0Si\u202f? » Il pleut.',
    '„Nein“, sagte er.',
    'It rained.\n\n',
  ] as const
).flatMap((text) =>
  (['markdown', 'latex', 'plaintext'] as const).map((format) => [format, text] as const),
);
const lists: readonly (readonly [ProseFormat, string])[] = [
  ['markdown', '- It rained.\n- It poured.\n'],
  ['markdown', '1. It rained.\n2. It poured.\n'],
  ['markdown', '> It rained.\n> It poured.'],
  ['markdown', '- It rained.\n  It poured.'],
  ['latex', '\\begin{itemize}\n\\item It rained.\n\\item It poured.\n'],
  ['plaintext', '- It rained.\n- It poured.\n'],
];

test('what is fitted is read back as the sentence that it was', () => {
  for (const [format, text] of [...documents, ...lists]) {
    for (const sample of samples) {
      const isMarker = format === 'plaintext' && /^(?:-|12\.) /.test(sample);
      if (isMarker) continue; // plain text knows no escapes
      const inserted = fitSentence(placeAt(text, text.length, format), sample);
      const read = new DocumentText(text + inserted, format).sentences.map((one) => one.text);
      const last = read.join(' ').slice(-400);
      assert.ok(
        folded(last).endsWith(folded(sample)),
        `${format} ${JSON.stringify(text + inserted)}: expected ${sample}, found ${last}`,
      );
      // What begins with a sign may belong to the sentence before, for all that the reader knows.
      if (!/^["'\p{Lu}]/u.test(sample)) continue;
      const before = new DocumentText(text, format).sentences.length;
      assert.ok(read.length > before, `${format} ${JSON.stringify(text + inserted)}`);
    }
  }
});
