import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import {
  type FindMostLikely,
  LanguageIdentifier,
  loadCld3,
} from '../../../server/text/languageIdentifier.ts';
import { sonarLanguages } from '../../../server/text/languages.ts';

let cld3: FindMostLikely;

before(async () => {
  cld3 = await loadCld3();
});

/** Written for this test. */
const samples: Readonly<Record<string, string>> = {
  eng_Latn: 'The ferry leaves at noon. We should pack some bread and a warm blanket.',
  fra_Latn: 'Le bateau part à midi. Nous devrions emporter du pain et une couverture.',
  deu_Latn: 'Die Fähre fährt um zwölf Uhr ab. Wir sollten Brot und eine Decke einpacken.',
  spa_Latn: 'El barco sale a mediodía. Deberíamos llevar pan y una manta bien gruesa.',
  por_Latn: 'A balsa parte ao meio-dia. Deveríamos levar pão e um cobertor quente.',
  ita_Latn: 'Il traghetto parte a mezzogiorno. Dovremmo portare del pane e una coperta.',
  nld_Latn: 'De veerboot vertrekt om twaalf uur. We moeten brood en een deken meenemen.',
  swe_Latn: 'Färjan går klockan tolv. Vi borde packa lite bröd och en varm filt.',
  pol_Latn: 'Prom odpływa w południe. Powinniśmy zabrać chleb i ciepły koc.',
  ces_Latn: 'Trajekt odjíždí v poledne. Měli bychom si vzít chleba a teplou deku.',
  tur_Latn: 'Feribot öğlen kalkıyor. Yanımıza biraz ekmek ve kalın bir battaniye almalıyız.',
  fin_Latn: 'Lautta lähtee keskipäivällä. Meidän pitäisi pakata leipää ja lämmin peitto.',
  hun_Latn: 'A komp délben indul. Vigyünk magunkkal kenyeret és egy meleg takarót.',
  ron_Latn: 'Feribotul pleacă la prânz. Ar trebui să luăm pâine și o pătură groasă.',
  vie_Latn: 'Chuyến phà khởi hành lúc mười hai giờ trưa. Chúng ta nên mang theo bánh mì.',
  ind_Latn: 'Kapal feri berangkat pada tengah hari. Kita sebaiknya membawa roti dan selimut.',
  swh_Latn: 'Kivuko kinaondoka saa sita mchana. Tunapaswa kubeba mkate na blanketi.',
  rus_Cyrl: 'Паром отходит в полдень. Нам стоит взять хлеб и тёплое одеяло.',
  ukr_Cyrl: 'Пором відходить опівдні. Нам варто взяти хліб і теплу ковдру.',
  ell_Grek: 'Το πλοίο φεύγει το μεσημέρι. Πρέπει να πάρουμε ψωμί και μια κουβέρτα.',
  arb_Arab: 'تغادر العبارة عند الظهر. علينا أن نأخذ معنا الخبز وبطانية دافئة.',
  pes_Arab: 'کشتی ظهر حرکت می‌کند. باید کمی نان و یک پتوی گرم برداریم.',
  heb_Hebr: 'המעבורת יוצאת בצהריים. כדאי לארוז לחם ושמיכה חמה.',
  hin_Deva: 'नाव दोपहर को निकलती है। हमें रोटी और एक गर्म कंबल रख लेना चाहिए।',
  ben_Beng: 'ফেরি দুপুরে ছাড়ে। আমাদের কিছু রুটি আর একটা গরম কম্বল নেওয়া উচিত।',
  tam_Taml: 'படகு நண்பகலில் புறப்படுகிறது. நாம் ரொட்டியும் போர்வையும் எடுத்துச் செல்ல வேண்டும்.',
  tha_Thai: 'เรือออกตอนเที่ยง เราควรเตรียมขนมปังและผ้าห่มอุ่น ๆ ไปด้วย',
  kor_Hang: '배는 정오에 떠난다. 우리는 빵과 따뜻한 담요를 챙겨야 한다.',
  jpn_Jpan: '船は正午に出る。パンと暖かい毛布を持って行こう。',
  zho_Hans: '渡船中午开。我们应该带上面包和一条毯子，路上会很冷。',
  zho_Hant: '渡船中午開。我們應該帶上麵包和一條毯子，路上會很冷。',
  yue_Hant: '渡輪正午開。我哋應該帶啲麵包同埋一張毛氈，唔係會好凍。',
  kat_Geor: 'გემი შუადღისას გადის. პური და თბილი საბანი უნდა წავიღოთ.',
};

test('paragraphs in each of the large languages are told apart among all that SONAR knows', () => {
  const identifier = new LanguageIdentifier(sonarLanguages, cld3);
  for (const [code, text] of Object.entries(samples)) {
    assert.equal(identifier.identify(text), code, text);
  }
});

test('only languages that come into question are found', () => {
  const identifier = new LanguageIdentifier(['eng_Latn', 'fra_Latn', 'rus_Cyrl'], cld3);
  for (const [code, text] of Object.entries(samples)) {
    const isKnown = ['eng_Latn', 'fra_Latn', 'rus_Cyrl'].includes(code);
    const found = identifier.identify(text);
    // Russian is the only one here in Cyrillic: what stands in it is taken for Russian.
    assert.equal(found, code === 'ukr_Cyrl' ? 'rus_Cyrl' : isKnown ? code : undefined, code);
  }
});

test('the script alone decides where it can', () => {
  const never: FindMostLikely = () => assert.fail('CLD3 was asked');
  const identifier = new LanguageIdentifier(['eng_Latn', 'kor_Hang', 'zho_Hant'], never);
  const check = (text: string, code: string | undefined) =>
    assert.equal(identifier.identify(text), code, text);
  check('Yes.', 'eng_Latn');
  check('Kubernetes 는 컨테이너 오케스트레이션 system 이다.', 'kor_Hang');
  check('我們用 TypeScript 寫程式。', 'zho_Hant');
  check('我们用编译器写程序。', 'zho_Hant');
  check('это', undefined);
  check('', undefined);
  check('1984: 42 %!', undefined);
});

test('what CLD3 is unsure of, transliterates or calls by an unknown name is not certain', () => {
  const check = (language: string, probability: number, code: string | undefined) => {
    const identifier = new LanguageIdentifier(sonarLanguages, () => ({ language, probability }));
    assert.equal(identifier.identify('Nobody reads this.'), code, `${language} ${probability}`);
  };
  check('no', 0.9, 'nob_Latn');
  check('fil', 0.9, 'tgl_Latn');
  check('en', 0.79, undefined);
  check('bg-Latn', 0.99, undefined);
  check('sr', 0.99, undefined);
  check('la', 0.99, undefined);
  check('und', 0.99, undefined);
});

test('a short word is uncertain, and any text has an answer', () => {
  const identifier = new LanguageIdentifier(sonarLanguages, cld3);
  assert.equal(identifier.identify('Hm, nun ja.'), undefined);
  for (const text of ['\0', '\ud800', 'a'.repeat(100_000), '한'.repeat(100_000), '\u{1f600}']) {
    identifier.identify(text);
  }
  const long = `${samples['deu_Latn']} `.repeat(1000);
  assert.equal(identifier.identify(long), 'deu_Latn');
});
