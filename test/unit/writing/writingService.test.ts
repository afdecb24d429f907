import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CompletionState, SuggestionsReadyParams } from '../../../protocol/completion.ts';
import { defaultSettings, type Settings } from '../../../protocol/settings.ts';
import { nullLogger } from '../../../server/base/logger.ts';
import { ConceptService } from '../../../server/features/conceptService.ts';
import type { DecodedSentence, DecodeRequest } from '../../../server/inference/inference.ts';
import { AskingPolicy } from '../../../server/writing/askingPolicy.ts';
import { Budget } from '../../../server/writing/budget.ts';
import { thisPowerMachine } from '../../../server/writing/powerSupply.ts';
import { WritingService } from '../../../server/writing/writingService.ts';
import { FakeInference } from '../../support/fakeInference.ts';
import { SteppedClock } from '../../support/steppedClock.ts';

const uri = 'file:///a.txt';
const pauseMs = 400;
const settings = withCompletion({ pauseMs });

function withCompletion(completion: Partial<Settings['completion']>): Settings {
  return { ...defaultSettings, completion: { ...defaultSettings.completion, ...completion } };
}

/** Lets everything happen that does not wait for the clock. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
}

const words =
  'The old man went down to the sea and put his boat out before the sun came up over the hills, ' +
  'while all the others in the village still slept and nobody knew where he wanted to go that day.';

/** Writes a concept as a sentence of its length, so that it is read back as what was meant. */
class WritingInference extends FakeInference {
  /** Writes no more than so many at once before this is resolved. */
  hold: { count: number; until: Promise<void> } | null = null;

  override async decode(request: DecodeRequest): Promise<DecodedSentence[]> {
    this.decoded.push(request);
    const { embeddings } = request;
    if (this.hold !== null && embeddings.length > this.hold.count) await this.hold.until;
    return embeddings.map(([length = 0]) => ({
      text: `${words
        .slice(0, length - 1)
        .trim()
        .padEnd(length - 1, 'o')}.`,
      score: -1,
    }));
  }
}

/** A promise, and what fulfils it. */
function promise(): { until: Promise<void>; fulfil: () => void } {
  let fulfil = () => {};
  const until = new Promise<void>((resolve) => {
    fulfil = resolve;
  });
  return { until, fulfil };
}

/** A writer at an editor, whose text and clock move as the script says. */
class Writer {
  readonly inference: WritingInference;
  readonly clock = new SteppedClock();
  readonly budget = new Budget();
  readonly states: CompletionState[] = [];
  readonly ready: SuggestionsReadyParams[] = [];
  readonly service: WritingService;
  text: string;

  constructor(text: string, langs?: readonly string[]) {
    this.inference = new WritingInference(langs);
    const concepts = new ConceptService(this.inference, nullLogger);
    concepts.useModel(this.inference.model);
    this.service = new WritingService({
      concepts,
      policy: new AskingPolicy(),
      budget: this.budget,
      clock: this.clock,
      logger: nullLogger,
      machine: { ...thisPowerMachine, platform: 'aix' },
      statisticsFile: null,
      onState: (state) => this.states.push(state),
      onReady: (params) => this.ready.push(params),
      onLatency: () => {},
    });
    this.text = text;
    this.service.openDocument(uri, 'plaintext', 'plaintext', text);
    this.service.useSettings(uri, settings);
  }

  /** Types at the end, key by key, 100 ms each. */
  type(text: string): void {
    for (const key of text) {
      this.clock.pass(100);
      this.edit(this.text.length, this.text.length, key);
    }
  }

  edit(start: number, end: number, text: string): void {
    this.text = this.text.slice(0, start) + text + this.text.slice(end);
    this.service.changeDocument(uri, { start, end, text });
  }

  /** Asks at the end as the editor does after a key, or as the writer does. */
  ask(isExplicit = false, wanted = settings, signal = new AbortController().signal) {
    const offset = this.text.length;
    return this.service.complete({ uri, offset, isExplicit }, wanted, signal);
  }

  /** Asks as the editor does, rests as long as it takes and returns what is offered. */
  async rest(wanted = settings): Promise<string[]> {
    const asked = this.ask(false, wanted);
    await settle();
    this.clock.pass(5000);
    return (await asked).map(({ text }) => text);
  }
}

test('work begins at the full stop, and is shown when the writer has rested', async () => {
  const writer = new Writer('It rained. He left');
  await settle();
  assert.equal(writer.inference.predicted.length, 0);
  writer.type('.');
  await settle();
  assert.equal(writer.inference.predicted.length, 1);

  let answered = false;
  const asked = writer.ask().finally(() => {
    answered = true;
  });
  await settle();
  writer.clock.pass(pauseMs - 1);
  await settle();
  assert.equal(answered, false);
  writer.clock.pass(1);
  const offered = await asked;
  assert.match(offered[0]?.text ?? '', /^ The [a-z, ]+\.$/);
  assert.equal(offered[0]?.start, writer.text.length);
  assert.equal(writer.service.explain(uri)?.wasPrepared, true);
});

test('who asks is answered at once', async () => {
  const writer = new Writer('It rained.');
  assert.ok((await writer.ask(true)).length > 0);
});

test('who asks between two sentences gets one to stand there; nobody else does', async () => {
  const writer = new Writer('It rained. He left.');
  const ask = (offset: number, isExplicit: boolean) =>
    writer.service.complete({ uri, offset, isExplicit }, settings, new AbortController().signal);
  const [after] = await ask(10, true);
  assert.match(after?.text ?? '', /^ The [a-z, ]+\.$/);
  const [before] = await ask(11, true);
  assert.match(before?.text ?? '', /^The [a-z, ]+\. $/);
  assert.deepEqual(await ask(10, false), []);
  assert.deepEqual(await ask(3, true), []);
});

test('a space after the full stop asks for nothing new', async () => {
  const writer = new Writer('It rained');
  writer.type('.');
  await settle();
  writer.type(' ');
  const [first] = await writer.rest();
  assert.match(first ?? '', /^The/);
  await settle();
  // The second prediction is for what follows the first suggestion.
  assert.equal(writer.inference.predicted.length, 2);
});

test('typing what is offered keeps it, and asks the model for nothing', async () => {
  const writer = new Writer('It rained.');
  const [first = ''] = await writer.rest();
  await settle();
  const { length } = writer.inference.predicted;
  const start = writer.text.length;
  for (const key of first.slice(0, -1)) {
    writer.type(key);
    const [kept] = await writer.ask();
    assert.deepEqual(kept, { start, text: first });
  }
  assert.equal(writer.inference.predicted.length, length);
});

test('what follows an accepted suggestion is there already, without a pause', async () => {
  const writer = new Writer('It rained.');
  const [first = ''] = await writer.rest();
  await settle();
  const predicted = writer.inference.predicted.length;
  const decoded = writer.inference.decoded.length;
  writer.edit(writer.text.length, writer.text.length, first);
  const followUps = await writer.ask();
  assert.match(followUps[0]?.text ?? '', /^ The [a-z, ]+\.$/);
  assert.notEqual(followUps[0]?.text, first);
  assert.equal(writer.service.explain(uri)?.wasPrepared, true);
  // Nothing was computed for it; what comes after it is.
  await settle();
  assert.equal(writer.inference.predicted.length, predicted + 1);
  assert.equal(writer.inference.decoded.length, decoded + 1);
});

test('what is taken back is offered again when it is asked for, from memory', async () => {
  const writer = new Writer('It rained.');
  const offered = await writer.rest();
  const { length } = writer.text;
  writer.edit(length, length, offered[0] ?? '');
  await settle();
  const predicted = writer.inference.predicted.length;
  writer.edit(length, writer.text.length, '');
  assert.deepEqual(await writer.rest(), offered.length > 0 ? offered : []);
  assert.deepEqual(
    (await writer.ask(true)).map(({ text }) => text),
    offered,
  );
  assert.equal(writer.inference.predicted.length, predicted);
});

test('after a deletion nothing comes unasked, until the writer writes on', async () => {
  const writer = new Writer('It rained.. He left.');
  writer.edit(10, writer.text.length, '');
  assert.deepEqual(await writer.rest(), []);
  assert.ok((await writer.ask(true)).length > 0);
  writer.type(' He left.');
  assert.ok((await writer.rest()).length > 0);
});

test('a request that is no longer wanted is given up, its work is not', async () => {
  const writer = new Writer('It rained');
  writer.type('.');
  const cancelled = new AbortController();
  const asked = writer.ask(false, settings, cancelled.signal);
  await settle();
  cancelled.abort();
  await assert.rejects(asked, { name: 'AbortError' });
  assert.ok((await writer.rest()).length > 0);
  await settle();
  assert.equal(writer.inference.predicted.length, 2);
});

test('work for a place that the writer has left is given up', async () => {
  const writer = new Writer('It rained');
  const signals: (AbortSignal | undefined)[] = [];
  const predict = writer.inference.predict.bind(writer.inference);
  writer.inference.predict = (request, signal) => {
    signals.push(signal);
    return predict(request);
  };
  writer.inference.hold = { count: 0, until: new Promise(() => {}) };
  writer.type('.');
  await settle();
  writer.type(' S');
  await settle();
  assert.deepEqual(
    signals.map((signal) => signal?.aborted),
    [true],
  );
});

test('nothing comes unasked in manual mode, while it is snoozed, or where it is off', async () => {
  const manual = withCompletion({ pauseMs, mode: 'manual' });
  const writer = new Writer('It rained.');
  assert.deepEqual(await writer.rest(manual), []);
  assert.ok((await writer.ask(true, manual)).length > 0);

  const snoozed = new Writer('It rained.');
  snoozed.service.snooze(5);
  assert.equal(snoozed.states.at(-1)?.snoozedUntil, snoozed.clock.now() + 5 * 60_000);
  assert.deepEqual(await snoozed.rest(), []);
  snoozed.clock.pass(5 * 60_000);
  assert.equal(snoozed.states.at(-1)?.snoozedUntil, null);
  assert.ok((await snoozed.rest()).length > 0);

  const off = withCompletion({ enabled: false });
  assert.deepEqual(await new Writer('It rained.').ask(true, off), []);
});

test('another language is written of the same concepts', async () => {
  const writer = new Writer('It rained all day long.', ['eng_Latn', 'fra_Latn']);
  await writer.rest();
  await settle();
  const { length } = writer.inference.predicted;
  assert.equal(writer.service.cycleTarget(uri), 'fra_Latn');
  assert.deepEqual(writer.states.at(-1)?.documents, [
    { uri, steering: null, target: 'fra_Latn', quiet: null },
  ]);
  assert.ok((await writer.ask()).length > 0);
  assert.equal(writer.inference.decoded.at(-1)?.lang, 'fra_Latn');
  assert.equal(writer.service.explain(uri)?.lang, 'fra_Latn');
  assert.equal(writer.inference.predicted.length, length);
  assert.throws(() => writer.service.setTarget(uri, 'Klingon'), { code: 'invalidRequest' });
});

test('a steered document gets other suggestions, and the old ones when it is let go', async () => {
  const writer = new Writer('It rained.');
  const offered = await writer.rest();
  const steering = { pulls: [{ kind: 'toward' as const, text: 'A long way.' }], strength: 1 };
  writer.service.steer(uri, steering);
  assert.deepEqual(writer.states.at(-1)?.documents, [{ uri, steering, target: null, quiet: null }]);
  const steered = (await writer.ask(true)).map(({ text }) => text);
  assert.notDeepEqual(steered, offered);
  writer.service.steer(uri, null);
  assert.deepEqual(
    (await writer.ask(true)).map(({ text }) => text),
    offered,
  );
});

test('a suggestion has as many sentences as the writer wants', async () => {
  const writer = new Writer('It rained.');
  const offered = await writer.rest(withCompletion({ pauseMs, sentences: 3 }));
  assert.match(offered[0] ?? '', /^( The [a-z, ]+\.){3}$/);
});

test('a first answer comes early on a slow machine, more is told when it is there', async () => {
  const writer = new Writer('It rained.');
  for (let run = 0; run < 3; run++) writer.budget.note(800);
  const second = promise();
  writer.inference.hold = { count: 2, ...second };
  writer.type(' He left.');
  const early = await writer.ask(true);
  assert.equal(early.length, 1);
  assert.deepEqual(writer.ready, []);
  second.fulfil();
  await settle();
  assert.deepEqual(writer.ready, [{ uri, offset: writer.text.length }]);
  const all = await writer.ask(true);
  assert.ok(all.length > 1);
  assert.deepEqual(all[0], early[0]);
});

test('what becomes of suggestions is counted, and what is kept', async () => {
  const writer = new Writer('It rained.');
  const [first = ''] = await writer.rest();
  writer.edit(10, 10, first);
  const [second = ''] = await writer.rest();
  writer.type(second);
  await writer.rest();
  writer.type(' Zounds');
  writer.clock.pass(30_000);
  const { since: _, ...counts } = await writer.service.statistics();
  assert.deepEqual(counts, {
    shown: 3,
    accepted: 1,
    acceptedPartly: 0,
    typed: 1,
    kept: 1,
    rejected: 1,
    ready: 3,
  });
  await writer.service.clearStatistics();
  assert.equal((await writer.service.statistics()).shown, 0);
});
