/**
 * Names a language by its FLORES-200 code, such as `fra_Latn`, in words of a display language. The
 * script is named where it is not the language's usual one.
 *
 * @param displayLanguage  a BCP 47 tag
 */
export function nameOfLanguage(code: string, displayLanguage: string): string {
  const [, language = '', script = ''] = /^([a-z]{2,3})_([A-Z][a-z]{3})$/.exec(code) ?? [];
  if (language === '') return code;
  const isUsual = new Intl.Locale(language).maximize().script === script;
  const names = new Intl.DisplayNames([displayLanguage], { type: 'language' });
  return names.of(isUsual ? language : `${language}-${script}`) ?? code;
}
