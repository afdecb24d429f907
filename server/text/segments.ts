import { scanLatex } from './latexSegments.ts';
import { scanMarkdown } from './markdownSegments.ts';
import type { ProseFormat } from './proseBlock.ts';
import {
  byteOrderMark,
  forcedCut,
  lineAt,
  opaqueSegment,
  proseSegment,
  type Segment,
} from './segment.ts';

/** Returns the segment that begins at `start`. */
export function nextSegment(text: string, start: number, format: ProseFormat): Segment {
  if (start === 0 && text.charCodeAt(0) === byteOrderMark) {
    return opaqueSegment(1);
  }
  if (format === 'markdown') return scanMarkdown(text, start);
  if (format === 'latex') return scanLatex(text, start);
  return scanPlain(text, start);
}

/** Plain text: a segment is a paragraph with the blank lines after it. */
function scanPlain(text: string, start: number): Segment {
  let wasBlank = false;
  let hasContent = false;
  for (let line = lineAt(text, start); ; line = lineAt(text, line.next)) {
    const isBlank = line.text.trim() === '';
    if (!isBlank && wasBlank && hasContent) return proseSegment(line.start);
    const cut = forcedCut(text, start, line);
    if (cut !== undefined) return proseSegment(cut);
    hasContent ||= !isBlank;
    wasBlank = isBlank;
    if (line.next >= text.length) return proseSegment(text.length);
  }
}
