import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RewriteKind } from '../../../../protocol/completion.ts';
import { defaultSettings } from '../../../../protocol/settings.ts';
import { nullLogger } from '../../../../server/base/logger.ts';
import { ConceptService } from '../../../../server/features/conceptService.ts';
import { RewriteService } from '../../../../server/features/rewriting/rewriteService.ts';
import type { DecodedSentence, DecodeRequest } from '../../../../server/inference/inference.ts';
import { FakeInference } from '../../../support/fakeInference.ts';

const uri = 'file:///a.md';

/** Writes a length as a sentence that is as long, with another first letter for each wording. */
class LengthWriter extends FakeInference {
  override async decode(request: DecodeRequest, signal?: AbortSignal): Promise<DecodedSentence[]> {
    signal?.throwIfAborted();
    this.decoded.push(request);
    const { embeddings, hypotheses = 1 } = request;
    return embeddings.map(([length = 0]) => {
      const write = (i: number) => `${'XYZUVW'[i]}${'oa'.repeat(length)}`.slice(0, length - 1);
      const [text = '', ...others] = Array.from({ length: hypotheses }, (_, i) => `${write(i)}.`);
      return { text, score: 0, others: others.map((other) => ({ text: other, score: -1 })) };
    });
  }
}

function open(text: string, inference: FakeInference = new LengthWriter()) {
  const service = new ConceptService(inference, nullLogger);
  service.useModel({ ...inference.model, normalizers: {} });
  service.openDocument(uri, 'markdown', text);
  const rewriting = new RewriteService(inference, service);
  const rewrite = (kind: RewriteKind, start: number, end = start, signal?: AbortSignal) =>
    rewriting.rewrite(kind, uri, { start, end }, defaultSettings, signal);
  return { inference, service, rewriting, rewrite };
}

test('a sentence is reworded in its place', async () => {
  const text = 'It was so. He did see it all.';
  const { rewrite } = open(text);
  const { start, end, original, alternatives } = await rewrite('rephrase', 14);
  assert.equal(text.slice(start, end), 'He did see it all.');
  assert.equal(original, 'He did see it all.');
  assert.deepEqual(
    alternatives.map((one) => one.text.length),
    alternatives.map(() => original.length),
  );
  assert.ok(alternatives.length > 1);
});

test('a sentence with a link keeps its words, the others are reworded around it', async () => {
  const text = 'See [the *map*](https://example.org).\nIt *was* so.';
  const { alternatives } = await open(text).rewrite('rephrase', 0, text.length);
  assert.ok(alternatives.length > 0);
  for (const one of alternatives) {
    assert.match(one.text, /^See \[the \*map\*\]\(https:\/\/example\.org\)\.\n\w[oa]+\.$/);
  }
});

test('a heading is expanded after the concepts before it, and with its own as the last', async () => {
  const text = 'It was so. He saw it.\n\n# The rain\n\nAfter it.';
  const { inference, rewrite } = open(text);
  const { start, end } = await rewrite('expand', text.indexOf('rain'));
  assert.equal(start, text.indexOf('\n\nAfter'));
  assert.equal(end, start);
  const lengths = inference.predicted[0]?.context.map(([length]) => length);
  assert.deepEqual(lengths, [10, 10, 8]);
});

test('a bridge has what stands between the two sentences on either side', async () => {
  const text = 'It was so.\nHe did see it all at last, and all the others did.';
  const { rewrite } = open(text);
  const { start, alternatives } = await rewrite('bridge', 10);
  assert.equal(start, 10);
  for (const one of alternatives) assert.ok(one.text.startsWith('\n'));
});

test('a place without anything to rewrite, and a server without a model, offer nothing', async () => {
  const { inference, service, rewrite, rewriting } = open('```\nIt was so.\n```\n\nIt was so.');
  const nothing = { start: 5, end: 7, original: 't ', alternatives: [] };
  assert.deepEqual(await rewrite('rephrase', 5, 7), nothing);
  service.useModel(null);
  for (const kind of ['rephrase', 'condense', 'bridge', 'expand'] as const) {
    assert.deepEqual((await rewrite(kind, 22)).alternatives, []);
  }
  assert.deepEqual(rewriting.possibleRewrites(uri, { start: 22, end: 22 }), ['rephrase']);
  assert.equal(inference.decoded.length, 0);
});

test('a closed document is refused, and an abort is one', async () => {
  const { service, rewrite, rewriting } = open('It was so. It was it.');
  const signal = AbortSignal.abort();
  await assert.rejects(rewrite('rephrase', 3, 3, signal), { name: 'AbortError' });
  service.closeDocument(uri);
  await assert.rejects(rewrite('rephrase', 3), { code: 'invalidRequest' });
  assert.throws(() => rewriting.possibleRewrites(uri, { start: 0, end: 0 }), {
    code: 'invalidRequest',
  });
});

test('what is answered is of the text that was asked about, whatever is typed meanwhile', async () => {
  const { service, rewrite } = open('It was so. He did see it all.');
  const asked = rewrite('rephrase', 0, 20);
  service.changeDocument(uri, [{ start: 0, end: 11, text: 'Oh! ' }]);
  const { original, alternatives } = await asked;
  assert.equal(original, 'It was so. He did see it all.');
  for (const { text } of alternatives) assert.equal(text.length, original.length);
});
