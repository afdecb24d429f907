import type { ProseFormat } from './proseBlock.ts';

/*
 * Where a document speaks of itself: in comments for us among its first lines, and in the front
 * matter of Markdown. Documents are not trusted: every repetition is bounded.
 */

/** How far statements are looked for, in UTF-16 units: preambles are shorter. */
const maxHead = 1 << 14;

/** Lines in which a comment counts: further down it may be an example. */
const maxCommentLines = 20;

/** Source of a pattern of blanks, bounded so that no line of spaces is gone through again and again. */
export const gap = '[ \\t]{0,8}';

const frontMatter = /^\uFEFF?(---|\+\+\+)[ \t]*\r?\n([\s\S]*?)\n\1[ \t]*(?:\r?\n|$)/;

/** Returns the part of a document in which it speaks of itself. */
export function headOf(text: string): string {
  return text.slice(0, maxHead);
}

/** Returns the lines of a head in which comments count. */
export function topOf(head: string): string {
  let end = -1;
  for (let line = 0; line < maxCommentLines; line++) {
    end = head.indexOf('\n', end + 1);
    if (end < 0) return head;
  }
  return head.slice(0, end);
}

/** Returns the front matter of a Markdown document, in YAML or TOML; undefined without any. */
export function frontMatterOf(head: string): string | undefined {
  return frontMatter.exec(head)?.[2];
}

/** Returns the patterns of a comment for us, `thoughtline: …`. @param statement  source of a pattern */
export function ownComments(statement: string): Readonly<Record<ProseFormat, RegExp>> {
  const own = `thoughtline:${gap}${statement}${gap}`;
  return {
    markdown: new RegExp(`^${gap}<!--${gap}${own}-->`, 'im'),
    latex: new RegExp(`^${gap}%{1,8}${gap}${own}$`, 'im'),
    plaintext: new RegExp(`^\\uFEFF?${gap}${own}$`, 'im'),
  };
}

/**
 * Returns the pattern of a field of front matter; its second group is the value.
 *
 * @param name, value  sources of patterns
 */
export function frontMatterField(name: string, value: string): RegExp {
  return new RegExp(`^${name}${gap}[:=]${gap}(["']?)(${value})\\1${gap}(?:#.*)?$`, 'im');
}
