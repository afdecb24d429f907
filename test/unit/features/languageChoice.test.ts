import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Logger, nullLogger } from '../../../server/base/logger.ts';
import { LanguageChooser } from '../../../server/features/languageChoice.ts';
import { DocumentText } from '../../../server/text/documentText.ts';
import type { ProseFormat } from '../../../server/text/proseBlock.ts';

const langs = ['eng_Latn', 'fra_Latn', 'deu_Latn', 'rus_Cyrl'];

/** Identifies by the first word that is a code of CLD3's, and counts how often it is asked. */
class FakeCld3 {
  asked = 0;
  readonly find = (text: string) => {
    this.asked += 1;
    const language = /\b(?:en|fr|de|it)\b/.exec(text)?.[0];
    return { language: language ?? 'und', probability: language === undefined ? 0 : 1 };
  };
}

async function openChooser(codes = langs, logger: Logger = nullLogger) {
  const cld3 = new FakeCld3();
  const chooser = new LanguageChooser(logger, async () => cld3.find);
  chooser.useModel({ langs: codes, defaultLang: codes[0] ?? '' });
  await chooser.loading;
  return { chooser, cld3 };
}

function choose(
  chooser: LanguageChooser,
  text: string,
  { format = 'markdown', source = 'auto' }: { format?: ProseFormat; source?: string } = {},
): string[] {
  const document = new DocumentText(text, format);
  const choices = chooser.choose(document, document.sentences, source);
  return choices.map(({ code, reason }) => `${reason} ${code}`);
}

/** Returns the target in a document, where the text before is French and nothing else is said. */
function target(
  chooser: LanguageChooser,
  text: string,
  wishes: { chosen?: string; setting?: string; same?: string | undefined },
): string {
  const document = { text, format: 'markdown' as const };
  return chooser.chooseTarget({
    chosen: null,
    setting: 'same',
    same: 'fra_Latn',
    document,
    ...wishes,
  });
}

const prose = 'Some words that are en, and more of them.';

test('what comes first counts: comment, front matter, setting, paragraph, document, default', async () => {
  const { chooser } = await openChooser();
  const comment = '<!-- thoughtline: lang=de -->\n\n';
  const matter = '---\nlang: fr\n---\n\n';
  const table: [string, string, string][] = [
    [`${matter}${comment}${prose}`, 'Russian', 'comment deu_Latn'],
    [`${matter}${prose}`, 'Russian', 'frontMatter fra_Latn'],
    [prose, 'Russian', 'setting rus_Cyrl'],
    [prose, 'auto', 'paragraph eng_Latn'],
    // What the model does not know is passed over.
    [`${matter}<!-- thoughtline: lang=it -->\n\n${prose}`, 'auto', 'frontMatter fra_Latn'],
    [`---\nlang: it\n---\n\n${prose}`, 'Russian', 'setting rus_Cyrl'],
    [prose, 'Italian', 'paragraph eng_Latn'],
    // A document may ask for identification although a setting stands against it.
    [`<!-- thoughtline: lang=auto -->\n\n${prose}`, 'Russian', 'paragraph eng_Latn'],
    ['Nobody knows what this might be.', 'auto', 'default eng_Latn'],
  ];
  for (const [text, source, expected] of table) {
    assert.deepEqual(choose(chooser, text, { source }), [expected], `${text} ${source}`);
  }
});

test('every paragraph has its own language, and an uncertain one that of most of the document', async () => {
  const { chooser } = await openChooser();
  const text = [
    'A short one in fr, which is here.',
    'Hm. Hm.',
    'A long paragraph in de, which goes on and on. It has two sentences.',
    'Это по-русски.',
    'One more, in it, which the model does not know.',
  ].join('\n\n');
  assert.deepEqual(choose(chooser, text), [
    'paragraph fra_Latn',
    'document deu_Latn',
    'document deu_Latn',
    'paragraph deu_Latn',
    'paragraph deu_Latn',
    'paragraph rus_Cyrl',
    'document deu_Latn',
  ]);
});

test('a paragraph is identified once, however often it is asked about', async () => {
  const { chooser, cld3 } = await openChooser();
  const document = new DocumentText(`${prose}\n\nAnother one in fr, as it were.`, 'plaintext');
  chooser.choose(document, document.sentences, 'auto');
  assert.equal(cld3.asked, 2);
  // An unfinished sentence is no part of what its paragraph is known by.
  for (const letter of ' And so on') {
    const end = document.text.length;
    const { added } = document.applyEdit(end, end, letter);
    chooser.choose(document, added, 'auto');
  }
  assert.equal(cld3.asked, 2);
});

test('paragraphs can be identified one by one before', async () => {
  const { chooser, cld3 } = await openChooser();
  const document = new DocumentText(`${prose} Yes.\n\nAnother one in fr, as it were.`, 'plaintext');
  const { sentences } = document;
  const asked = [...chooser.identifying(document, sentences, 'auto')].map(() => cld3.asked);
  assert.equal(asked.length, 2);
  chooser.choose(document, sentences, 'auto');
  assert.deepEqual([...chooser.identifying(document, sentences, 'auto')], []);
  assert.equal(cld3.asked, 2);
  const stated = new DocumentText('<!-- thoughtline: lang=fr -->\n\nUnknown so far.', 'markdown');
  assert.deepEqual([...chooser.identifying(stated, stated.sentences, 'auto')], []);
});

test('with one language there is no choice, and nothing is loaded', async () => {
  const chooser = new LanguageChooser(nullLogger, () => assert.fail('loaded'));
  chooser.useModel({ langs: ['eng_Latn'], defaultLang: 'eng_Latn' });
  assert.equal(chooser.loading, null);
  const text = '<!-- thoughtline: lang=fr -->\n\nIl pleut.';
  assert.deepEqual(choose(chooser, text, { source: 'fr' }), ['only eng_Latn']);
  assert.deepEqual(chooser.chooseFor(['Il pleut.'], 'auto'), [
    { code: 'eng_Latn', reason: 'only' },
  ]);
});

test('what is refused is told once, without the words of a document', async () => {
  const warnings: string[] = [];
  const logger = { ...nullLogger, warn: (message: string) => warnings.push(message) };
  const { chooser } = await openChooser(langs, logger);
  for (let time = 0; time < 3; time++) {
    choose(chooser, '<!-- thoughtline: lang=secret -->\n\nIt is en, all of it.', { source: 'xx' });
    target(chooser, '<!-- thoughtline: target=secret -->', { setting: 'Klingon' });
    chooser.nextTarget(['French', 'Elvish', 'Orkish'], { current: 'fra_Latn', own: 'eng_Latn' });
  }
  assert.deepEqual(warnings, [
    'comment of a document: expected a language of the model, found another',
    "thoughtline.language.source: expected auto or a language of the model, such as eng_Latn, found 'xx'",
    "target in comment of a document: expected a language, found none of the model's",
    "thoughtline.language.target: expected same or a language of the model, such as eng_Latn, found 'Klingon'",
    "thoughtline.language.cycle: expected languages of the model, found 'Elvish', 'Orkish'",
  ]);
});

test('the target is what was chosen, else what the document says, the setting, the language before', async () => {
  const { chooser } = await openChooser();
  const comment = '<!-- thoughtline: target=de -->';
  const matter = '---\nthoughtline-target: ru\n---\n';
  const table: [Partial<Parameters<typeof target>[2]>, string, string][] = [
    [{ chosen: 'fra_Latn', setting: 'German' }, `${matter}${comment}`, 'fra_Latn'],
    [{ chosen: 'ita_Latn', setting: 'French' }, `${matter}${comment}`, 'deu_Latn'],
    [{ setting: 'French' }, `${matter}${comment}`, 'deu_Latn'],
    [{ setting: 'French' }, matter, 'rus_Cyrl'],
    [{ setting: 'French' }, `${matter}<!-- thoughtline: target=it -->`, 'rus_Cyrl'],
    [{ setting: 'German' }, '<!-- thoughtline: target=same -->', 'fra_Latn'],
    [{ setting: 'German' }, '<!-- thoughtline: target=it -->', 'deu_Latn'],
    [{ setting: 'German' }, '', 'deu_Latn'],
    [{}, '', 'fra_Latn'],
    [{ same: undefined }, '', 'eng_Latn'],
    [{ setting: 'it' }, '', 'fra_Latn'],
  ];
  for (const [wishes, text, expected] of table) {
    assert.equal(target(chooser, text, wishes), expected, `${text} ${JSON.stringify(wishes)}`);
  }
});

test('the key goes through the languages of the setting and comes back to the text’s own', async () => {
  const { chooser } = await openChooser();
  const round = (cycle: string[], own: string) => {
    const seen = [own];
    for (let time = 0; time < 4; time++) {
      seen.push(chooser.nextTarget(cycle, { current: seen.at(-1) ?? '', own }));
    }
    return seen.map((code) => code.slice(0, 3)).join(' ');
  };
  assert.equal(round(['German', 'fr'], 'eng_Latn'), 'eng deu fra eng deu');
  assert.equal(round(['German', 'en', 'Klingon', 'de'], 'eng_Latn'), 'eng deu eng deu eng');
  assert.equal(round([], 'rus_Cyrl'), 'rus eng fra deu rus');
  assert.equal(round(['Klingon'], 'fra_Latn'), 'fra fra fra fra fra');
});

test('languages of the model are found however they are named, also those that only it has', async () => {
  const { chooser } = await openChooser(['eng_Latn', 'qqq_Latn', 'fra_Latn']);
  assert.equal(chooser.find('French'), 'fra_Latn');
  assert.equal(chooser.find('qqq_Latn'), 'qqq_Latn');
  assert.equal(chooser.find('de'), undefined);
});

test('another model in the meantime has the last word, and a failure leaves what is stated', async () => {
  const loads: ((find: FakeCld3['find']) => void)[] = [];
  const chooser = new LanguageChooser(
    nullLogger,
    () => new Promise((resolve) => loads.push(resolve)),
  );
  chooser.useModel({ langs, defaultLang: 'eng_Latn' });
  const first = chooser.loading;
  chooser.useModel({ langs: ['fra_Latn', 'deu_Latn'], defaultLang: 'fra_Latn' });
  loads[0]?.(new FakeCld3().find);
  await first;
  assert.notEqual(chooser.loading, null);
  assert.deepEqual(choose(chooser, prose), ['default fra_Latn']);
  loads[1]?.(new FakeCld3().find);
  await chooser.loading;
  assert.deepEqual(choose(chooser, 'This one is in de, they say.'), ['paragraph deu_Latn']);

  const warnings: string[] = [];
  const logger = { ...nullLogger, warn: (message: string) => warnings.push(message) };
  const broken = new LanguageChooser(logger, () => Promise.reject(new Error('no WebAssembly')));
  broken.useModel({ langs, defaultLang: 'eng_Latn' });
  await broken.loading;
  assert.deepEqual(choose(broken, prose, { source: 'fr' }), ['setting fra_Latn']);
  assert.deepEqual(choose(broken, prose), ['default eng_Latn']);
  assert.match(warnings.join(), /could not be loaded: Error: no WebAssembly/);
});
