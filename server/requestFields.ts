import type { Range } from 'vscode-languageserver/node';
import { InvalidRequestError } from './base/errors.ts';

/** The longest address of a document. */
const maxUriLength = 1 << 16;

/** What a client sent with a request, read field by field and trusting nothing. */
export class RequestFields {
  readonly #fields: Readonly<Record<string, unknown>>;

  /** @throws InvalidRequestError when it is no object */
  constructor(value: unknown) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new InvalidRequestError('parameters: expected an object, found something else');
    }
    this.#fields = { ...value };
  }

  get uri(): string {
    return this.text('uri', maxUriLength);
  }

  get range(): Range {
    const range = this.object('range');
    return { start: range.#position('start'), end: range.#position('end') };
  }

  value(name: string): unknown {
    return this.#fields[name];
  }

  /** A field that may be null or absent: null for both. */
  nullable<T>(name: string, read: (name: string) => T): T | null {
    return (this.#fields[name] ?? null) === null ? null : read(name);
  }

  object(name: string): RequestFields {
    return new RequestFields(this.#fields[name]);
  }

  list(name: string, maxLength: number): RequestFields[] {
    const value = this.#fields[name];
    if (Array.isArray(value) && value.length <= maxLength) {
      return value.map((item) => new RequestFields(item));
    }
    throw new InvalidRequestError(`${name}: expected a list of at most ${maxLength}`);
  }

  text(name: string, maxLength: number): string {
    const value = this.#fields[name];
    if (typeof value === 'string' && value.length <= maxLength) return value;
    throw new InvalidRequestError(`${name}: expected text of at most ${maxLength} characters`);
  }

  oneOf<T extends string>(name: string, choices: readonly T[]): T {
    const value = choices.find((choice) => choice === this.#fields[name]);
    if (value !== undefined) return value;
    throw new InvalidRequestError(`${name}: expected ${choices.join(', ')}, found another`);
  }

  number(name: string, max: number): number {
    const value = this.#fields[name];
    if (typeof value === 'number' && value >= 0 && value <= max) return value;
    throw new InvalidRequestError(`${name}: expected a number from 0 to ${max}`);
  }

  wholeNumber(name: string, max: number): number {
    const value = this.#fields[name];
    if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= max) {
      return value;
    }
    throw new InvalidRequestError(`${name}: expected a whole number from 0 to ${max}`);
  }

  #position(name: string) {
    const position = this.object(name);
    const max = Number.MAX_SAFE_INTEGER;
    return {
      line: position.wholeNumber('line', max),
      character: position.wholeNumber('character', max),
    };
  }
}
