import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findFilePlace } from '../../../server/writing/filePlace.ts';

function check(uri: string, folders: string[], expected: [string, string | null] | null): void {
  const place = findFilePlace(uri, folders);
  assert.deepEqual(place && [place.path, place.relativePath], expected, uri);
}

test('a file lies within the innermost open folder', () => {
  check('file:///book/one.md', ['file:///book'], ['/book/one.md', 'one.md']);
  check('file:///book/a/one.md', ['file:///book/'], ['/book/a/one.md', 'a/one.md']);
  check('file:///b/c/d.md', ['file:///b', 'file:///b/c', 'file:///x'], ['/b/c/d.md', 'd.md']);
  check('file:///one.md', ['file:///'], ['/one.md', 'one.md']);
});

test('a file may lie outside of all folders', () => {
  check('file:///book/one.md', [], ['/book/one.md', null]);
  check('file:///bookcase/one.md', ['file:///book'], ['/bookcase/one.md', null]);
  check('file:///one.md', ['untitled:x', 'nonsense'], ['/one.md', null]);
});

test('paths of Windows, as editors encode them', () => {
  const folders = ['file:///c%3A/Book'];
  check('file:///c%3A/Book/one.md', folders, ['c:/Book/one.md', 'one.md']);
  check('file:///C:/book/one.md', folders, ['C:/book/one.md', 'one.md']);
  check('file://server/share/one.md', ['file://server/share'], ['//server/share/one.md', 'one.md']);
});

test('a path is decoded as far as it can be', () => {
  check('file:///a%20b/%C3%A9t%C3%A9.md?q#f', [], ['/a b/été.md', null]);
  check('file:///a%2Gb%FF.md', [], ['/a%2Gb%FF.md', null]);
});

test('files of other hosts have a path, untitled documents and nonsense have none', () => {
  check(
    'vscode-remote://ssh%2Bhost/b/one.md',
    ['vscode-remote://ssh%2Bhost/b'],
    ['/b/one.md', 'one.md'],
  );
  check('untitled:Untitled-1', [], null);
  check('untitled:/book/one.md', ['file:///book'], null);
  check('', [], null);
  check('one.md', [], null);
  check('file:', [], null);
});
