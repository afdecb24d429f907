import { type Flow, ProseBuilder, type ProseKind } from './proseBlock.ts';

const lineOfText = /[^\r\n]*(?:\r\n|\r|\n|$)/g;
const bullet = /^\s*(?:[-*+•–—]|\(?\d{1,3}[.)])\s+(?=\S)/;

/**
 * Returns the paragraphs of plain text: they end at blank lines and before the items of a list.
 *
 * @param isProse tells which lines are read; the others end a paragraph
 */
export function parsePlain(source: string, isProse: (line: string) => boolean): Flow[] {
  const flows: Flow[] = [];
  let builder = new ProseBuilder();
  let kind: ProseKind = 'paragraph';
  let [start, end] = [0, 0];
  const flush = () => {
    if (!builder.isEmpty) flows.push(builder.finish(kind, start, end));
    builder = new ProseBuilder();
    kind = 'paragraph';
  };
  for (const match of source.matchAll(lineOfText)) {
    const line = match[0].trimEnd();
    const at = match.index;
    if (line.trim() === '' || !isProse(line)) {
      flush();
      if (line.trim() !== '') flows.push({ start: at, end: at + line.length });
      continue;
    }
    const marker = bullet.exec(line)?.[0].length ?? 0;
    if (marker > 0) {
      flush();
      kind = 'listItem';
    }
    if (builder.isEmpty) start = at;
    else builder.space(at - 1, at);
    end = at + line.length;
    builder.add(source, at + marker, end);
  }
  flush();
  return flows;
}
