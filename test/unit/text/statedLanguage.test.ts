import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProseFormat } from '../../../server/text/proseBlock.ts';
import { splitSentences } from '../../../server/text/sentenceSplitter.ts';
import { statedLanguages, statedTargets } from '../../../server/text/statedLanguage.ts';

/** `comment fr, frontMatter de` */
function check(format: ProseFormat, text: string, expected: string) {
  const stated = statedLanguages(text, format);
  assert.equal(stated.map(({ where, name }) => `${where} ${name}`).join(', '), expected, text);
}

test('a comment for us, in the comments of each format', () => {
  check('markdown', '<!-- thoughtline: lang=fra_Latn -->\nBonjour.', 'comment fra_Latn');
  check(
    'markdown',
    '# Titre\n\n<!--thoughtline:language = Scottish Gaelic-->',
    'comment Scottish Gaelic',
  );
  check('latex', '% thoughtline: lang=fr\r\nBonjour.', 'comment fr');
  check('latex', '%% Thoughtline: lang=pt-BR', 'comment pt-BR');
  check('plaintext', 'thoughtline: lang=fr\n\nBonjour.', 'comment fr');
  check('markdown', 'thoughtline: lang=fr', '');
  check('markdown', '<!-- thoughtline: lang= -->', '');
  check('latex', 'thoughtline: lang=fr', '');
  check('plaintext', 'Write thoughtline: lang=fr at the top.', '');
  check('plaintext', `${'A line.\n'.repeat(20)}thoughtline: lang=fr`, '');
  check('plaintext', `${'A line.\n'.repeat(19)}thoughtline: lang=fr`, 'comment fr');
});

test('front matter in YAML and TOML', () => {
  check('markdown', '---\ntitle: A\nlang: fr\n---\nBonjour.', 'frontMatter fr');
  check('markdown', '\uFEFF---\r\nlanguage: "pt-BR" # of Brazil\r\n---\r\n', 'frontMatter pt-BR');
  check('markdown', "+++\nlang = 'de'\n+++\n", 'frontMatter de');
  check('markdown', '---\nlang: fr\n', '');
  check('markdown', '\n---\nlang: fr\n---\n', '');
  check('markdown', '---\nlanguages:\n  - fr\nslang: x\n---\n', '');
  check('plaintext', '---\nlang: fr\n---\n', '');
  check(
    'markdown',
    '---\nlang: fr\n---\n<!-- thoughtline: lang=de -->\n',
    'comment de, frontMatter fr',
  );
});

test('TeX editors, babel and polyglossia', () => {
  check('latex', '% !TeX spellcheck = fr-FR\n', 'comment fr-FR');
  check('latex', '%!TEX spellcheck=en_US\n', 'comment en_US');
  check('latex', '\\usepackage[french]{babel}', 'frontMatter french');
  check('latex', '\\usepackage[english, ngerman]{babel}', 'frontMatter de');
  check('latex', '\\usepackage[main=french,\n  english]{babel}', 'frontMatter french');
  check('latex', '\\usepackage[brazil,shorthands=off]{babel}', 'frontMatter pt');
  check('latex', '\\usepackage[serbian]{babel}', 'frontMatter sr-Latn');
  check('latex', '\\setmainlanguage[variant=swiss]{german}', 'frontMatter german');
  check('latex', '\\setdefaultlanguage{magyar}', 'frontMatter hu');
  check('latex', '\\usepackage{babel}', '');
  check('latex', '% \\usepackage[french]{babel}', '');
  check('latex', '\\usepackage[]{babel}', '');
  check(
    'latex',
    '% thoughtline: lang=it\n% !TeX spellcheck = fr\n\\usepackage[ngerman]{babel}',
    'comment it, comment fr, frontMatter de',
  );
});

/** `comment fr, frontMatter de` */
function checkTarget(format: ProseFormat, text: string, expected: string) {
  const found = statedTargets(text, format);
  assert.equal(found.map(({ where, name }) => `${where} ${name}`).join(', '), expected, text);
}

test('the language to suggest in, in comments of each format and in front matter', () => {
  checkTarget('markdown', '<!-- thoughtline: target=fr -->', 'comment fr');
  checkTarget('latex', '%% Thoughtline: target = Scottish Gaelic', 'comment Scottish Gaelic');
  checkTarget('plaintext', 'thoughtline: target=fr\n\nHello.', 'comment fr');
  checkTarget('plaintext', 'See thoughtline: target=fr.', '');
  checkTarget('markdown', '---\nthoughtline-target: fr\n---\n', 'frontMatter fr');
  checkTarget('markdown', '+++\ntarget-language = "pt-BR"\n+++\n', 'frontMatter pt-BR');
  checkTarget('markdown', '---\ntarget: fr\nmy-target-language: fr\n---\n', '');
  checkTarget('latex', '---\nthoughtline-target: fr\n---\n', '');
  checkTarget(
    'markdown',
    '---\ntarget-language: fr\n---\n<!-- thoughtline: target=de -->\n',
    'comment de, frontMatter fr',
  );
  // One says nothing about the other.
  const both = '<!-- thoughtline: lang=de -->\n<!-- thoughtline: target=fr -->\n';
  check('markdown', both, 'comment de');
  checkTarget('markdown', both, 'comment fr');
});

test('hostile beginnings end soon', () => {
  const start = performance.now();
  const many = 200_000;
  for (const text of [
    `---\n${'lang'.repeat(many)}`,
    `---\n${'---x\n'.repeat(many)}`,
    `---\nlang: ${'"'.repeat(many)}\n---`,
    `<!-- thoughtline: lang=${' '.repeat(many)}`,
    `<!-- thoughtline: target=${' '.repeat(many)}`,
    `---\ntarget-language: ${'"'.repeat(many)}\n---`,
    '<!-- thoughtline: lang='.repeat(many),
    `% thoughtline: lang=${'\t'.repeat(many)}x`,
    `\\usepackage[${','.repeat(many)}]{babel}`,
    '\\usepackage['.repeat(many),
    '\\setmainlanguage['.repeat(many),
    '\r'.repeat(many),
  ]) {
    for (const format of ['markdown', 'latex', 'plaintext'] as const) {
      const all = [...statedLanguages(text, format), ...statedTargets(text, format)];
      for (const { name } of all) assert.ok(name.length <= 64);
    }
  }
  // Far more than it takes; what backtracks over the whole head takes minutes.
  assert.ok(performance.now() - start < 5000);
});

test('the line that states the language of plain text is not prose', () => {
  const sentences = splitSentences(
    'thoughtline: lang=fr\nthoughtline: target=de\nIl pleut. Il part.',
    'plaintext',
  );
  assert.deepEqual(
    sentences.map(({ text }) => text),
    ['Il pleut.', 'Il part.'],
  );
});
