import type { ParseArgsConfig } from 'node:util';

/*
 * What every command of the command line is made of. Results are JSON Lines on standard output,
 * words are on standard error, the exit status is 0 (done), 1 (failed) or 2 (wrong use).
 */

/** The options of a command, as `util.parseArgs` takes them. */
export type CommandOptions = NonNullable<ParseArgsConfig['options']>;

/** Values of the options that were given, by their long names. */
export type OptionValues = Readonly<
  Record<string, string | boolean | readonly string[] | undefined>
>;

/** The world of a command, so that tests can give it another one. */
export interface CommandIo {
  /** Standard input. */
  readonly input: AsyncIterable<Uint8Array>;
  /** Writes one result as a line of JSON. Resolves when there is room for more. */
  writeResult(result: unknown): Promise<void>;
  /** Writes words for a person. */
  writeMessage(message: string): void;
  /** Aborted when the user interrupts. */
  readonly signal: AbortSignal;
}

export interface Command {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** What `--help` prints. */
  readonly help: string;
  readonly options: CommandOptions;
  /** How many arguments without a name it takes at most. */
  readonly maxPositionals: number;
  /** @returns whether everything was done; false gives exit status 1 after messages were written */
  run(values: OptionValues, positionals: readonly string[], io: CommandIo): Promise<boolean>;
}

/** The command line was used wrongly. Exit status 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Returns the text of an option, or undefined when it was not given. */
export function textOption(values: OptionValues, name: string): string | undefined {
  const value = values[name];
  return typeof value === 'string' ? value : undefined;
}

/** Returns the texts of an option that may be repeated. */
export function textOptions(values: OptionValues, name: string): readonly string[] {
  const value = values[name];
  return Array.isArray(value) ? value.filter((text) => typeof text === 'string') : [];
}

/** @throws UsageError when the option was not given */
export function requiredOption(values: OptionValues, name: string): string {
  const value = textOption(values, name);
  if (value === undefined) throw new UsageError(`--${name} is required`);
  return value;
}

/** Returns an option as one of a few words. @throws UsageError for any other word */
export function choiceOption<T extends string>(
  values: OptionValues,
  name: string,
  choices: readonly T[],
): T | undefined {
  const value = textOption(values, name);
  if (value === undefined) return undefined;
  const choice = choices.find((word) => word === value);
  if (choice === undefined) {
    throw new UsageError(`--${name}: expected ${choices.join(', ')}, found ${value}`);
  }
  return choice;
}

/** Bounds of a numeric option. */
export interface NumberRange {
  min: number;
  max: number;
  integer?: boolean;
}

/** Returns a numeric option, or its default. @throws UsageError outside the range */
export function numberOption(
  values: OptionValues,
  name: string,
  fallback: number,
  { min, max, integer = false }: NumberRange,
): number {
  const value = textOption(values, name);
  if (value === undefined) return fallback;
  const number = value.trim() === '' ? Number.NaN : Number(value);
  if (!(number >= min && number <= max) || (integer && !Number.isInteger(number))) {
    const kind = integer ? 'a whole number' : 'a number';
    throw new UsageError(`--${name}: expected ${kind} from ${min} to ${max}, found ${value}`);
  }
  return number;
}
