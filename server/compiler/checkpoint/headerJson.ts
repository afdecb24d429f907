/*
 * JSON of a stranger, checked before it is parsed: `JSON.parse` keeps the last of duplicate keys in
 * silence, and builds any number of values at any depth.
 */

/** What the JSON of a header may be made of. */
export interface JsonLimits {
  maxDepth: number;
  /** Of values in arrays and members of objects, all together. */
  maxValues: number;
}

const quote = 0x22;
const backslash = 0x5c;

/**
 * Parses JSON without duplicate keys.
 *
 * @throws SyntaxError that says what is wrong, when it is malformed or over a limit
 */
export function parseLimitedJson(text: string, limits: JsonLimits): unknown {
  checkStructure(text, limits);
  return JSON.parse(text);
}

export function isJsonObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Walks the brackets, commas and strings; all else is left to `JSON.parse`. */
function checkStructure(text: string, { maxDepth, maxValues }: JsonLimits): void {
  const open: (Set<string> | null)[] = []; // keys of each open object; null for an array
  let expectsKey = false;
  let numValues = 0;
  for (let i = 0; i < text.length; i += 1) {
    switch (text[i]) {
      case '{':
      case '[':
        open.push(text[i] === '{' ? new Set() : null);
        if (open.length > maxDepth) throw new SyntaxError(`nested deeper than ${maxDepth}`);
        expectsKey = true;
        break;
      case '}':
      case ']':
        open.pop();
        expectsKey = false;
        break;
      case ',':
        numValues += 1;
        if (numValues > maxValues) throw new SyntaxError(`more than ${maxValues} values`);
        expectsKey = true;
        break;
      case '"': {
        const end = endOfString(text, i);
        const keys = open.at(-1);
        if (keys && expectsKey) addKey(keys, JSON.parse(text.slice(i, end)));
        expectsKey = false;
        i = end - 1;
        break;
      }
    }
  }
}

function addKey(keys: Set<string>, key: string): void {
  if (keys.has(key)) throw new SyntaxError(`key ${JSON.stringify(key)} twice`);
  keys.add(key);
}

/** Returns the offset behind the string that begins at `start`. */
function endOfString(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    if (unit === quote) return i + 1;
    if (unit === backslash) i += 1;
  }
  throw new SyntaxError('a string without an end');
}
