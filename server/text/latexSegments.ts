import { mathEnvironments, otherEnvironments } from './latexMacros.ts';
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

const tokens = /\\begin[ \t]*\{([^}]*)\}|\\end[ \t]*\{([^}]*)\}|\\\[|\\\]|\\.|\$\$|%.*$|[{}]/g;
const preamble = /^\s*\\(?:documentclass|documentstyle|RequirePackage)\b/;
const breakingLine =
  /^\s*\\(?:begin|end|item|part|chapter|(?:sub){0,2}section|(?:sub)?paragraph)\b/;
const opaqueLine = /^\s*\\begin[ \t]*\{([^}]*)\}/;

/**
 * LaTeX: a segment ends at a blank line outside braces, and before lines that end a paragraph by
 * themselves; environments that are not prose, the preamble and what follows `\end{document}` are
 * segments of their own.
 */
export function scanLatex(text: string, start: number): Segment {
  const isFirst = isDocumentStart(text, start);
  let wasBlank = false;
  let hasContent = false;
  let depth = 0;
  // The environment or sign that must come before the segment may end.
  let open: string | undefined;
  for (let line = lineAt(text, start); ; line = lineAt(text, line.next)) {
    const isBlank = line.text.trim() === '';
    // TeX allows no blank line in displayed maths, so there it is a forgotten end.
    if (isBlank && open !== undefined && isMath(open)) open = undefined;
    if (!isBlank && open === undefined) {
      const isFree = depth <= 0 || line.start - start > longSegment;
      const isBreak = wasBlank || breakingLine.test(line.text);
      if (hasContent && isFree && isBreak) return proseSegment(line.start);
      if (!hasContent) {
        if (isFirst && preamble.test(line.text)) return opaqueSegment(preambleEnd(text, line));
        if (/^\s*\\end\{document\}/.test(line.text)) return opaqueSegment(text.length);
        const name = opaqueLine.exec(line.text)?.[1];
        const end = name === undefined ? undefined : environmentEnd(text, line, name);
        if (end !== undefined) return opaqueSegment(end);
      }
    }
    for (const [token, begun, ended] of line.text.matchAll(tokens)) {
      if (open !== undefined) {
        if (ended === open || token === open) open = undefined;
      } else if (begun !== undefined) {
        if (otherEnvironments.has(begun)) open = begun;
      } else if (token === '\\[') open = '\\]';
      else if (token === '$$') open = token;
      else if (token === '{') depth += 1;
      else if (token === '}') depth -= 1;
    }
    const cut = forcedCut(text, start, line);
    if (cut !== undefined) return proseSegment(cut);
    // A comment is no content: what begins the document may stand behind some.
    hasContent ||= !isBlank && !line.text.trimStart().startsWith('%');
    wasBlank = isBlank;
    if (line.next >= text.length) return proseSegment(text.length);
  }
}

function isMath(open: string): boolean {
  return open === '\\]' || open === '$$' || mathEnvironments.has(open);
}

function preambleEnd(text: string, line: Line): number {
  const mark = '\\begin{document}';
  const at = text.indexOf(mark, line.start);
  return at < 0 ? text.length : at + mark.length;
}

/** Returns the end of an environment that is not prose, if nothing else stands on its last line. */
function environmentEnd(text: string, line: Line, name: string): number | undefined {
  if (!otherEnvironments.has(name)) return undefined;
  const mark = `\\end{${name}}`;
  const limit = isMath(name) ? blankLineAfter(text, line.start) : text.length;
  const inside = text.slice(line.start, limit).indexOf(mark);
  if (inside < 0) return limit;
  const at = line.start + inside;
  const last = lineAt(text, at + mark.length);
  return last.text.trim() === '' || last.text.trim().startsWith('%') ? last.next : undefined;
}

const blankLine = /\n[ \t\r]*\n/g;

function blankLineAfter(text: string, from: number): number {
  blankLine.lastIndex = from;
  return (blankLine.exec(text)?.index ?? text.length - 1) + 1;
}
