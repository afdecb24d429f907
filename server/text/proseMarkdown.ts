import { parse, postprocess, preprocess } from 'micromark';
import { gfm } from 'micromark-extension-gfm';
import { math } from 'micromark-extension-math';
import { decodeString } from 'micromark-util-decode-string';
import { type Flow, ProseBuilder, type ProseKind } from './proseBlock.ts';

const extensions = [gfm(), math()];

/** Containers, and what their paragraphs are. */
const containers = new Map<string, ProseKind>([
  ['listOrdered', 'listItem'],
  ['listUnordered', 'listItem'],
  ['blockQuote', 'blockquote'],
  ['gfmFootnoteDefinition', 'footnote'],
]);

/** Blocks that are not prose. */
const otherFlows = new Set([
  'atxHeading',
  'setextHeading',
  'codeFenced',
  'codeIndented',
  'htmlFlow',
  'mathFlow',
  'table',
  'definition',
  'thematicBreak',
]);

/** Parts of a paragraph that are not prose. */
const holes = new Set([
  'resource',
  'reference',
  'image',
  'htmlText',
  'gfmFootnoteCall',
  'taskListCheck',
]);

/** Parts whose source is read as it stands. */
const verbatim = new Set([
  'data',
  'characterEscapeValue',
  'codeTextData',
  'mathTextSequence',
  'mathTextData',
  'autolinkProtocol',
  'autolinkEmail',
  'literalAutolinkHttp',
  'literalAutolinkWww',
  'literalAutolinkEmail',
]);

/** Parts in which no sentence ends. */
const solids = new Set(['codeText', 'mathText', 'autolink', 'literalAutolink']);

const markupAnywhere = /[\\`*_[\]<&$~|]/;
const markupAtLineStart = /^(?: {4}|[ \t]*(?:\t|[-+>#=]|\d{1,9}[.)]))/m;
const bracketed = /\[([^[\]]{1,999})\]/g;
const blankLine = /\n[ \t\r]*\n/;

/**
 * Returns the paragraphs and the other blocks of a piece of Markdown (CommonMark, GFM, maths).
 *
 * @param definitions labels that the document defines elsewhere, footnotes' with their `^`
 */
export function parseMarkdown(source: string, definitions: ReadonlySet<string>): Flow[] {
  if (isPlain(source)) return plainParagraph(source);
  const used = new Set([...source.matchAll(bracketed)].map((match) => match[1] ?? ''));
  const needed = [...used].filter((label) => definitions.has(label));
  // Links by reference are only links where their definition is seen, so it is lent to the parser.
  const lent = needed.map((label) => `\n\n[${label}]: x`).join('');
  return collect(source, lent);
}

/** Tells whether a text is one paragraph without any markup, which most prose is. */
function isPlain(source: string): boolean {
  if (markupAnywhere.test(source) || markupAtLineStart.test(source)) return false;
  return !blankLine.test(source.trim());
}

function plainParagraph(source: string): Flow[] {
  const start = source.search(/\S/);
  if (start < 0) return [];
  const end = source.trimEnd().length;
  const builder = new ProseBuilder();
  builder.add(source, start, end);
  return [builder.finish('paragraph', start, end)];
}

/** Parses and walks the parser's events, whose offsets are exact. */
function collect(source: string, lent: string): Flow[] {
  const context = parse({ extensions }).document();
  const events = postprocess(context.write(preprocess()(source + lent, undefined, true)));
  const flows: Flow[] = [];
  const kinds: ProseKind[] = [];
  let builder: ProseBuilder | undefined;
  let holeDepth = 0;
  for (const [phase, token] of events) {
    const { type } = token;
    const start = token.start.offset;
    const end = token.end.offset;
    if (start >= source.length) break;
    const kind = containers.get(type);
    if (kind !== undefined) {
      if (phase === 'enter') kinds.push(kind);
      else kinds.pop();
    } else if (type === 'paragraph') {
      if (phase === 'enter') builder = new ProseBuilder();
      else if (builder !== undefined) {
        flows.push(builder.finish(kinds.at(-1) ?? 'paragraph', start, end));
        builder = undefined;
      }
    } else if (builder === undefined) {
      if (phase === 'exit' && otherFlows.has(type)) flows.push({ start, end });
    } else if (holes.has(type)) {
      holeDepth += phase === 'enter' ? 1 : -1;
      if (phase === 'enter' || holeDepth > 0) continue;
      builder.hole(start, end);
      if (source.startsWith('<br', start)) builder.space(start, end);
    } else if (holeDepth > 0) {
      // Inside a hole nothing is prose.
    } else if (solids.has(type)) {
      if (phase === 'enter') builder.beginSolid(start, end);
      else builder.endSolid();
    } else if (phase === 'exit') {
      addLeaf(builder, type, source, start, end);
    }
  }
  return flows;
}

function addLeaf(
  builder: ProseBuilder,
  type: string,
  source: string,
  start: number,
  end: number,
): void {
  if (verbatim.has(type)) builder.add(source, start, end);
  else if (type === 'lineEnding') builder.space(start, end);
  else if (type === 'characterReference') {
    builder.addReplacement(decodeString(source.slice(start, end)), start, end);
  }
}
