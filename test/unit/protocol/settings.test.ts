import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { defaultSettings, isLanguageEnabled, parseSettings } from '../../../protocol/settings.ts';

/** Asserts that only the named fields differ from the defaults, and that these lines are reported. */
function check(value: unknown, completion: object, refused: string[] = []): void {
  assert.deepEqual(parseSettings(value), {
    settings: {
      ...defaultSettings,
      completion: { ...defaultSettings.completion, ...completion },
    },
    refused,
  });
}

describe('parseSettings', () => {
  it('gives the defaults back unchanged', () => {
    assert.deepEqual(parseSettings(defaultSettings), { settings: defaultSettings, refused: [] });
  });

  it('takes the default for what is absent, without a word', () => {
    check(undefined, {});
    check(null, {});
    check({}, {});
    check({ completion: null, model: undefined }, {});
    check({ completion: { pauseMs: null } }, {});
  });

  it('takes every usable field', () => {
    const settings = {
      completion: {
        enabled: false,
        languages: { markdown: false, latex: true, tex: false, plaintext: false },
        mode: 'manual',
        excludedFiles: ['drafts/**'],
        pauseOnBattery: true,
        pauseMs: 0,
        minConfidence: 1,
        candidates: 8,
        sentences: 5,
        ownSentences: true,
        conceptModel: 'base',
        inferenceSteps: 100,
        guidanceScale: 1.5,
        noiseScale: 0,
        beamSize: 1,
        maxSentenceTokens: 256,
      },
      language: { source: 'fra_Latn', target: 'English', cycle: ['fr', 'en'] },
      model: { name: 'mine', threads: 4, device: 'webgpu', mirror: 'https://mirror.example' },
      trace: { server: 'messages' },
    };
    assert.deepEqual(parseSettings(settings), { settings, refused: [] });
  });

  it('falls back field by field and names what it refused', () => {
    check({ completion: { pauseMs: 250, candidates: 'many' } }, { pauseMs: 250 }, [
      "thoughtline.completion.candidates: expected a whole number from 1 to 8, found 'many'",
    ]);
    check(
      { completion: { languages: { latex: 'no', tex: false } } },
      {
        languages: { markdown: true, latex: true, tex: false, plaintext: true },
      },
      ["thoughtline.completion.languages.latex: expected true or false, found 'no'"],
    );
    check({ trace: { server: 'loud' } }, {}, [
      "thoughtline.trace.server: expected off, messages, found 'loud'",
    ]);
  });

  it('takes null for what the concept model decides, and a number within limits', () => {
    const model = { inferenceSteps: null, guidanceScale: null, noiseScale: null };
    check({ completion: model }, model);
    check(
      { completion: { inferenceSteps: 8, noiseScale: 0 } },
      { inferenceSteps: 8, noiseScale: 0 },
    );
    check({ completion: { guidanceScale: 11 } }, {}, [
      'thoughtline.completion.guidanceScale: expected a number from 0 to 10, or null, found 11',
    ]);
  });

  it('passes over fields it does not know', () => {
    check({ completion: { colour: 'red', languages: { klingon: true } }, extra: 1 }, {});
    check(JSON.parse('{"__proto__": {"completion": {"pauseMs": 1}}}'), {});
  });

  const whole =
    'thoughtline.completion.pauseMs: expected a whole number from 0 to 5000, or null, found';
  for (const [value, found] of [
    [-1, '-1'],
    [5001, '5001'],
    [1.5, '1.5'],
    [Number.NaN, 'NaN'],
    [Number.POSITIVE_INFINITY, 'Infinity'],
    [true, 'true'],
    [[400], 'a list'],
    [{}, 'a value of type object'],
    ['x'.repeat(1000), 'a long text'],
  ] as const) {
    it(`refuses ${found} as a pause`, () => {
      check({ completion: { pauseMs: value } }, {}, [`${whole} ${found}`]);
    });
  }

  it('refuses a group that is not an object', () => {
    check([], {}, ['thoughtline: expected an object, found a list']);
    check('on', {}, ["thoughtline: expected an object, found 'on'"]);
    check({ completion: 3 }, {}, ['thoughtline.completion: expected an object, found 3']);
    check({ completion: { languages: true } }, {}, [
      'thoughtline.completion.languages: expected an object, found true',
    ]);
  });

  it('takes any short text for a language: which are known, the model tells', () => {
    const parse = (source: unknown) => parseSettings({ language: { source } });
    assert.equal(parse('Scottish Gaelic').settings.language.source, 'Scottish Gaelic');
    for (const refused of ['', '  ', 'x'.repeat(65), 7, ['fr']]) {
      assert.equal(parse(refused).settings.language.source, 'auto');
      assert.equal(parse(refused).refused.length, 1);
    }
  });

  it('refuses a mirror that would not be asked over https', () => {
    for (const mirror of ['http://mirror.example', 'ftp://mirror.example', 'mirror', 'https://']) {
      const { settings, refused } = parseSettings({ model: { mirror } });
      assert.equal(settings.model.mirror, '');
      assert.equal(refused.length, 1);
    }
    const { refused } = parseSettings({ model: { mirror: 'http://127.0.0.1:8080/models' } });
    assert.deepEqual(refused, []);
  });

  it('refuses a path that is longer than any system takes', () => {
    const { settings, refused } = parseSettings({ model: { name: 'x'.repeat(100_000) } });
    assert.equal(settings.model.name, '');
    assert.equal(refused.length, 1);
  });
});

describe('isLanguageEnabled', () => {
  it('needs both switches, and a language that we read', () => {
    const { completion } = defaultSettings;
    const off = { ...defaultSettings, completion: { ...completion, enabled: false } };
    const languages = { ...completion.languages, latex: false };
    const noLatex = { ...defaultSettings, completion: { ...completion, languages } };
    assert.equal(isLanguageEnabled(defaultSettings, 'markdown'), true);
    assert.equal(isLanguageEnabled(defaultSettings, 'typescript'), false);
    assert.equal(isLanguageEnabled(defaultSettings, 'constructor'), false);
    assert.equal(isLanguageEnabled(off, 'markdown'), false);
    assert.equal(isLanguageEnabled(noLatex, 'latex'), false);
    assert.equal(isLanguageEnabled(noLatex, 'tex'), true);
  });
});
