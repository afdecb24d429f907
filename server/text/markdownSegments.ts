import {
  forcedCut,
  isDocumentStart,
  type Line,
  lineAt,
  longSegment,
  opaqueSegment,
  proseSegment,
  type Segment,
} from './segment.ts';

/** A tight list is cut between its items once the segment is this long. */
const longList = 1024;

const fence = /^ {0,3}(`{3,}(?!.*`)|~{3,}|\${2,}(?!.*\$))/;
const listMarker = /^( {0,3}(?:[-+*]|\d{1,9}[.)])(?: {1,4}(?! )|\t| |$))/;
const definition = /^ {0,3}\[([^\]\\]{1,999})\]:/;
const tableDelimiter = /^ {0,3}\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-*:?[ \t]*)*$/;
const frontMatter = /^(---|\+\+\+)[ \t]*$/;
/** HTML that goes on over blank lines until its own end (CommonMark 0.31 §4.6, kinds 1–5). */
const htmlKinds: readonly (readonly [RegExp, RegExp])[] = [
  [/^ {0,3}<(?:script|pre|style|textarea)(?:[\s>]|$)/i, /<\/(?:script|pre|style|textarea)>/i],
  [/^ {0,3}<!--/, /-->/],
  [/^ {0,3}<\?/, /\?>/],
  [/^ {0,3}<!\[CDATA\[/, /\]\]>/],
  [/^ {0,3}<![a-z]/i, />/],
];

/**
 * Markdown: a segment ends before a line that follows a blank line and is not indented, since
 * nothing else can go on there; code, maths, raw HTML, tables and front matter are segments of
 * their own.
 */
export function scanMarkdown(text: string, start: number): Segment {
  const first = lineAt(text, start);
  if (isDocumentStart(text, start) && frontMatter.test(first.text)) {
    const end = closingLine(text, first, (line) => line.trimEnd() === first.text.trimEnd());
    if (end !== undefined) return opaqueSegment(end);
  }
  const isHtml = first.text.startsWith('<');
  const definitions: string[] = [];
  let wasBlank = false;
  let hasContent = false;
  // Where the text of the open list item begins; 0 outside lists.
  let itemIndent = 0;
  let previous: Line | undefined;
  for (let line = first; ; line = lineAt(text, line.next)) {
    const isBlank = line.text.trim() === '';
    if (!isBlank) {
      const indent = line.text.search(/\S/);
      const marker = indent < Math.max(itemIndent, 4) ? listMarker.exec(line.text)?.[0] : undefined;
      const isOutside = line.text[0] !== '\t' && indent < Math.max(itemIndent, 1);
      if (hasContent && wasBlank && isUnindented(line.text)) return end(line.start);
      if (wasBlank && isOutside) itemIndent = 0;
      const isTopLevel = itemIndent === 0 || isOutside;
      if (isTopLevel) {
        const opaqueEnd = opaqueBlock(text, line);
        if (opaqueEnd !== undefined) {
          return hasContent ? end(line.start) : opaqueSegment(opaqueEnd);
        }
        const isTable = previous?.text.includes('|') && isTableDelimiter(line.text);
        if (isTable && previous !== undefined) {
          if (previous.start > start) return end(previous.start);
          return opaqueSegment(closingLine(text, line, isBlankText, true) ?? text.length);
        }
      }
      if (marker !== undefined && isOutside && itemIndent > 0 && line.start - start > longList) {
        return end(line.start);
      }
      if (marker !== undefined && (itemIndent === 0 || isOutside)) {
        itemIndent = marker.trimStart() === marker.trim() ? marker.length + 1 : marker.length;
      }
      const label = definition.exec(line.text)?.[1];
      if (label !== undefined) definitions.push(label);
      hasContent = true;
    }
    const isWhole = isHtml && !wasBlank;
    const cut = isWhole ? undefined : forcedCut(text, start, line);
    if (cut !== undefined) return end(cut);
    wasBlank = isBlank;
    previous = isBlank ? undefined : line;
    if (line.next >= text.length) return end(text.length);
  }

  function end(offset: number): Segment {
    // Raw HTML is kept whole, and what is too long for the parser of it is not prose.
    if (isHtml && offset - start > longSegment) return opaqueSegment(offset);
    return proseSegment(offset, definitions);
  }
}

function isUnindented(line: string): boolean {
  return line[0] !== ' ' && line[0] !== '\t';
}

function isBlankText(line: string): boolean {
  return line.trim() === '';
}

function isTableDelimiter(line: string): boolean {
  return line.includes('|') && line.includes('-') && tableDelimiter.test(line);
}

/** Returns the end of the fence or raw HTML that begins at a line, if one does. */
function opaqueBlock(text: string, line: Line): number | undefined {
  const marker = fence.exec(line.text)?.[1];
  if (marker !== undefined) {
    const sign = marker[0] === '$' ? '\\$' : marker[0];
    const closing = new RegExp(`^ {0,3}${sign}{${marker.length},}[ \\t]*$`);
    return closingLine(text, line, (other) => closing.test(other)) ?? text.length;
  }
  for (const [opening, closing] of htmlKinds) {
    const match = opening.exec(line.text);
    if (match === null) continue;
    if (closing.test(line.text.slice(match[0].length))) return line.next;
    return closingLine(text, line, (other) => closing.test(other)) ?? text.length;
  }
  return undefined;
}

/** Returns the offset after (or `isBefore`, before) the first line below `line` that matches. */
function closingLine(
  text: string,
  line: Line,
  matches: (line: string) => boolean,
  isBefore = false,
): number | undefined {
  for (let at = line.next; at < text.length; ) {
    const other = lineAt(text, at);
    if (matches(other.text)) return isBefore ? other.start : other.next;
    at = other.next;
  }
  return undefined;
}
