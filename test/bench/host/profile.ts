import { type Profiler, Session } from 'node:inspector';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/*
 * Whose time it is. The host runs other extensions and the editor's own code, so that a busy host says
 * little about one extension; a profile says which time was spent below functions of ours.
 */

/** Sampling oftener keeps the host from its work. */
const samplingUs = 500;

/** Profiles this thread until it is stopped. */
export async function startProfile(): Promise<{ stop(): Promise<Profiler.Profile> }> {
  const session = new Session();
  session.connect();
  const post = promisify(session.post.bind(session)) as (
    method: string,
    params?: object,
  ) => Promise<unknown>;
  await post('Profiler.enable');
  await post('Profiler.setSamplingInterval', { interval: samplingUs });
  await post('Profiler.start');
  return {
    async stop() {
      // The inspector's protocol says what it answers.
      const { profile } = (await post('Profiler.stop')) as Profiler.StopReturnType;
      session.disconnect();
      return profile;
    },
  };
}

/** Returns the time spent below functions of a bundle between each moment and the next, ms. */
export function attributedMs(
  { nodes, samples = [], timeDeltas = [], startTime }: Profiler.Profile,
  bundle: string,
  momentsUs: readonly number[],
): number[] {
  const ours = new Set<number>();
  // Parents come before their children.
  for (const { id, callFrame, children = [] } of nodes) {
    if (pathOf(callFrame.url) === bundle) ours.add(id);
    if (ours.has(id)) for (const child of children) ours.add(child);
  }
  const spent = momentsUs.map(() => 0);
  let at = startTime;
  let key = -1;
  for (const [i, sample] of samples.entries()) {
    at += timeDeltas[i] ?? 0;
    while (at >= (momentsUs[key + 1] ?? Number.POSITIVE_INFINITY)) key += 1;
    if (key >= 0 && ours.has(sample))
      spent[key] = (spent[key] ?? 0) + (timeDeltas[i + 1] ?? 0) / 1000;
  }
  return spent;
}

function pathOf(url: string): string {
  return url.startsWith('file:') ? fileURLToPath(url) : url;
}
