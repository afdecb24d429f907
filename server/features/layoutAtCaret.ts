import type { ProseFormat } from '../text/proseBlock.ts';
import { splitSentences } from '../text/sentenceSplitter.ts';

/*
 * What must stand between the text before a caret and a sentence there: a space or two, a line
 * break where every sentence has a line of its own, the next marker of a list, the signs of a
 * quotation.
 */

/** Lines above that are looked at for the items of a list. */
const maxLines = 32;

const markdownQuote = /^(?: {0,3}> ?)+/;
const markers: Readonly<Record<ProseFormat, RegExp>> = {
  markdown: /^([ \t]*)((?:[-*+]|\d{1,9}[.)])[ \t]+(?:\[[ xX]\][ \t]+)?)(?=\S)/,
  latex: /^([ \t]*)(\\item[ \t]+)(?=\S)/,
  plaintext: /^([ \t]*)((?:[-*+•–—]|\(?\d{1,3}[.)])[ \t]+)(?=\S)/,
};
/** Lines that are no part of a paragraph, such as headings, tables, and what LaTeX begins and ends. */
const otherLines: Readonly<Record<ProseFormat, RegExp>> = {
  markdown: /^\s*(?:#{1,6}\s|\||```|~~~|<|\[[^\]]+\]:|[-=*_]{3,}\s*$)/,
  latex: /^\s*(?:%|\\(?!emph|text|item|enquote|LaTeX|TeX))/,
  plaintext: /^$/,
};
const terminal = /[.!?…。！？]["'”’»›)\]」』）]*$/u;
const wideEnd = /[。！？」』）]$/u;

/** A paragraph as far as it stands before a place: its lines without what they are in. */
interface Paragraph {
  /** Of the quotation that it is in. */
  quote: string;
  marker: { indent: string; text: string } | null;
  lines: string[];
  /** White space that its last line begins with. */
  indent: string;
}

/** Returns what goes before a sentence at the end of a text. */
export function joint(before: string, format: ProseFormat): string {
  const lines = before.split('\n').map((line) => line.replace(/\r$/, ''));
  const line = lines.at(-1) ?? '';
  const above = lines.slice(0, -1);
  if (line.trim() === '') return lineStart(line, above, format);
  if (wideEnd.test(line)) return '';
  const space = /[^\S\n]*$/.exec(line)?.[0] ?? '';
  const isSpaced = hasDoubleSpaces(before);
  if (space !== '') return isSpaced && space === ' ' ? ' ' : '';
  const paragraph = paragraphAbove(lines, format);
  if (paragraph !== null && hasLinePerSentence(paragraph, above, format)) {
    return (before.includes('\r\n') ? '\r\n' : '\n') + continuation(paragraph, format);
  }
  return isSpaced ? '  ' : ' ';
}

/** Whether there are two spaces between sentences more often than one. */
function hasDoubleSpaces(text: string): boolean {
  const stops = text.match(/[.!?]["'”’)]*( {1,2})(?=["'“‘(]?\p{Lu})/gu) ?? [];
  const doubles = stops.filter((stop) => stop.endsWith('  ')).length;
  return doubles > stops.length - doubles;
}

/** Returns what an empty line begins with, without what stands there already. */
function lineStart(line: string, above: readonly string[], format: ProseFormat): string {
  const paragraph = paragraphAbove(above, format);
  if (paragraph === null) return '';
  const { quote, marker } = paragraph;
  const goesOn = marker !== null && hasItemsOfOneSentence(above, format);
  const start = goesOn
    ? quote + marker.indent + nextMarker(above, marker.text, format)
    : continuation(paragraph, format);
  return start.startsWith(line) ? start.slice(line.length) : '';
}

/** What another line of a paragraph begins with. */
function continuation({ quote, marker, lines, indent }: Paragraph, format: ProseFormat): string {
  if (marker === null || lines.length > 1 || format === 'latex') return quote + indent;
  const width = marker.text.replace(/\[.\][ \t]+$/, '').length;
  return quote + marker.indent + ' '.repeat(width);
}

/** Returns the paragraph that the last line is of; null when there is none. */
function paragraphAbove(lines: readonly string[], format: ProseFormat): Paragraph | null {
  const found: string[] = [];
  let indent = '';
  for (let i = lines.length - 1; i >= Math.max(0, lines.length - maxLines); i--) {
    const line = lines[i] ?? '';
    const quote = quoteOf(line, format);
    const rest = line.slice(quote.length);
    if (rest.trim() === '' || otherLines[format].test(rest)) break;
    if (found.length === 0) indent = /^[ \t]*/.exec(rest)?.[0] ?? '';
    const marker = markers[format].exec(rest);
    found.unshift(marker === null ? rest.trim() : rest.slice(marker[0].length).trim());
    if (marker !== null) {
      const [, markerIndent = '', text = ''] = marker;
      return { quote, marker: { indent: markerIndent, text }, lines: found, indent };
    }
  }
  if (found.length === 0) return null;
  return { quote: quoteOf(lines.at(-1) ?? '', format), marker: null, lines: found, indent };
}

function quoteOf(line: string, format: ProseFormat): string {
  return format === 'markdown' ? (markdownQuote.exec(line)?.[0] ?? '') : '';
}

/** Whether every sentence of a paragraph begins a line; one of one line goes by those above it. */
function hasLinePerSentence(
  paragraph: Paragraph,
  above: readonly string[],
  format: ProseFormat,
): boolean {
  const own = isLinePerSentence(paragraph.lines);
  if (own !== null) return own;
  // Whatever ends above: a blank line, a heading, a marker.
  const blocks = above
    .slice(-maxLines)
    .join('\n')
    .split(/\n(?:\s*\n)+/);
  const others = blocks.slice(0, -1).map((block) => {
    const inside = paragraphAbove(block.split('\n'), format);
    return inside === null ? null : isLinePerSentence(inside.lines);
  });
  const told = others.filter((isSo) => isSo !== null);
  return told.filter(Boolean).length * 2 > told.length;
}

/** null where a paragraph of one sentence does not tell. */
function isLinePerSentence(lines: readonly string[]): boolean | null {
  if (!lines.slice(0, -1).every((line) => terminal.test(line))) return false;
  if (!lines.every(isOneSentence)) return false;
  return lines.length > 1 ? true : null;
}

function isOneSentence(text: string): boolean {
  return splitSentences(text, 'plaintext').length <= 1;
}

/** Returns the items of the list at the end, the last one first, as their lines. */
function itemsAbove(
  lines: readonly string[],
  format: ProseFormat,
): { marker: string; text: string }[] {
  const items: { marker: string; text: string }[] = [];
  let rest = lines.slice(-maxLines);
  const indent = paragraphAbove(rest, format)?.marker?.indent;
  while (rest.length > 0) {
    while (rest.length > 0 && items.length > 0 && rest.at(-1)?.trim() === '') rest.pop();
    const item = paragraphAbove(rest, format);
    if (item?.marker === null || item === null) break;
    // Items inside an item, and those that the list is inside, are other lists.
    if (item.marker.indent === indent) {
      items.push({ marker: item.marker.text, text: item.lines.join(' ') });
    } else if (item.marker.indent.length < (indent ?? '').length) break;
    rest = rest.slice(0, -item.lines.length);
  }
  return items;
}

function hasItemsOfOneSentence(lines: readonly string[], format: ProseFormat): boolean {
  const items = itemsAbove(lines, format);
  return items.length > 0 && items.every(({ text }) => isOneSentence(text));
}

/** Returns the marker after the last one: one more, unless the list has the same for all items. */
function nextMarker(lines: readonly string[], last: string, format: ProseFormat): string {
  const box = last.replace(/\[[xX]\]/, '[ ]');
  const digits = /\d+/.exec(box)?.[0];
  if (digits === undefined) return box;
  const [, previous] = itemsAbove(lines, format);
  if (previous?.marker === last) return box;
  const next = String(Number(digits) + 1);
  // What follows a longer number stays where it is.
  const isLonger = next.length > digits.length;
  const marker = box.replace(digits, next);
  return isLonger && /\s{2}$/.test(marker) ? marker.slice(0, -1) : marker;
}
