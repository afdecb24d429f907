import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RewriteKind } from '../../../../protocol/completion.ts';
import { findPlace, possibleRewrites } from '../../../../server/features/rewriting/places.ts';
import { DocumentText } from '../../../../server/text/documentText.ts';
import type { ProseFormat } from '../../../../server/text/proseBlock.ts';

/** `|` marks the caret, or both ends of a selection. */
function marked(source: string, format: ProseFormat) {
  const [start = 0, end = start] = [...source.matchAll(/\|/g)].map(({ index }, i) => index - i);
  return { document: new DocumentText(source.replaceAll('|', ''), format), span: { start, end } };
}

function checkKinds(source: string, expected: RewriteKind[], format: ProseFormat = 'markdown') {
  const { document, span } = marked(source, format);
  assert.deepEqual(possibleRewrites(document, span), expected, source);
}

function checkPlace(kind: RewriteKind, source: string, expected: string | null) {
  const { document, span } = marked(source, 'markdown');
  const place = findPlace(document, kind, span);
  const text = place && document.text.slice(place.start, place.end);
  assert.equal(text, expected, source);
}

const paragraph = 'It rained. He left. Nobody saw him go.';

test('what is possible depends on where the caret is', () => {
  checkKinds('It ra|ined. He left.', ['condense', 'rephrase']);
  checkKinds('It rained.| He left.', ['bridge', 'condense', 'rephrase']);
  checkKinds('It rai|ned.', ['rephrase']);
  checkKinds('It rained.\n|\nHe left.', ['bridge']);
  checkKinds('# The ra|in\n\nHe left.', ['expand']);
  checkKinds('- The ra|in\n- The sun', ['expand', 'rephrase']);
  checkKinds('```\nIt rai|ned. He left.\n```\n', []);
  checkKinds('---\ntitle: It rai|ned.\n---\n\nHe left.', []);
  checkKinds('', []);
  checkKinds('|', [], 'plaintext');
});

test('a selection is rewritten by whole sentences', () => {
  checkPlace('rephrase', 'It rained. He |le|ft. Nobody saw him go.', 'He left.');
  checkPlace('rephrase', 'It rai|ned. He l|eft. Nobody saw him go.', 'It rained. He left.');
  checkPlace('rephrase', '# |Rain| #', null);
  checkPlace('rephrase', `|${'It rained. '.repeat(9)}|`, null);
  checkPlace('rephrase', `|${'It rained. '.repeat(3000)}|`, null);
});

test('a paragraph is condensed as a whole, or as much of it as is selected', () => {
  checkPlace('condense', `Before.\n\n${paragraph.replace('left', 'le|ft')}\n\nAfter.`, paragraph);
  checkPlace('condense', 'It rai|ned. He l|eft. Nobody saw him go.', 'It rained. He left.');
  checkPlace('condense', 'It |rained.\n\nHe left. He| went.', null);
  checkPlace('condense', 'It |rained.', null);
});

test('a bridge goes between two sentences of one flow of text', () => {
  const check = (source: string, expected: string | null) => {
    const { document, span } = marked(source, 'markdown');
    const place = findPlace(document, 'bridge', span);
    const found = place?.kind === 'bridge' ? [place.before.text, place.gap, place.after.text] : [];
    assert.equal(place === null ? null : found.join('·'), expected, source);
    if (place !== null) assert.equal(place.start, place.end);
  };
  check('It rained. |He left. He went.', 'It rained.· ·He left.');
  check('It rained.| |He left.', 'It rained.· ·He left.');
  check('It rai|ned. He l|eft. He went.', 'It rained.· ·He left.');
  check('It rained.\nHe| le|ft.\n\nHe went.', null);
  check('It rained.|\nHe left.', 'It rained.·\n·He left.');
  check('It |rained. He left. He| went.', null);
  check('It rained.|', null);
  check('- It rained.|\n- He left.', null);
  check('It rained.|\n\n# Title\n\nHe left.', null);
});
