import { findLanguageAmong } from '../text/languageNames.ts';

export interface TargetCycle {
  /** Codes of the model's languages. */
  langs: readonly string[];
  /** The code of the language that is shown. */
  current: string;
  /** The code of the text's own language: one always comes back to it. */
  own: string;
}

/**
 * Returns the language after the current one, round and round; the first when the current one is
 * none of the list.
 *
 * @param names  languages as people call them; all of the model when empty
 * @returns its code, and the names that are none of the model's
 */
export function cycleTargets(
  names: readonly string[],
  { langs, current, own }: TargetCycle,
): { code: string; unknown: string[] } {
  const found = names.map((name) => findLanguageAmong(langs, name));
  const known = names.length === 0 ? langs : found.filter((code) => code !== undefined);
  const codes = [...new Set(known.includes(own) ? known : [own, ...known])];
  return {
    code: codes[(codes.indexOf(current) + 1) % codes.length] ?? own,
    unknown: names.filter((_, i) => found[i] === undefined),
  };
}
