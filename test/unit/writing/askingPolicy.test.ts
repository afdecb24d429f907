import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AskingPolicy, type WritingEvent } from '../../../server/writing/askingPolicy.ts';

/*
 * A script is a line of steps; `*n` repeats one.
 *
 *   type          a key, 200 ms after what was before; `type@600` 600 ms after
 *   paste         400 units at once; `paste:25` so many
 *   delete  shown  accepted  acceptedPartly  typed  rejected
 *   +1000         that many milliseconds pass
 *   in:b          from here on in the document b
 *   set:800       the writer's setting; `set:null` takes it back
 *   ask           answers `silent`, or how many milliseconds are still to wait
 */
const notes: ReadonlySet<string> = new Set<WritingEvent['kind']>([
  'deleted',
  'shown',
  'accepted',
  'acceptedPartly',
  'typed',
  'rejected',
]);

/** Runs a script. @returns its answers */
function play(script: string, startAt = 1000, policy = new AskingPolicy()): string[] {
  let at = startAt;
  let uri = 'a';
  let setting: number | null = null;
  const answers: string[] = [];
  const insert = (length: number) => policy.note({ kind: 'inserted', uri, at, length });
  const step = (name: string, value: string | undefined) => {
    if (name === 'type') {
      at += Number(value ?? 200);
      insert(1);
    } else if (name === 'paste') insert(Number(value ?? 400));
    else if (name === 'in') uri = value ?? '';
    else if (name === 'set') setting = value === 'null' ? null : Number(value);
    else if (name.startsWith('+')) at += Number(name.slice(1));
    else if (name === 'ask') {
      const decision = policy.decide(at, setting, uri);
      answers.push(decision.kind === 'silent' ? 'silent' : String(Math.round(decision.until - at)));
    } else {
      const kind = name === 'delete' ? 'deleted' : name;
      assert.ok(notes.has(kind), name);
      policy.note({ kind: kind as 'deleted', uri, at });
    }
  };
  for (const word of script.split(/\s+/)) {
    const [, name = '', value, times = '1'] =
      /^(\+?-?\w+)(?:[@:](\w+))?(?:\*(\d+))?$/.exec(word) ?? [];
    for (let time = 0; time < Number(times); time++) step(name, value);
  }
  return answers;
}

function check(script: string, expected: string): void {
  assert.equal(play(script).join(' '), expected, script);
}

describe('the pause', () => {
  it('is 500 ms before anything is known', () => {
    check('type ask', '500');
    check('type@90*16 ask', '500');
    check('type@90*17 ask', '250');
  });

  it('is counted from the last key, and over when it is over', () => {
    check('type +200 ask +200 ask +200 ask', '300 100 0');
    check('ask', '0');
  });

  it('is learned from the rhythm', () => {
    check('type@150*40 ask', '375');
    check('type@200*40 ask', '500');
    check('type@300*40 ask', '750');
  });

  it('leaves a slow typist alone, and is clamped', () => {
    check('type@500*40 ask', '1250');
    check('type@1400*40 ask', '1500');
    check('type@30*40 ask', '250');
  });

  it('follows a writer who becomes slower or faster', () => {
    check('type@150*80 type@400*80 ask', '1000');
    check('type@400*80 type@150*80 ask', '375');
  });

  it('takes no pause to think for rhythm: neither long ones nor now and then a short one', () => {
    check(`${'type@150*8 type@9000 '.repeat(8)} ask`, '375');
    check(`${'type@150*8 type@900 '.repeat(8)} ask`, '375');
  });

  it('takes no programs, held keys or several carets for rhythm', () => {
    check('type@0*80 ask', '500');
    check('type@10*80 ask', '500');
  });

  it('learns nothing from what is pasted, nor from the key after it', () => {
    check('type@150*40 paste ask', '375');
    check(`${'paste +100 '.repeat(40)} paste ask`, '500');
    check(`${'paste type@100 '.repeat(40)} ask`, '500');
    check(`${'paste:25 +100 '.repeat(40)} paste:25 ask`, '500');
    check(`${'paste:24 +100 '.repeat(40)} paste:24 ask`, '250');
  });

  it('learns nothing from what lies between a key and a deletion, an acceptance, another document', () => {
    check(`${'type@100 delete '.repeat(40)} type ask`, '500');
    check(`${'type@100 accepted '.repeat(40)} type ask`, '500');
    check(`${'type@100 in:b type@100 in:a '.repeat(40)} ask`, '500');
  });

  it('is the same rhythm in every document of the window', () => {
    check('type@150*40 in:b ask', '375');
  });

  it('is that of the setting where the writer has set one', () => {
    check('set:800 type ask', '800');
    check('type@150*40 set:1200 ask set:0 ask set:null ask', '1200 0 375');
    check('type rejected*5 set:300 ask', '300');
  });
});

describe('rejections and acceptances', () => {
  it('a rejection makes the pause half as long again, up to 3000 ms', () => {
    check('type rejected ask', '750');
    check('type rejected*2 ask', '1125');
    check('type rejected*4 ask', '2531');
    check('type rejected*5 ask', '3000');
    check('type rejected*9 ask', '3000');
    check('type@600*40 rejected*9 ask', '3000');
  });

  it('an acceptance, whole, in part or by hand, makes it a fifth shorter', () => {
    for (const kind of ['accepted', 'acceptedPartly', 'typed']) {
      check(`type rejected*2 ${kind} type ask`, '900');
      check(`type rejected*2 ${kind}*2 type ask`, '720');
      check(`type rejected*2 ${kind}*9 type ask`, '500');
    }
  });

  it('an acceptance makes it no shorter than what was learned', () => {
    check('accepted*9 type ask', '500');
  });

  it('recovers from the longest pause as soon as from the one that led to it', () => {
    check('type rejected*9 accepted type@0 ask', '2400');
  });

  it('is forgotten little by little over 10 minutes', () => {
    check('rejected*2 +150000 type@0 ask', '969');
    check('rejected*2 +300000 type@0 ask', '813');
    check('rejected*2 +600000 type@0 ask', '500');
    check('rejected*2 +900000 type@0 ask', '500');
    check('rejected*2 +300000 rejected type@0 ask', '1219');
  });

  it('ten rejections in a row bring silence for 30 seconds', () => {
    check('type rejected*10 ask +29999 ask +1 ask', 'silent silent 0');
    check('rejected*10 +30000 type@0 ask', '2875');
    check('rejected*10 in:b ask', 'silent');
    check('set:0 rejected*10 ask', 'silent');
  });

  it('ten more are needed for the next silence', () => {
    check('rejected*10 +30000 rejected*9 ask rejected ask', '0 silent');
  });

  it('an acceptance ends the run, and the silence', () => {
    check('rejected*9 accepted rejected*9 ask rejected ask', '0 silent');
    check('rejected*9 typed rejected ask', '0');
    check('rejected*10 ask accepted ask', 'silent 0');
  });

  it('ten minutes end the run', () => {
    check('rejected*9 +600000 rejected ask', '0');
  });

  it('what is only shown changes nothing', () => {
    check('type shown*20 ask', '500');
    check('rejected*9 shown rejected ask', 'silent');
  });
});

describe('after a deletion', () => {
  it('there is silence, however long the pause', () => {
    check('type delete ask +60000 ask', 'silent silent');
    check('set:0 type delete ask', 'silent');
  });

  it('there is silence until something is inserted again', () => {
    check('type delete*5 type ask', '500');
    check('delete paste ask', '500');
    check('delete type delete ask', 'silent');
  });

  it('there is silence in that document only', () => {
    check('delete in:b ask in:a ask', '500 silent');
    check('delete in:b type in:a ask', 'silent');
  });

  it('nothing but an insertion ends it', () => {
    check('delete shown ask', 'silent');
    check('delete rejected ask', 'silent');
    check('delete typed ask', 'silent');
  });

  it('documents that were long left alone are forgotten', () => {
    const others = (count: number) =>
      Array.from({ length: count }, (_, index) => `in:x${index} delete`).join(' ');
    check(`delete ${others(63)} in:a ask`, 'silent');
    check(`delete ${others(64)} in:a +1000 ask`, '0');
  });
});

describe('after an acceptance', () => {
  it('the next sentence comes at once', () => {
    check('type paste accepted ask', '0');
    check('type paste acceptedPartly ask', '0');
    check('type paste accepted ask ask', '0 0');
    check('set:2000 type paste accepted ask', '0');
    check('rejected*5 paste accepted ask', '0');
  });

  it('only until the writer does something else', () => {
    check('paste accepted type ask', '500');
    check('paste accepted delete ask', 'silent');
    check('paste accepted rejected ask', '750');
  });

  it('only in that document', () => {
    check('type@0 paste accepted in:b ask', '500');
  });

  it('not for what was typed by hand: the writer is typing', () => {
    check('type typed ask', '500');
  });
});

describe('AskingPolicy', () => {
  it('tells the pause as of what was last heard', () => {
    const policy = new AskingPolicy();
    assert.equal(policy.pauseMs, 500);
    play('type@150*40 rejected', 0, policy);
    assert.equal(policy.pauseMs, 562.5);
  });

  it('decides the same at any time of the clock', () => {
    const script = randomScript(7, 400);
    assert.deepEqual(play(script, 0), play(script, 3e9));
  });

  it('is not held up by a clock that is set back', () => {
    check('type@0 +-3600000 ask', '500');
    check('type@0 rejected*2 +-3600000 ask', '1125');
    check('rejected*10 +-3600000 ask', '0');
    check('type@150*40 +-3600000 type@150*20 ask', '375');
  });

  it('asking changes nothing', () => {
    const script = randomScript(11, 400);
    const often = play(script.replaceAll('ask', 'ask ask'));
    assert.deepEqual(
      often.filter((_, index) => index % 2 === 0),
      play(script),
    );
  });

  it('never waits longer than 3 seconds, whatever happens', () => {
    for (let seed = 1; seed <= 50; seed++) {
      for (const answer of play(randomScript(seed, 200))) {
        assert.ok(answer === 'silent' || (Number(answer) >= 0 && Number(answer) <= 3000), answer);
      }
    }
  });
});

function randomScript(seed: number, length: number): string {
  const steps = [
    'type@90*5',
    'type@250*5',
    'type@1300',
    'paste',
    'delete',
    'accepted',
    'typed',
    'rejected*3',
    '+4000',
    '+100000',
    'in:a',
    'in:b',
    'ask',
    'ask',
  ];
  let state = seed;
  const next = () => {
    state = (state * 48271) % 2147483647; // Lehmer
    return steps[state % steps.length];
  };
  return Array.from({ length }, next).join(' ');
}
