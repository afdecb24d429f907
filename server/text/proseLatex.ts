import { parseMinimal } from '@unified-latex/unified-latex-util-parse';
import {
  accentMarks,
  breakingMacros,
  otherEnvironments,
  proseMacros,
  replacedMacros,
} from './latexMacros.ts';
import { type Flow, ProseBuilder, type ProseKind } from './proseBlock.ts';

/** What we read of a node of unified-latex. */
interface Node {
  readonly type: string;
  readonly content?: string | readonly Node[];
  readonly env?: string | { readonly content?: string };
  readonly leadingWhitespace?: boolean;
  readonly sameline?: boolean;
  readonly position?: { readonly start: { offset: number }; readonly end: { offset: number } };
}

/** Deeper groups are not read: no one writes prose there, and the walk is recursive. */
const maxDepth = 50;

const markup = /[\\{}$%&#~^_`'[\]-]/;
const blankLine = /\n[ \t]*\n/;

/**
 * Returns the paragraphs and the other blocks of a piece of LaTeX.
 *
 * @throws RangeError when braces are nested deeper than the parser copes with
 */
export function parseLatex(source: string): Flow[] {
  // The parser knows only line feeds; a space in place of each carriage return keeps the offsets.
  const text = source.replaceAll('\r', ' ');
  const walker = new LatexWalker(text);
  if (!markup.test(text) && !blankLine.test(text.trim())) walker.readPlain();
  else if (numNestedBraces(text) > maxDepth) throw new RangeError('braces nested too deep');
  else walker.read(parseMinimal(text).content as readonly Node[]);
  return walker.flows;
}

/** Counts how deep braces are nested: the parser's time grows with the square of it. */
function numNestedBraces(text: string): number {
  let [depth, deepest] = [0, 0];
  for (const [brace] of text.matchAll(/[{}]/g)) {
    depth = Math.max(0, depth + (brace === '{' ? 1 : -1));
    deepest = Math.max(deepest, depth);
  }
  return deepest;
}

class LatexWalker {
  readonly flows: Flow[] = [];
  readonly #source: string;
  readonly #footnotes: Flow[] = [];
  #builder = new ProseBuilder();
  #kind: ProseKind = 'paragraph';
  #start = -1;
  #end = -1;

  constructor(source: string) {
    this.#source = source;
  }

  readPlain(): void {
    const start = this.#source.search(/\S/);
    if (start < 0) return;
    this.#touch(start, this.#source.trimEnd().length);
    this.#builder.add(this.#source, this.#start, this.#end);
    this.#flush();
  }

  read(nodes: readonly Node[]): void {
    this.#walk(nodes, 0);
    this.#flush();
  }

  #walk(nodes: readonly Node[], depth: number): void {
    if (depth > maxDepth) return;
    for (let i = 0; i < nodes.length; ) i = this.#node(nodes, i, depth);
  }

  /** Reads the node at `i` and whatever belongs to it; returns the index of the next. */
  #node(nodes: readonly Node[], i: number, depth: number): number {
    const node = nodes[i] as Node;
    const [start, end] = range(node);
    switch (node.type) {
      case 'string':
        return this.#string(nodes, i);
      case 'whitespace':
        this.#builder.space(start, end);
        return i + 1;
      case 'parbreak':
        this.#flush();
        return i + 1;
      case 'comment':
        this.#touch(start, end);
        this.#builder.hole(start, end);
        if (node.leadingWhitespace || !node.sameline) this.#builder.space(start, end);
        return i + 1;
      case 'inlinemath':
      case 'verb':
        this.#touch(start, end);
        this.#builder.beginSolid(start, end);
        if (node.type === 'inlinemath') this.#builder.add(this.#source, start, end);
        else this.#builder.add(this.#source, start + verbPrefix(node), end - 1);
        this.#builder.endSolid();
        return i + 1;
      case 'group':
        this.#touch(start, end);
        this.#walk(children(node), depth + 1);
        this.#touch(start, end);
        return i + 1;
      case 'environment':
        return this.#environment(nodes, i, depth);
      case 'macro':
        return this.#macro(nodes, i, depth);
      default:
        // Displayed maths and verbatim text end the paragraph.
        this.#flush();
        this.flows.push({ start, end });
        return i + 1;
    }
  }

  #string(nodes: readonly Node[], i: number): number {
    const node = nodes[i] as Node;
    const [start, end] = range(node);
    const text = String(node.content);
    let next = i + 1;
    while (next - i < 3 && /^[-`']$/.test(text) && isString(nodes[next], text)) next += 1;
    // Three dashes are one sign, but three quotation marks are not.
    if (text !== '-') next = Math.min(next, i + 2);
    const signs = { '-': ['-', '–', '—'], '`': ['‘', '“'], "'": ["'", '”'], '~': [' '] }[text];
    const sign = signs?.[next - i - 1];
    const last = range(nodes[next - 1] as Node)[1];
    this.#touch(start, last);
    if (sign === undefined || sign === text) this.#builder.add(this.#source, start, end);
    else this.#builder.addReplacement(sign, start, last);
    return next;
  }

  #environment(nodes: readonly Node[], i: number, depth: number): number {
    const node = nodes[i] as Node;
    const [start, end] = range(node);
    const name = typeof node.env === 'string' ? node.env : (node.env?.content ?? '');
    this.#flush();
    if (otherEnvironments.has(name)) this.flows.push({ start, end });
    else {
      const content = children(node);
      this.#walk(content.slice(skipArguments(content, 0).next), depth + 1);
      this.#flush();
    }
    return i + 1;
  }

  #macro(nodes: readonly Node[], i: number, depth: number): number {
    const node = nodes[i] as Node;
    const [start, end] = range(node);
    const name = String(node.content);
    const replacement = replacedMacros.get(name);
    if (replacement !== undefined) {
      this.#touch(start, end);
      this.#builder.addReplacement(replacement, start, end);
      return this.#skipEmptyGroup(nodes, i + 1);
    }
    if (accentMarks.has(name)) return this.#accent(nodes, i, name);
    const { groups, next } = skipArguments(nodes, i + 1);
    const last = next > i + 1 ? range(nodes[next - 1] as Node)[1] : end;
    if (breakingMacros.has(name)) {
      this.#flush();
      if (name === 'item') this.#kind = 'listItem';
      this.flows.push({ start, end: last });
      return next;
    }
    this.#touch(start, last);
    const argument = groups.at(-1);
    if (argument !== undefined && (name === 'footnote' || name === 'footnotetext')) {
      this.#builder.hole(start, last);
      this.#footnote(argument, depth);
    } else if (argument !== undefined && proseMacros.has(name)) {
      const [from, to] = range(argument);
      this.#walk(children(argument), depth + 1);
      this.#builder.hole(start, from + 1);
      this.#builder.hole(to - 1, to);
      this.#touch(start, last);
    } else {
      this.#builder.hole(start, last);
      if (name === '\\') this.#builder.space(start, last);
      const isOpen = name === '[' || name === '(' || isString(nodes[next], '{');
      if (isOpen && next < nodes.length) return this.#skipOpenArgument(nodes, next);
    }
    return next;
  }

  /** Passes over an argument whose brace is not closed yet: its end is unknown. */
  #skipOpenArgument(nodes: readonly Node[], from: number): number {
    let next = from;
    while (next < nodes.length && nodes[next]?.type !== 'parbreak') next += 1;
    const start = range(nodes[from] as Node)[0];
    const end = range(nodes[next - 1] as Node)[1] + 1;
    this.#touch(start, end);
    this.#builder.hole(start, end);
    return next;
  }

  #footnote(argument: Node, depth: number): void {
    const outer = { builder: this.#builder, start: this.#start, end: this.#end };
    this.#builder = new ProseBuilder();
    const [start, end] = range(argument);
    this.#walk(children(argument), depth + 1);
    this.#footnotes.push(this.#builder.finish('footnote', start + 1, end - 1));
    this.#builder = outer.builder;
    this.#start = outer.start;
    this.#end = outer.end;
  }

  /** Composes an accent with the letter after it, as in `\'e` and `\v{c}`. */
  #accent(nodes: readonly Node[], i: number, name: string): number {
    const [start] = range(nodes[i] as Node);
    const next = nodes[i + 1];
    const letterNode = next?.type === 'group' ? children(next)[0] : next;
    const text = letterNode?.type === 'string' ? String(letterNode.content) : '';
    const letter = String.fromCodePoint(text.codePointAt(0) ?? 0x20).trim();
    if (next === undefined || letterNode === undefined || letter === '') return i + 1;
    const letterEnd = range(letterNode)[0] + letter.length;
    const end = next.type === 'group' ? range(next)[1] : letterEnd;
    this.#touch(start, end);
    const composed = `${letter}${accentMarks.get(name)}`.normalize('NFC');
    this.#builder.addReplacement(composed, start, end);
    if (next.type === 'string') {
      this.#touch(start, range(next)[1]);
      this.#builder.add(this.#source, letterEnd, range(next)[1]);
    }
    return i + 2;
  }

  #skipEmptyGroup(nodes: readonly Node[], next: number): number {
    const group = nodes[next];
    if (group?.type !== 'group' || children(group).length > 0) return next;
    this.#touch(...range(group));
    return next + 1;
  }

  #touch(start: number, end: number): void {
    if (this.#start < 0) this.#start = start;
    this.#end = Math.max(this.#end, end);
  }

  #flush(): void {
    if (this.#start >= 0) {
      this.flows.push(this.#builder.finish(this.#kind, this.#start, this.#end));
      this.#builder = new ProseBuilder();
      this.#start = -1;
      this.#end = -1;
      this.#kind = 'paragraph';
    }
    this.flows.push(...this.#footnotes.splice(0));
  }
}

function range(node: Node): [number, number] {
  return [node.position?.start.offset ?? 0, node.position?.end.offset ?? 0];
}

function children(node: Node): readonly Node[] {
  return Array.isArray(node.content) ? node.content : [];
}

function isString(node: Node | undefined, text: string): boolean {
  return node?.type === 'string' && node.content === text;
}

function verbPrefix(node: Node): number {
  return `\\${String(node.env)}`.length + 1;
}

/** Passes over a star, optional arguments and groups that follow a macro at once. */
function skipArguments(nodes: readonly Node[], from: number): { groups: Node[]; next: number } {
  const groups: Node[] = [];
  let next = from;
  if (isString(nodes[next], '*')) next += 1;
  for (;;) {
    const node = nodes[next];
    if (node?.type === 'group') {
      groups.push(node);
      next += 1;
    } else if (isString(node, '[')) {
      let close = next + 1;
      while (close < nodes.length && !isString(nodes[close], ']')) {
        if (nodes[close]?.type === 'parbreak') return { groups, next };
        close += 1;
      }
      if (close >= nodes.length) return { groups, next };
      next = close + 1;
    } else return { groups, next };
  }
}
