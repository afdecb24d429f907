import type { ProseFormat } from './proseBlock.ts';

/*
 * Prose → source: what would be markup in a document, but is meant as text, is escaped. The way
 * back is that of `prose.ts`.
 */

/** Maths by the rule of Pandoc: no space inside the signs, no digit after; it stays as it is. */
const maths = /(?<!\\)\$(?=\S)[^$\n]*?[^\s$\\]\$(?!\d)/g;

const latexSigns: Readonly<Record<string, string>> = {
  '\\': '\\textbackslash{}',
  '~': '\\textasciitilde{}',
  '^': '\\textasciicircum{}',
};

/** Always at risk: emphasis by stars, code; and what only some neighbours make markup. */
const markdownRisks = new RegExp(
  [
    '[*`]',
    '(?<![\\p{L}\\p{N}])_|_(?![\\p{L}\\p{N}])', // inside a word it is text
    '\\\\(?=[!-/:-@[-`{-~])',
    '<(?=[\\p{L}/!?])',
    '&(?=#?\\w+;)',
    '\\[(?=\\^|[^\\]]*\\][([])',
  ].join('|'),
  'gu',
);
/** At risk as soon as there are two of them. */
const markdownPairs = ['~', '$'] as const;
const markdownLineStart = /^(?:(#{1,6}|[-+>](?=\s|$)|[-=]+$|>)|(\d{1,9})(?=[.)](?:\s|$)))/;

/**
 * Returns the source of a piece of prose.
 *
 * @param startsLine  whether nothing but the markers of a container stands before it on its line
 */
export function escapeProse(text: string, format: ProseFormat, startsLine: boolean): string {
  if (format === 'plaintext') return text;
  const escapeText = format === 'latex' ? escapeLatex : escapeMarkdown;
  let source = '';
  let end = 0;
  for (const match of text.matchAll(maths)) {
    source += escapeText(text.slice(end, match.index)) + match[0];
    end = match.index + match[0].length;
  }
  source += escapeText(text.slice(end));
  if (format === 'latex' || !startsLine) return source;
  return source.replace(markdownLineStart, (_, sign?: string, digits?: string) =>
    digits === undefined ? `\\${sign}` : `${digits}\\`,
  );
}

function escapeLatex(text: string): string {
  return text.replace(/[%&_#${}\\~^]/g, (sign) => latexSigns[sign] ?? `\\${sign}`);
}

function escapeMarkdown(text: string): string {
  let source = text.replace(markdownRisks, '\\$&');
  for (const sign of markdownPairs) {
    if (source.split(sign).length > 2) source = source.replaceAll(sign, `\\${sign}`);
  }
  return source;
}
