/*
 * Values of strangers, as messages repeat them: in one line, and no longer than a message.
 */

const maxShown = 80;

/** Returns a value in JSON. */
export function show(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > maxShown ? `${text.slice(0, maxShown)}…` : text;
}

/** Returns a name as it is, when it is one of the usual kind. */
export function showName(name: string): string {
  return name.length <= maxShown && /^[\w./:-]+$/.test(name) ? name : show(name);
}
