import assert from 'node:assert/strict';
import { test } from 'node:test';
import { autonymOf, findLanguage, languageOf } from '../../../server/text/languageNames.ts';
import { languages, sonarLanguages } from '../../../server/text/languages.ts';

test('there are 202 languages, each with a code, a tag and a name of its own', () => {
  assert.equal(languages.length, 202);
  for (const field of ['code', 'tag', 'englishName'] as const) {
    assert.equal(new Set(languages.map((language) => language[field])).size, 202, field);
  }
  for (const { code, tag, englishName } of languages) {
    assert.match(code, /^[a-z]{3}_[A-Z][a-z]{3}$/);
    assert.match(tag, /^[a-z]{2,3}(?:-[A-Z][a-z]{3}|-[A-Z]{2})?$/, code);
    assert.match(englishName, /^\p{Lu}[\p{L}’() -]+$/u, code);
  }
});

test('every language is found by its code, its tag and its name, however they are written', () => {
  for (const { code, tag, englishName } of languages) {
    for (const name of [code, tag, englishName, code.replace('_', '-'), ` ${tag} `]) {
      assert.equal(findLanguage(name), code, name);
      assert.equal(findLanguage(name.toUpperCase()), code, name);
    }
  }
});

test('a tag and its language name the same script as the code', () => {
  for (const { code, tag } of languages) {
    const { script } = new Intl.Locale(tag).maximize();
    // Where the tag alone means another script, there is only one that the models know.
    const isOnly = languages.filter((other) => other.tag.split('-')[0] === tag).length === 1;
    const expected = code.endsWith('Hang') ? 'Kore' : code.slice(4);
    assert.ok(script === expected || script === undefined || isOnly, `${code}: ${tag}, ${script}`);
  }
});

test('tags, aliases and what is unknown', () => {
  const check = (name: string, code: string | undefined) =>
    assert.equal(findLanguage(name), code, name);
  check('en-GB', 'eng_Latn');
  check('pt-BR', 'por_Latn');
  check('de-DE-1996', 'deu_Latn');
  check('ko_KR', 'kor_Hang');
  check('zh', 'zho_Hans');
  check('Chinese', 'zho_Hans');
  check('zh-TW', 'zho_Hant');
  check('zh-HK', 'zho_Hant');
  check('zh-SG', 'zho_Hans');
  check('cmn', 'zho_Hans');
  check('ar-EG', 'arb_Arab');
  check('fa-IR', 'pes_Arab');
  check('no', 'nob_Latn');
  check('nn-NO', 'nno_Latn');
  check('iw', 'heb_Hebr');
  check('fil', 'tgl_Latn');
  check('tw-GH', 'twi_Latn');
  check('msa', 'zsm_Latn');
  check('sr-RS', 'srp_Cyrl');
  // The models know these languages in another script only.
  check('sr-Latn', undefined);
  check('pa-PK', undefined);
  check('uz-Cyrl', undefined);
  check('xx', undefined);
  check('und', undefined);
  check('Klingon', undefined);
  check('', undefined);
  check('../../etc/passwd', undefined);
  check('__proto__', undefined);
  check(`en-${'a'.repeat(100)}`, undefined);
});

test('a language has the name that its speakers give it, and a foreign code names itself', () => {
  assert.equal(autonymOf(languageOf('fra_Latn')), 'français');
  assert.equal(autonymOf(languageOf('zho_Hant')), '繁體中文');
  assert.equal(autonymOf(languageOf('kmb_Latn')), undefined);
  assert.deepEqual(languageOf('qqq_Latn'), {
    code: 'qqq_Latn',
    tag: 'und',
    englishName: 'qqq_Latn',
  });
  assert.equal(languageOf('eng_Latn').englishName, 'English');
  assert.equal(sonarLanguages[0], 'ace_Arab');
});
