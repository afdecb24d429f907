import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CheckpointFormatError,
  CheckpointUnsupportedError,
} from '../../../../server/base/errors.ts';
import { readZip, requireStored } from '../../../../server/compiler/checkpoint/zip.ts';
import { MemoryByteSource } from '../../../support/memoryByteSource.ts';
import { checkRefused } from '../../../support/refused.ts';
import { type ZipOptions, zipBytes, zipped } from '../../../support/zipWriter.ts';

const contents = { 'a/first': 'one', 'a/second': 'twenty-two', 'a/ä': '' };

function archive(options: ZipOptions = {}): Buffer {
  const files = Object.entries(contents).map(([name, content]) => zipped(name, content));
  return Buffer.from(zipBytes(files, options));
}

function open(bytes: Uint8Array) {
  const source = new MemoryByteSource(bytes);
  const entries = readZip(source);
  requireStored(source.label, entries);
  return entries;
}

const signatures = {
  header: 0x04034b50,
  record: 0x02014b50,
  end64: 0x06064b50,
  locator64: 0x07064b50,
  end: 0x06054b50,
};

type Place = keyof typeof signatures;

/** Where the record of a kind begins; the second entry's of those that each entry has. */
function placeOf(bytes: Buffer, place: Place): number {
  const signature = Buffer.alloc(4);
  signature.writeUInt32LE(signatures[place]);
  const first = bytes.indexOf(signature);
  return place === 'header' || place === 'record' ? bytes.indexOf(signature, first + 4) : first;
}

/** Puts a number of `width` bytes at `at` of a record. */
function patch(bytes: Buffer, place: Place, at: number, width: number, value: number): Buffer {
  bytes.writeUIntLE(value, placeOf(bytes, place) + at, width);
  return bytes;
}

function checkOpen(bytes: Uint8Array, kind: new (m: string) => Error, expected: RegExp): void {
  checkRefused(() => open(bytes), expected, kind);
}

for (const options of [{}, { zip64: true }, { comment: 'PK\x05\x06 and more' }]) {
  test(`entries are found where their content lies: ${JSON.stringify(options)}`, () => {
    const bytes = archive(options);
    const found = [...open(bytes)].map(([name, { byteOffset, sizeBytes }]) => {
      assert.equal(byteOffset % 64, 0);
      return [name, bytes.toString('utf8', byteOffset, byteOffset + sizeBytes)];
    });
    assert.deepEqual(Object.fromEntries(found), contents);
  });
}

test('an archive without entries has none', () => {
  assert.equal(open(zipBytes([])).size, 0);
});

test('a directory that lies is refused with the place', () => {
  const lies: readonly [Place, number, number, number, RegExp][] = [
    ['record', 0, 4, 0, /directory, byte \d+: expected the record of an entry/],
    ['record', 20, 4, 9, /a\/second: expected 10 stored bytes, found 9/],
    ['record', 28, 2, 0, /names of entries|the record of an entry|plain names/],
    ['record', 28, 2, 60_000, /directory, byte \d+: expected a record up to \d+/],
    ['record', 30, 2, 60_000, /expected a record up to/],
    ['record', 32, 2, 60_000, /expected a record up to/],
    ['record', 32, 2, 1, /expected the record of an entry/],
    ['record', 42, 4, 0, /a\/first|a\/second: expected an entry from/],
    ['record', 42, 4, 1, /a\/second: expected an entry from \d+ on, found one at 1/],
    ['record', 42, 4, 0xfffffff0, /a\/second: expected a header before/],
    ['record', 42, 4, 0xffffffff, /a\/second: expected a field of zip64 with 8 bytes, found none/],
    ['record', 24, 4, 0xffffffff, /a\/second: expected a field of zip64/],
    ['header', 0, 4, 0, /a\/second: expected its header/],
    ['header', 8, 2, 8, /a\/second: expected its header/],
    ['header', 18, 4, 9, /a\/second: expected 10 bytes as in the directory, found 9/],
    ['header', 22, 4, 0xfffffffe, /a\/second: expected 10 bytes as in the directory/],
    ['header', 26, 2, 0, /a\/second: expected its header/],
    ['header', 28, 2, 0xffff, /a\/second: expected an entry up to/],
    ['header', 30, 1, 0x62, /a\/second: expected its name in its header, found "b\/second"/],
    ['end', 10, 2, 9, /several disks/],
    ['end', 12, 4, 0, /expected a directory that ends at/],
    ['end', 12, 4, 0xffffffff, /directory of at most/],
    ['end', 16, 4, 0, /expected a directory that ends at/],
    ['end', 16, 4, 0xfffffffe, /expected a directory that ends at/],
    ['end', 20, 2, 1, /expected a zip archive with its end record, found none/],
  ];
  for (const [place, at, width, value, expected] of lies) {
    const kind = /disks/.test(expected.source) ? CheckpointUnsupportedError : CheckpointFormatError;
    checkOpen(patch(archive(), place, at, width, value), kind, expected);
  }
});

test('end records of zip64 that lie are refused', () => {
  const lies: readonly [Place, number, number, number, RegExp][] = [
    ['end64', 0, 4, 0, /expected an end record of zip64/],
    ['end64', 4, 4, 45, /expected an end record of zip64/],
    ['end64', 32, 4, 2, /several disks/],
    ['end64', 40, 4, 1, /expected a directory that ends at/],
    ['end64', 46, 2, 1, /directory of at most/],
    ['end64', 48, 4, 1, /expected a directory that ends at/],
    ['locator64', 8, 4, 0, /expected an end record of zip64 at 0/],
    ['locator64', 14, 2, 0xffff, /expected an end record before/],
    ['locator64', 16, 4, 2, /several disks/],
    ['end', 12, 4, 1, /two end records that agree/],
  ];
  for (const [place, at, width, value, expected] of lies) {
    const kind = /disks/.test(expected.source) ? CheckpointUnsupportedError : CheckpointFormatError;
    checkOpen(patch(archive({ zip64: true }), place, at, width, value), kind, expected);
  }
});

test('a count of entries beyond the limit or the directory allocates nothing', () => {
  const bytes = archive({ zip64: true });
  for (const [count, expected] of [
    [100_001, /expected at most 100000 entries, found 100001/],
    [2 ** 47, /expected at most 100000 entries/],
    [99_999, /expected the record of an entry/],
  ] as const) {
    patch(bytes, 'end64', 24, 6, count);
    checkOpen(patch(bytes, 'end64', 32, 6, count), CheckpointFormatError, expected);
  }
  patch(bytes, 'end64', 24, 6, 2);
  checkOpen(patch(bytes, 'end64', 32, 6, 2), CheckpointFormatError, /expected a directory of/);
});

test('entries that share bytes are refused', () => {
  const bytes = archive();
  const inner = placeOf(bytes, 'header');
  patch(bytes, 'record', 20, 4, 200);
  patch(bytes, 'record', 24, 4, 200);
  checkOpen(bytes, CheckpointFormatError, /expected an entry (from|up to)/);
  const same = archive();
  same.writeUInt32LE(inner, same.indexOf(Buffer.from('PK\x01\x02')) + 42);
  checkOpen(same, CheckpointFormatError, /its header|its name|an entry from/);
});

test('names that lead elsewhere are refused', () => {
  for (const name of ['../a', '/a', 'a/../b', 'a\\b', 'C:a', 'a//b', 'a/', './a', '', 'a\0', '.']) {
    checkOpen(
      zipBytes([zipped(name, 'x')]),
      CheckpointFormatError,
      /expected plain names of entries, found "/,
    );
  }
  const bytes = archive();
  patch(bytes, 'record', 46, 1, 0xff);
  checkOpen(bytes, CheckpointFormatError, /expected names in UTF-8/);
});

test('two entries of one name are refused', () => {
  const twice = [zipped('a/b', 'x'), zipped('a/b', 'y')];
  checkOpen(zipBytes(twice), CheckpointFormatError, /a\/b: expected one entry of this name/);
});

test('what zip archives can be and torch files are not is told by name', () => {
  const others: readonly [Place, number, number, RegExp][] = [
    ['record', 8, 0x0809, /a\/second: expected a plain entry, found an encrypted one/],
    ['record', 8, 0x2808, /encrypted/],
    ['record', 34, 1, /a\/second: expected one disk, found 2/],
    ['end', 4, 1, /several disks/],
    ['end', 6, 1, /several disks/],
  ];
  for (const [place, at, value, expected] of others) {
    checkOpen(patch(archive(), place, at, 2, value), CheckpointUnsupportedError, expected);
  }
  const deflated = archive();
  patch(deflated, 'record', 10, 2, 8);
  patch(deflated, 'header', 8, 2, 8);
  checkOpen(
    deflated,
    CheckpointUnsupportedError,
    /a\/second: expected an entry stored as it is, found one compressed by method 8/,
  );
});

test('extra fields that do not fit are refused', () => {
  const bytes = archive({ zip64: true });
  const extra = placeOf(bytes, 'record') + 46 + 'a/second'.length;
  const change = (at: number, value: number, expected: RegExp) => {
    const changed = Buffer.from(bytes);
    changed.writeUInt16LE(value, extra + at);
    checkOpen(changed, CheckpointFormatError, expected);
  };
  change(0, 7, /a\/second: expected a field of zip64 with 8 bytes, found none/);
  change(2, 25, /a\/second: expected extra fields of 29 bytes, found 28/);
  change(2, 23, /a\/second: expected extra fields of/);
  change(2, 0xffff, /a\/second: expected extra fields of/);
});
