/*
 * Reading JSON that we did not write, field by field. Each method names the field, what it
 * expected and what it found, when the value is not as it should be.
 */

/** Makes the error for a value that is malformed, or well-formed but not supported. */
export interface FieldErrors {
  malformed(message: string): Error;
  unsupported(message: string): Error;
}

export interface NumberRange {
  min: number;
  max: number;
}

/** Longest text of a field: names and codes, never prose. */
const maxTextLength = 256;

/** The fields of one JSON object. A fallback makes a field optional. */
export class Fields {
  /** What errors call the object. */
  readonly path: string;
  readonly #errors: FieldErrors;
  readonly #values: Readonly<Record<string, unknown>>;
  readonly #known = new Set<string>();

  constructor(value: unknown, path: string, errors: FieldErrors) {
    this.path = path;
    this.#errors = errors;
    if (!isObject(value)) throw this.#malformed(path, 'an object', value);
    this.#values = value;
  }

  /** Returns these fields with those of `base` beneath them, object within object. */
  over(base: object): Fields {
    return new Fields(merge(base, this.#values), this.path, this.#errors);
  }

  /** Returns these fields with others in place of those of the same names. */
  with(values: object): Fields {
    return new Fields({ ...this.#values, ...values }, this.path, this.#errors);
  }

  has(key: string): boolean {
    return Object.hasOwn(this.#values, key);
  }

  keys(): string[] {
    return Object.keys(this.#values);
  }

  integer(key: string, { min, max }: NumberRange, fallback?: number): number {
    const value = this.#get(key, fallback);
    if (Number.isInteger(value) && isBetween(value, min, max)) return value;
    throw this.malformed(key, `an integer from ${min} to ${max}`);
  }

  number(key: string, { min, max }: NumberRange, fallback?: number): number {
    const value = this.#get(key, fallback);
    if (isBetween(value, min, max)) return value;
    throw this.malformed(key, `a number from ${min} to ${max}`);
  }

  boolean(key: string, fallback?: boolean): boolean {
    const value = this.#get(key, fallback);
    if (typeof value === 'boolean') return value;
    throw this.malformed(key, 'true or false');
  }

  text(key: string, fallback?: string): string {
    const value = this.#get(key, fallback);
    if (isText(value)) return value;
    throw this.malformed(key, `a text of 1 to ${maxTextLength} characters`);
  }

  texts(key: string, maxCount: number): string[] {
    const value = this.#get(key);
    if (Array.isArray(value) && value.length <= maxCount && value.every(isText)) return value;
    throw this.malformed(key, `at most ${maxCount} texts`);
  }

  /** Reads one of a few values; another one of the same type is not supported. */
  choice<T extends string | boolean>(key: string, choices: readonly T[], fallback?: T): T {
    const value = this.#get(key, fallback);
    const choice = choices.find((candidate) => candidate === value);
    if (choice !== undefined) return choice;
    const expected = choices.map(String).join(' or ');
    if (!choices.some((candidate) => typeof candidate === typeof value)) {
      throw this.malformed(key, expected);
    }
    throw this.#errors.unsupported(
      `${this.#name(key)}: expected ${expected}, found ${show(value)}`,
    );
  }

  /** Returns null for null and for a missing field, else what `read` returns. */
  orNull<T>(key: string, read: (key: string) => T): T | null {
    return this.#get(key, null) === null ? null : read(key);
  }

  object(key: string, fallback?: object): Fields {
    return new Fields(this.#get(key, fallback), this.#name(key), this.#errors);
  }

  objects(key: string, maxCount: number): Fields[] {
    const value = this.#get(key);
    if (!Array.isArray(value) || value.length > maxCount) {
      throw this.malformed(key, `at most ${maxCount} objects`);
    }
    return value.map((item, i) => new Fields(item, `${this.#name(key)}[${i}]`, this.#errors));
  }

  /** Accepts fields whatever they hold. */
  ignore(...keys: readonly string[]): void {
    for (const key of keys) this.#known.add(key);
  }

  /** Refuses every field that nobody has asked for: it may be a typing error. */
  close(): void {
    const unknown = this.keys().find((key) => !this.#known.has(key));
    if (unknown !== undefined) {
      throw this.#errors.unsupported(
        `${this.path}: expected no field ${show(unknown)}, found ${show(this.#values[unknown])}`,
      );
    }
  }

  /** Returns the error for a field that is not as it should be. */
  malformed(key: string, expected: string): Error {
    return this.#malformed(this.#name(key), expected, this.#get(key));
  }

  /** Returns the error for a field that is as it should be, but asks for what we do not build. */
  unsupported(key: string, expected: string): Error {
    const found = show(this.#get(key));
    return this.#errors.unsupported(`${this.#name(key)}: expected ${expected}, found ${found}`);
  }

  #malformed(name: string, expected: string, found: unknown): Error {
    return this.#errors.malformed(`${name}: expected ${expected}, found ${show(found)}`);
  }

  #get(key: string, fallback?: unknown): unknown {
    this.#known.add(key);
    return this.has(key) ? this.#values[key] : fallback;
  }

  #name(key: string): string {
    const separator = this.path.endsWith(':') ? ' ' : '.';
    return `${this.path}${separator}${key}`;
  }
}

/** @throws the error of `malformed` for text that is not JSON */
export function parseJson(text: string, label: string, errors: FieldErrors): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw errors.malformed(`${label}: expected JSON, found something else`);
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Builds from entries, because assigning to a key like `__proto__` would not make a field. */
function merge(base: object, values: Readonly<Record<string, unknown>>): object {
  const merged = new Map(Object.entries(base));
  for (const [key, value] of Object.entries(values)) {
    const beneath: unknown = merged.get(key);
    merged.set(key, isObject(beneath) && isObject(value) ? merge(beneath, value) : value);
  }
  return Object.fromEntries(merged);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= maxTextLength;
}

function isBetween(value: unknown, min: number, max: number): value is number {
  return typeof value === 'number' && value >= min && value <= max;
}

/** Returns a value in JSON, short enough for a message. */
function show(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
