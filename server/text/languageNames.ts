import { type Language, languages } from './languages.ts';

/*
 * Languages by whatever people call them: the code, a BCP 47 tag, the English name.
 */

/** Longer texts are no name of a language. */
const maxNameLength = 64;

/** Names and tags that mean more than one of ours, and which of them is meant without more words. */
const aliases: Readonly<Record<string, string>> = {
  chinese: 'zho_Hans',
  norwegian: 'nob_Latn',
  no: 'nob_Latn',
  nor: 'nob_Latn',
  filipino: 'tgl_Latn',
  fil: 'tgl_Latn',
  kurdish: 'kmr_Latn',
};

const byCode = new Map(languages.map((language) => [language.code, language]));

/** Codes, tags and English names in lower case → code. */
const byName = new Map([
  ...Object.entries(aliases),
  ...languages.flatMap(({ code, tag, englishName }): [string, string][] => [
    [code.toLowerCase().replace('_', '-'), code],
    [tag.toLowerCase(), code],
    [englishName.toLowerCase(), code],
  ]),
]);

/** Codes by the language alone, in either spelling (`fr`, `fra`); what the bare tag means is first. */
const byLanguage = new Map<string, string[]>();
for (const { code, tag } of languages) {
  for (const language of new Set([code.slice(0, 3), tag.split('-')[0] ?? ''])) {
    const codes = byLanguage.get(language) ?? [];
    if (tag.includes('-')) codes.push(code);
    else codes.unshift(code);
    byLanguage.set(language, codes);
  }
}
for (const [name, code] of Object.entries(aliases)) byLanguage.set(name, [code]);

/**
 * Returns the code of the language that a text names: its FLORES-200 code, a BCP 47 tag
 * (`pt-BR`, `zh-TW`) or its English name. The script decides: there is no code for `sr-Latn`,
 * because the models know Serbian in Cyrillic only.
 */
export function findLanguage(text: string): string | undefined {
  const name = text.trim().toLowerCase();
  if (name.length > maxNameLength) return undefined;
  const key = name.replaceAll('_', '-');
  return byName.get(name) ?? byName.get(key) ?? findByTag(key);
}

/** The same among some languages, which may have codes of their own. */
export function findLanguageAmong(codes: readonly string[], text: string): string | undefined {
  const code = codes.includes(text) ? text : findLanguage(text);
  return code !== undefined && codes.includes(code) ? code : undefined;
}

function findByTag(tag: string): string | undefined {
  const locale = parseTag(tag);
  if (locale === undefined) return undefined;
  // First as it was written: `Intl` takes Twi for Akan.
  const codes = byLanguage.get(tag.split('-')[0] ?? '') ?? byLanguage.get(locale.language);
  const script = locale.script ?? (locale.region && locale.maximize().script);
  if (script === undefined) return codes?.[0];
  // `Kore` is Hangul together with Chinese characters.
  return codes?.find((code) => code.endsWith(script === 'Kore' ? 'Hang' : script));
}

function parseTag(tag: string): Intl.Locale | undefined {
  try {
    return new Intl.Locale(tag);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Returns the language of a code; of a code that is none of ours, what the code itself tells. */
export function languageOf(code: string): Language {
  return byCode.get(code) ?? { code, tag: 'und', englishName: code };
}

/** Returns what its speakers call a language, where the ICU of this program knows. */
export function autonymOf({ tag }: Language): string | undefined {
  const names = new Intl.DisplayNames(tag, { type: 'language', fallback: 'none' });
  const isItsOwn = names.resolvedOptions().locale.split('-')[0] === tag.split('-')[0];
  return isItsOwn ? names.of(tag) : undefined;
}
