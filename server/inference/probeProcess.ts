import { spawn } from 'node:child_process';
import type { DeviceName } from '../model/device.ts';
import { plainReason } from './deviceReasons.ts';
import type { Trial } from './deviceTrial.ts';

/** What a probe brought back: a trial, or why there is none, in the words of whoever knows. */
export type ProbeAnswer = { trial: Trial } | { failure: string };

/** Tries a device with a model folder. */
export type Probe = (
  device: DeviceName,
  folder: string,
  signal?: AbortSignal,
) => Promise<ProbeAnswer>;

/** Opening a large model on two devices takes tens of seconds; a device that hangs takes for ever. */
const defaultTimeoutMs = 90_000;
/** A trial is one line; what a driver says besides is cut. */
const maxOutputLength = 64 * 1024;

/**
 * Returns a probe that tries each device in a process of its own. Whatever that process does, the
 * probe answers; it rejects only when it is cancelled.
 *
 * @param scriptPath  the bundle of `deviceProbe.ts`
 */
export function processProbe(scriptPath: string, timeoutMs = defaultTimeoutMs): Probe {
  return (device, folder, signal) =>
    new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const child = spawn(process.execPath, [scriptPath, folder, device], {
        stdio: ['ignore', 'pipe', 'pipe'],
        windowsHide: true,
      });
      let output = '';
      let messages = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        output = (output + text).slice(-maxOutputLength);
        // What happens after the answer, such as a driver that crashes at the exit, does not matter.
        if (output.endsWith('}\n')) finish(readAnswer(output, messages));
      });
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        messages = (messages + text).slice(-maxOutputLength);
      });
      child.on('error', (error) => finish({ failure: `cannot be tried: ${error.message}` }));
      child.on('close', (code, killedBy) => finish(crashOf(code, killedBy, output, messages)));
      const timer = setTimeout(
        () => finish({ failure: `no answer within ${Math.round(timeoutMs / 1000)} s` }),
        timeoutMs,
      );
      const cancel = () => {
        stop();
        reject(signal?.reason);
      };
      signal?.addEventListener('abort', cancel, { once: true });

      function finish(answer: ProbeAnswer): void {
        stop();
        resolve(answer);
      }

      function stop(): void {
        clearTimeout(timer);
        signal?.removeEventListener('abort', cancel);
        child.kill('SIGKILL');
      }
    });
}

function crashOf(
  code: number | null,
  killedBy: NodeJS.Signals | null,
  output: string,
  messages: string,
): ProbeAnswer {
  if (output !== '') return readAnswer(output, messages);
  return { failure: `the trial crashed (${killedBy ?? `exit status ${code}`})` };
}

/** Reads the last line of JSON; whatever a driver printed before it is passed over. */
export function readAnswer(output: string, messages = ''): ProbeAnswer {
  const line = output.trimEnd().split('\n').at(-1) ?? '';
  const answer = parseJson(line);
  if (typeof answer === 'object' && answer !== null) {
    const trial = 'trial' in answer ? readTrial(answer.trial) : null;
    if (trial !== null) return { trial };
    if ('error' in answer && typeof answer.error === 'string') {
      return { failure: plainReason(answer.error, messages) };
    }
  }
  return { failure: 'the trial gave an answer that cannot be read' };
}

/** Reads a trial. JSON has no NaN and no infinity: they come as null. */
function readTrial(value: unknown): Trial | null {
  if (typeof value !== 'object' || value === null) return null;
  const fields: Partial<Record<keyof Trial, unknown>> = value;
  const read = (x: unknown) => (typeof x === 'number' || x === null ? Number(x ?? NaN) : undefined);
  const cosine = read(fields.cosine);
  const logProbError = read(fields.logProbError);
  const deviceMs = read(fields.deviceMs);
  const cpuMs = read(fields.cpuMs);
  const numbers = [cosine, logProbError, deviceMs, cpuMs];
  if (numbers.includes(undefined)) return null;
  return { cosine, logProbError, deviceMs, cpuMs } as Trial; // none is undefined
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null; // a device that printed something else
  }
}
