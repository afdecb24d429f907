import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { GlobSyntaxError, matchesGlob, parseGlob } from '../../../server/writing/glob.ts';

/** @param matching, other  paths, between spaces */
function check(pattern: string, matching: string, other = ''): void {
  const glob = parseGlob(pattern);
  const paths = (text: string) => text.split(' ').filter((path) => path !== '');
  for (const path of paths(matching)) assert.ok(matchesGlob(glob, path), `${pattern} ${path}`);
  for (const path of paths(other)) assert.ok(!matchesGlob(glob, path), `${pattern} not ${path}`);
}

function checkRefused(pattern: string, message: RegExp): void {
  assert.throws(() => parseGlob(pattern), { name: GlobSyntaxError.name, message }, pattern);
}

describe('a glob', () => {
  it('without wildcards matches itself', () => {
    check('a/b.md', 'a/b.md', 'b.md a/b.mdx x/a/b.md a/bxmd a');
    check('(a+)$|^.md', '(a+)$|^.md', 'a');
  });

  it('has * and ? within a segment', () => {
    check('*.md', 'a.md .md .a.md', 'a.mdx a/b.md');
    check('a*b*c', 'abc axbxc abbc abcbc', 'acb abcd a/b/c');
    check('a/*/c', 'a/b/c', 'a/c a/b/b/c');
    check('?.md', 'a.md é.md 🙂.md', 'ab.md .md');
    check('***', 'a ab', 'a/b');
  });

  it('has ** for any number of segments', () => {
    check('**/letters/**', 'letters/a.md x/letters/a.md /x/y/letters/z/a.md', 'letter/a.md');
    check('a/**/b', 'a/b a/x/b a/x/y/b', 'a/x a/bb ab');
    check('**/a/**/b', 'a/b x/a/a/y/b a/b/b', 'b/a b');
    check('**', 'a a/b /a/b/c');
    check('a**b', 'ab axxb', 'a/b');
  });

  it('has alternatives, one in another', () => {
    check('*.{md,tex}', 'a.md a.tex', 'a.txt a.{md,tex}');
    check('{a,b/c}/d', 'a/d b/c/d', 'b/d c/d');
    check('x{,{1,2}y}', 'x x1y x2y', 'x1 xy');
    check('{**/x,y}/z', 'x/z a/x/z y/z', 'a/y/z');
    check('a,b}', 'a,b}');
  });

  it('has one character of some, or of all others', () => {
    check('[abc].md', 'a.md c.md', 'd.md ab.md');
    check('[a-cx]', 'b x', 'd -');
    check('[!a-c]', 'd -', 'b');
    check('[^a]', 'b', 'a');
    check('[]a]', '] a', 'b');
    check('[a-]', 'a -', 'b');
    check('[*][?][{]', '*?{', 'abc');
  });

  it('is the same for both slashes, both cases and both ways to write an accent', () => {
    check('C:\\Users\\**', 'c:/users/a/b.md C:\\Users\\b.md', 'd:/users/b.md');
    check('ÉTÉ[A-C].md', 'étéb.md');
    check('e\u0301', '\u00e9');
  });

  it('may begin with ./ and end with the slash of a folder', () => {
    check('./a.md', 'a.md');
    check('letters/', 'letters/a.md letters/x/a.md', 'a/letters/b.md');
    check('/', '/ /a', 'a');
  });

  it('matches what a pattern without going back would miss', () => {
    check('*ab*abc', 'ababc xabxabcabc', 'abab');
    check('**/*a/**/b*/c', 'xa/b/b/c q/xa/y/bz/c', 'xa/c');
  });
});

describe('parseGlob', () => {
  it('refuses what it cannot read', () => {
    checkRefused('', /found nothing/);
    checkRefused('{a,b', /a } for every {/);
    checkRefused('{a,{b}', /a } for every {/);
    checkRefused('[a', /a ] for every \[/);
    checkRefused('[]', /a ] for every \[/);
    checkRefused('[z-a]', /in order, found z-a/);
    checkRefused('!a.md', /no ! at the beginning/);
    checkRefused('a'.repeat(513), /at most 512 characters, found 513/);
    checkRefused('{a,b}'.repeat(7), /at most 64 alternatives/);
    checkRefused(`{${'a,'.repeat(64)}a}`, /at most 64 alternatives/);
    checkRefused('{'.repeat(512), /a } for every {/);
  });

  it('takes any text, cut anywhere', () => {
    const whole = '**/{a,[!b-c]?}/*.{md,te[x]}';
    for (let end = 1; end <= whole.length; end++) {
      try {
        matchesGlob(parseGlob(whole.slice(0, end)), 'a/b.md');
      } catch (error) {
        assert.ok(error instanceof GlobSyntaxError, String(error));
      }
    }
  });

  it('matches soon what would take a backtracking matcher for ever', () => {
    const start = performance.now();
    const names = 'a'.repeat(255);
    const path = 'a/'.repeat(2000);
    check(`${'*a'.repeat(200)}b`, '', names);
    check(`${'**/a/'.repeat(100)}b`, '', path);
    check(`{${'*a*a*a*a,'.repeat(40)}b}`, '', `${names}b`);
    // Far more than it takes; one that goes back over everything takes longer than we live.
    assert.ok(performance.now() - start < 5000);
  });
});
