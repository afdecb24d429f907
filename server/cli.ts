import { parseArgs } from 'node:util';
import { ConceptError, isAbortError } from './base/errors.ts';
import { benchCommand } from './commandline/bench.ts';
import { type Command, type CommandIo, UsageError } from './commandline/command.ts';
import { compileCommand } from './commandline/compile.ts';
import { decodeCommand } from './commandline/decode.ts';
import { devicesCommand } from './commandline/devices.ts';
import { encodeCommand } from './commandline/encode.ts';
import { languagesCommand } from './commandline/languages.ts';
import { modelsCommand } from './commandline/models.ts';
import { nextCommand } from './commandline/next.ts';
import { showCommand } from './commandline/show.ts';
import { splitCommand } from './commandline/split.ts';
import { tokenizeCommand } from './commandline/tokenize.ts';
import { translateCommand } from './commandline/translate.ts';

const commands: readonly Command[] = [
  encodeCommand,
  decodeCommand,
  nextCommand,
  translateCommand,
  splitCommand,
  tokenizeCommand,
  compileCommand,
  modelsCommand,
  devicesCommand,
  languagesCommand,
  showCommand,
  benchCommand,
];

const width = Math.max(...commands.map(({ name }) => name.length));
const help = `Usage: thoughtline COMMAND [OPTIONS]

${commands.map(({ name, summary }) => `  ${name.padEnd(width)}   ${summary}`).join('\n')}

thoughtline COMMAND --help tells more. Results are JSON Lines on standard output, messages are on
standard error. Exit status: 0 done, 1 failed, 2 wrong use.
`;

/** Entry of the command line. @returns the exit status */
async function main(argv: readonly string[]): Promise<number> {
  const [name, ...rest] = argv;
  if (name === undefined) return wrongUse('expected a command');
  if (name === '--help' || name === '-h' || name === 'help') return say(help);
  const command = commands.find((known) => known.name === name);
  if (command === undefined) return wrongUse(`unknown command ${name}`);
  const io = processIo();
  try {
    const { values, positionals } = parseCommandLine(command, rest);
    if (values['help'] === true) return say(`${command.help}\n`);
    return (await command.run(values, positionals, io)) ? 0 : 1;
  } catch (error) {
    if (error instanceof UsageError) return wrongUse(error.message, name);
    if (isAbortError(error)) return 1;
    io.writeMessage(`${name}: ${describe(error)}`);
    return 1;
  }
}

function parseCommandLine(command: Command, args: readonly string[]) {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: { ...command.options, help: { type: 'boolean', short: 'h' } },
      allowPositionals: true,
    });
    const unexpected = positionals[command.maxPositionals];
    if (unexpected !== undefined) throw new UsageError(`unexpected argument ${unexpected}`);
    return { values, positionals };
  } catch (error) {
    throw error instanceof TypeError ? new UsageError(error.message) : error;
  }
}

/** Ours name the thing already; what is unexpected also tells where it happened. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const isOurs = error instanceof ConceptError && error.code !== 'internal';
  return isOurs || 'syscall' in error ? error.message : (error.stack ?? error.message);
}

function say(text: string): number {
  process.stdout.write(text);
  return 0;
}

function wrongUse(message: string, command?: string): number {
  const more = command === undefined ? 'thoughtline --help' : `thoughtline ${command} --help`;
  process.stderr.write(`thoughtline: ${message}; see ${more}\n`);
  return 2;
}

/** The process as a command sees it: interruptible, and quiet when its reader has gone. */
function processIo(): CommandIo {
  const interrupted = new AbortController();
  process.once('SIGINT', () => interrupted.abort());
  process.once('SIGTERM', () => interrupted.abort());
  process.stdout.on('error', () => interrupted.abort());
  return {
    input: process.stdin,
    signal: interrupted.signal,
    writeMessage: (message) => void process.stderr.write(`thoughtline ${message}\n`),
    writeResult: (result) =>
      new Promise((resolve) => {
        process.stdout.write(`${JSON.stringify(result)}\n`, () => resolve());
      }),
  };
}

void main(process.argv.slice(2)).then((status) => {
  process.exitCode = status;
  process.stdin.destroy();
});
