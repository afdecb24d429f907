import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseShortlist } from '../../../server/compiler/vocabularyShortlist.ts';
import { sonarLanguages } from '../../../server/text/languages.ts';

const vocabInfo = { unkIdx: 1, bosIdx: 2, eosIdx: 3, padIdx: 1 };
const special = [null, null, null];

function choose(wanted: readonly string[], texts: readonly string[], langs = sonarLanguages) {
  const pieces = [...special, ...texts];
  const size = 1 + pieces.length + langs.length + 3;
  return chooseShortlist(wanted, { langs, pieces, vocabInfo: { ...vocabInfo, size } });
}

/** Checks which pieces a shortlist keeps; what is no piece of text is kept always. */
function checkKept(wanted: string, kept: string, dropped: string): void {
  const texts = [...kept.split(' '), ...dropped.split(' ')];
  const { ids } = choose(wanted.split(' '), texts);
  const firstText = 1 + special.length;
  const pieceIds = [...ids].filter((id) => id >= firstText && id < firstText + texts.length);
  assert.deepEqual(
    pieceIds.map((id) => texts[id - firstText]),
    kept.split(' '),
    wanted,
  );
  const others = ids.length - pieceIds.length;
  assert.equal(others, firstText + sonarLanguages.length + 3);
}

const shared = '▁ 7 ▁2024, ... — « 。 、 ー 🙂 👩‍💻 → € ✓ ́';

test('a shortlist keeps the pieces of its scripts, and those of no script', () => {
  checkKept('eng_Latn', `▁the ing é ß n’t ﬁ ${shared}`, 'и ▁и ٣ το 的 ありが 한 في A的 ▁аb');
  checkKept('eng_Latn fra_Latn', `▁the œu ${shared}`, 'и 的');
  checkKept('rus_Cyrl', `▁и ій Ө ${shared}`, 'the 的 το ▁аb');
  checkKept('rus_Cyrl eng_Latn', `▁и the ▁аb ${shared}`, '的 το');
  checkKept('arb_Arab', `▁في ال ، ٣ ${shared}`, 'the של 的');
  checkKept('jpn_Jpan', `▁日本 ありが トウ 々 スーパー ${shared}`, 'the 한 ㄅ A的 ▁и');
  checkKept('kor_Hang', `▁한국 漢字 ㄱ ${shared}`, 'the あ ㄅ');
  checkKept('zho_Hans', `▁中文 ㄅ ${shared}`, 'the あ 한 ア');
  checkKept('yue_Hant', `▁廣東 ㄅ ${shared}`, 'the あ 한');
  checkKept('hin_Deva', `▁है की । ${shared}`, 'the க');
  checkKept('taq_Tfng', `ⵜⴰ ${shared}`, 'the ta');
  checkKept('ell_Grek heb_Hebr', `το של ${shared}`, 'the в');
});

test('every language of SONAR has a script', () => {
  for (const lang of sonarLanguages) assert.ok(choose([lang], ['a']).ids.length > 0);
});

test('ids ascend, and languages are in the order of their tokens, each once', () => {
  const langs = ['eng_Latn', 'rus_Cyrl', 'fra_Latn'];
  const { ids, langs: kept } = choose(['fra_Latn', 'eng_Latn', 'fra_Latn'], ['и', 'a'], langs);
  assert.deepEqual([...ids], [0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11]);
  assert.deepEqual(kept, ['eng_Latn', 'fra_Latn']);
});

test('a control token is kept, whatever its piece says', () => {
  const info = { unkIdx: 1, bosIdx: 2, eosIdx: 5, padIdx: 4, size: 11 };
  const pieces = [...special, 'и', 'и', 'и'];
  const { ids } = chooseShortlist(['x_Latn'], { langs: ['x_Latn'], pieces, vocabInfo: info });
  assert.deepEqual([...ids], [0, 1, 2, 3, 4, 5, 7, 8, 9, 10]);
});

test('a language that is not the model’s, or has no script that we know, is refused', () => {
  const refuses = (wanted: string, langs: readonly string[], message: RegExp) =>
    assert.throws(() => choose([wanted], ['a'], [...langs]), { code: 'invalidRequest', message });
  refuses('tlh_Latn', ['eng_Latn'], /^vocabulary language tlh_Latn: expected one of the model's/);
  for (const lang of ['en', 'eng_latn', 'eng_Xxyy', 'Latn', 'eng_Latn-GB', 'eng_Toto-']) {
    refuses(lang, [lang], /expected a code that ends with a script, such as eng_Latn$/);
  }
});
