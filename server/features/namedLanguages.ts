import type { NamedLanguage } from '../../protocol/server.ts';
import { autonymOf, languageOf } from '../text/languageNames.ts';

/** Languages that are named between two other tasks: each name takes up to a millisecond. */
const namesPerSlice = 8;

/** Names languages without keeping the thread from anything else for long. */
export async function namedLanguages(codes: readonly string[]): Promise<NamedLanguage[]> {
  const named: NamedLanguage[] = [];
  for (const code of codes) {
    const language = languageOf(code);
    const autonym = autonymOf(language);
    named.push({ code, name: language.englishName, ...(autonym !== undefined && { autonym }) });
    if (named.length % namesPerSlice === 0) await new Promise(setImmediate);
  }
  return named;
}
