import { readFileSync } from 'node:fs';
import { Random } from '../../server/tensor/random.ts';

/*
 * A writing session as a recording: keys with times, the same in every run. The writer types a real
 * document in bursts, rests between sentences, mistypes now and then, and takes what is offered once
 * in a while, sometimes to take it back.
 *
 * Intervals between keys are log-normal around 160 ms, which with the pauses before words comes near
 * the 52 words a minute of Dhakal et al. 2018 (CHI, 136 million keystrokes).
 */

export type Act =
  | { kind: 'key'; at: number; text: string }
  | { kind: 'erase' | 'accept' | 'takeBack'; at: number };

/** How a session begins and how it goes on. `at` is in ms since the beginning. */
export interface Session {
  /** What stands in the document before. */
  head: string;
  acts: readonly Act[];
}

const seed = 5;
const keyMs = 160;
const keySpread = 0.35;
/** On top, before a word. */
const wordMs = 70;
const sentenceMs = 2300;
const sentenceSpread = 0.3;
/** Between seeing something wrong and doing something about it. */
const noticeMs = 320;
const readingMs = 1200;
const mistakes = 0.015;
/** Every so many sentences, if something is offered. */
const acceptEvery = 3;
const takeBackEvery = 6;

/** Returns the session of writing the first paragraphs of the sample document below its heading. */
export function recordedSession(paragraphs = 2): Session {
  const sample = readFileSync('samples/harbour.md', 'utf8');
  const start = sample.indexOf('The old lighthouse');
  const blocks = sample.slice(start).split('\n\n').slice(0, paragraphs);
  return { head: sample.slice(0, start), acts: record(blocks.join('\n\n')) };
}

function record(text: string): Act[] {
  const random = new Random(seed, 0);
  const acts: Act[] = [];
  let at = 0;
  let sentences = 0;
  const spread = (middle: number, sigma: number) => middle * Math.exp(sigma * random.gaussian());
  const key = (character: string) => acts.push({ kind: 'key', at, text: character });
  for (const [i, character] of [...text].entries()) {
    at += spread(keyMs, keySpread);
    if (text[i - 1] === ' ') at += spread(wordMs, 1);
    if (/[a-z]/.test(character) && random.uniform() < mistakes) {
      key(character === 'e' ? 'r' : 'e');
      at += spread(noticeMs, keySpread);
      acts.push({ kind: 'erase', at });
      at += spread(keyMs, keySpread);
    }
    key(character);
    if (!/[.!?]/.test(character)) continue;
    sentences += 1;
    at += spread(sentenceMs, sentenceSpread);
    if (sentences % acceptEvery !== 0) continue;
    acts.push({ kind: 'accept', at });
    at += spread(readingMs, sentenceSpread);
    if (sentences % takeBackEvery !== 0) continue;
    acts.push({ kind: 'takeBack', at });
    at += spread(readingMs, sentenceSpread);
  }
  return acts;
}

/** Does one act after the other, each when its time has come. @returns how late each was, ms */
export async function perform(
  { acts }: Session,
  act: (act: Act) => void | Promise<void>,
): Promise<number[]> {
  const start = performance.now();
  const lateMs: number[] = [];
  for (const next of acts) {
    const restMs = start + next.at - performance.now();
    if (restMs > 0) await new Promise((resolve) => setTimeout(resolve, restMs));
    lateMs.push(performance.now() - start - next.at);
    await act(next);
  }
  return lateMs;
}
