import type { DocumentText } from '../../text/documentText.ts';
import type { ProsePiece } from '../../text/proseBlock.ts';
import { endsSentence } from '../../text/sentenceBoundaries.ts';

/*
 * Headings and outline items, and how sentences stand below them.
 */

/** A heading or outline item, and where its sentences are inserted. */
export interface HeadingPlace extends ProsePiece {
  kind: 'expand';
  /** Its words, without markup. */
  heading: string;
  /** Where its line begins. */
  lineStart: number;
  /** What is inserted before and after the sentences. */
  prefix: string;
  suffix: string;
}

/** Longer lines are paragraphs, in UTF-16 units. */
const maxOutline = 100;

const markdownHeading = /^ {0,3}#{1,6}[ \t]+(?<words>.*?)[ \t]*#*[ \t]*$/;
const latexHeading =
  /^\s*\\(?:part|chapter|(?:sub){0,2}section|(?:sub)?paragraph)\*?(?:\[[^\]]*\])?\{(?<words>.*?)\}\s*(?:\\label\{[^}]*\}\s*)?$/;
const underline = /^ {0,3}(?:=+|-{2,})[ \t]*$/;
const listItem =
  /^(?<indent>\s*)(?<marker>(?:[-*+•]|\d{1,3}[.)])[ \t]+(?:\[[ xX]\][ \t]+)?)(?<words>.+)$/;
const latexItem = /^(?<indent>\s*)(?<marker>\\item(?:\[[^\]]*\])?\s+)(?<words>.+)$/;

/** Finds the heading or outline item of a line; null where the line is none. */
export function findHeading(
  document: DocumentText,
  { start, end }: ProsePiece,
): HeadingPlace | null {
  const { text, format } = document;
  const line = lineAround(text, start);
  if (end > line.end || document.isOpaqueAt(line.start)) return null;
  const eol = text[line.end] === '\r' ? '\r\n' : '\n';
  const below = lineBelow(text, line);
  const place = (words: string, at: ProsePiece, layout: { lead: string; isApart: boolean }) => {
    const heading = plainWords(words);
    if (heading === '') return null;
    const next = lineBelow(text, at);
    const isFollowed = next !== null && text.slice(next.start, next.end).trim() !== '';
    return {
      ...{ kind: 'expand' as const, heading, lineStart: line.start, start: at.end, end: at.end },
      prefix: layout.lead.replaceAll('\n', eol),
      suffix: isFollowed && layout.isApart ? eol : '',
    };
  };

  const source = text.slice(line.start, line.end);
  const title = (format === 'latex' ? latexHeading : markdownHeading).exec(source)?.groups;
  if (title !== undefined && format !== 'plaintext') {
    const lead = format === 'latex' ? '\n' : '\n\n';
    return place(title['words'] ?? '', line, { lead, isApart: true });
  }
  if (source.length > maxOutline || endsSentence(source)) return null;
  if (format === 'markdown' && below !== null && source.trim() !== '') {
    const isTitle = underline.test(text.slice(below.start, below.end));
    if (isTitle) return place(source, below, { lead: '\n\n', isApart: true });
  }
  if (!document.sentencesAround(line.start, line.end).some((one) => isOn(line, one))) return null;
  const item = (format === 'latex' ? latexItem : listItem).exec(source)?.groups;
  if (item !== undefined) {
    const indent = (item['indent'] ?? '') + ' '.repeat(markerWidth(item['marker'] ?? ''));
    const lead = format === 'markdown' ? `\n\n${indent}` : `\n${indent}`;
    return place(item['words'] ?? '', line, { lead, isApart: false });
  }
  if (!isAlone(text, line)) return null;
  return place(source, line, { lead: '\n\n', isApart: true });
}

/** What stands below an item is indented to its words; below a task, to its box. */
function markerWidth(marker: string): number {
  return marker.startsWith('\\') ? 2 : marker.replace(/\[.\][ \t]+$/, '').length;
}

/** Whether a line has nothing above and below it: it is no part of a paragraph. */
function isAlone(text: string, line: ProsePiece): boolean {
  const above = line.start === 0 ? null : lineAround(text, line.start - 1);
  const below = lineBelow(text, line);
  return [above, below].every(
    (one) => one === null || text.slice(one.start, one.end).trim() === '',
  );
}

function isOn(line: ProsePiece, { start, end }: ProsePiece): boolean {
  return line.start <= start && end <= line.end;
}

/** Takes emphasis, code marks and the addresses of links away. */
function plainWords(words: string): string {
  return words
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/\\\w+\{([^}]*)\}/g, '$1')
    .replace(/[*_`~]+/g, '')
    .trim();
}

/** The line that an offset is in, without its end. */
function lineAround(text: string, offset: number): ProsePiece {
  const start = offset === 0 ? 0 : text.lastIndexOf('\n', offset - 1) + 1;
  const feed = text.indexOf('\n', offset);
  const end = feed < 0 ? text.length : feed;
  return { start, end: end > start && text[end - 1] === '\r' ? end - 1 : end };
}

function lineBelow(text: string, { end }: ProsePiece): ProsePiece | null {
  const feed = text.indexOf('\n', end);
  return feed < 0 || feed === text.length - 1 ? null : lineAround(text, feed + 1);
}
