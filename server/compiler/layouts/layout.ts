/*
 * A layout says how one family of checkpoints names the tensors of one part of a model. Layouts
 * are tables; `canonicalWeights` applies them. The canonical names are those of fairseq2, which
 * the networks in `compiler/models` are written in.
 */

/** What a checkpoint is asked for. */
export type Part = 'encoder' | 'decoder' | 'entropy' | 'conceptModel';

/** A key with placeholders: `{i}` is the index of a layer, `{p}` weight or bias, `{*}` anything. */
export type KeyPattern = string;

export interface Layout {
  /** What errors call it. */
  readonly name: string;
  /** Keys of which one is enough to recognise the layout. */
  readonly marks: readonly KeyPattern[];
  /** What may stand before a key; longer ones first. */
  readonly prefixes: readonly string[];
  /** Keys and their canonical names; the first that fits counts. Two keys of one name are tied. */
  readonly renames: readonly (readonly [from: KeyPattern, to: KeyPattern])[];
  /** Keys that are known and not needed; they are looked at before `renames`. */
  readonly leftAside: readonly KeyPattern[];
  /** Keys that are not needed as long as their numbers are all zero. */
  readonly zeros?: readonly KeyPattern[];
  /** The row of the file that is the first, second … row of a table over the vocabulary. */
  readonly firstRows?: readonly number[];
}

const placeholders: Readonly<Record<string, string>> = {
  '{i}': '(?<i>\\d+)',
  '{p}': '(?<p>weight|bias)',
  '{*}': '(?<any>.+)',
};

const references: Readonly<Record<string, string>> = {
  '{i}': '$<i>',
  '{p}': '$<p>',
  '{*}': '$<any>',
};

/** Returns whether a key has the form of one of the patterns. */
export function matchesAny(key: string, patterns: readonly KeyPattern[]): boolean {
  return patterns.some((pattern) => expressionOf(pattern).test(key));
}

/** Returns a key of the form `from` in the form `to`, or null when it has another form. */
export function rewrite(key: string, from: KeyPattern, to: KeyPattern): string | null {
  const expression = expressionOf(from);
  if (!expression.test(key)) return null;
  return key.replace(
    expression,
    to.replace(/\{.\}/g, (name) => references[name] ?? name),
  );
}

function expressionOf(pattern: KeyPattern): RegExp {
  const source = pattern
    .split(/(\{.\})/)
    .map((text) => placeholders[text] ?? text.replaceAll('.', '\\.'))
    .join('');
  return new RegExp(`^${source}$`);
}
