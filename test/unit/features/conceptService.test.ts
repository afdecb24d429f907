import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultSettings } from '../../../protocol/settings.ts';
import { nullLogger } from '../../../server/base/logger.ts';
import { ConceptService } from '../../../server/features/conceptService.ts';
import { FakeInference } from '../../support/fakeInference.ts';

const uri = 'file:///a.txt';
const text = 'It rained. He left. Nobody saw the old man go.';

function openService() {
  const inference = new FakeInference();
  const service = new ConceptService(inference, nullLogger);
  return { inference, service };
}

test('a finished sentence is encoded when it is finished, and never again', async () => {
  const { inference, service } = openService();
  service.useModel(inference.model);
  service.openDocument(uri, 'plaintext', 'It rained. He');
  service.changeDocument(uri, [{ start: 13, end: 13, text: ' left.' }]);
  await service.completeAt(uri, 19, defaultSettings);
  const all = inference.encoded.flat();
  assert.deepEqual(all.toSorted(), ['He left.', 'It rained.']);
});

test('documents that were open before the model are encoded when it comes', async () => {
  const { inference, service } = openService();
  service.openDocument(uri, 'plaintext', text);
  assert.deepEqual(inference.encoded, []);
  service.useModel(inference.model);
  assert.equal(inference.encoded.flat().length, 3);
});

test('another model encodes everything anew', async () => {
  const { inference, service } = openService();
  service.useModel(inference.model);
  service.openDocument(uri, 'plaintext', text);
  await service.completeAt(uri, text.length, defaultSettings);
  service.useModel(null);
  assert.deepEqual(await service.completeAt(uri, text.length, defaultSettings), []);
  service.useModel(inference.model);
  await service.completeAt(uri, text.length, defaultSettings);
  assert.equal(inference.encoded.flat().length, 6);
});

test('candidates are fitted to the caret', async () => {
  const { inference, service } = openService();
  service.useModel(inference.model);
  service.openDocument(uri, 'plaintext', text);
  const [first] = await service.completeAt(uri, text.length, defaultSettings);
  assert.equal(first, ' It has 26 letters.');
});

test('the middle of a sentence and a closed document get nothing', async () => {
  const { inference, service } = openService();
  service.useModel(inference.model);
  service.openDocument(uri, 'plaintext', text);
  assert.deepEqual(await service.completeAt(uri, 3, defaultSettings), []);
  service.closeDocument(uri);
  await assert.rejects(service.completeAt(uri, 3, defaultSettings), { code: 'invalidRequest' });
  assert.throws(() => service.changeDocument(uri, []), { code: 'invalidRequest' });
});

test('neighbours are found by concept, nearest first, without the sentence itself', async () => {
  const { inference, service } = openService();
  service.useModel(inference.model);
  service.openDocument(uri, 'plaintext', text);
  const { sentence, neighbours } = await service.findNeighbours(uri, 12, 5);
  assert.equal(sentence?.text, 'He left.');
  assert.deepEqual(
    neighbours.map((neighbour) => text.slice(neighbour.start, neighbour.end)),
    ['It rained.', 'Nobody saw the old man go.'],
  );
});
