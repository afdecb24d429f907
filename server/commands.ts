import type { Connection } from 'vscode-languageserver/node';
import {
  directionNames,
  type Pull,
  type Steering,
  serverCommands,
} from '../protocol/completion.ts';
import { answer } from './answer.ts';
import { InvalidRequestError } from './base/errors.ts';
import { RequestFields } from './requestFields.ts';

/** Answers one command; what it was given is still to be read. */
export type CommandHandler = (params: RequestFields, signal: AbortSignal) => unknown;

export type CommandHandlers = Readonly<Record<keyof typeof serverCommands, CommandHandler>>;

/** What the server announces: commands that an editor may run. */
export const commandNames: string[] = Object.values(serverCommands);

/** Answers `workspace/executeCommand`, each command with its handler. */
export function serveCommands(connection: Connection, handlers: CommandHandlers): void {
  const keys = Object.keys(serverCommands) as (keyof typeof serverCommands)[];
  const byName = new Map<string, CommandHandler>(
    keys.map((key) => [serverCommands[key], handlers[key]]),
  );
  connection.onExecuteCommand((params, token) =>
    answer(token, async (signal) => {
      const handler = byName.get(params.command);
      if (handler === undefined) {
        throw new InvalidRequestError('command: expected one of ours, found another');
      }
      const result = await handler(new RequestFields(params.arguments?.[0] ?? {}), signal);
      return result ?? null;
    }),
  );
}

/** A writer follows no more at once. */
const maxPulls = 8;

/** The longest text that suggestions are pulled toward. */
const maxPullLength = 4096;

/** Reads where suggestions are to be bent; null where they are not. */
export function readSteering(params: RequestFields): Steering | null {
  return params.nullable('steering', () => {
    const steering = params.object('steering');
    const pulls = steering.list('pulls', maxPulls).map(readPull);
    return pulls.length === 0 ? null : { pulls, strength: steering.number('strength', 1) };
  });
}

function readPull(pull: RequestFields): Pull {
  const kind = pull.oneOf('kind', ['toward', 'away', 'direction']);
  if (kind === 'direction') return { kind, name: pull.oneOf('name', directionNames) };
  return { kind, text: pull.text('text', maxPullLength) };
}
