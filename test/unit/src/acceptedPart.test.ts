import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type AcceptedPart, endOfPart } from '../../../src/acceptedPart.ts';

/** @param text  a suggestion with `|` where its first part ends */
function check(part: AcceptedPart, text: string): void {
  const plain = text.replace('|', '');
  assert.equal(endOfPart(plain, part), text.indexOf('|'), text);
}

describe('the first clause', () => {
  it('ends with its mark, in many scripts', () => {
    check('clause', ' She waited,| and nobody came.');
    check('clause', 'She waited;| nobody came.');
    check('clause', 'She knew one thing:| nobody came.');
    check('clause', 'She waited —| nobody came.');
    check('clause', 'She waited—|nobody came.');
    check('clause', 'Sie wartete –| niemand kam.');
    check('clause', '她等着，|没有人来。');
    check('clause', '彼女は待った、|誰も来なかった。');
    check('clause', 'انتظرت،| ولم يأت أحد.');
  });

  it('takes the quotes and brackets that close after its mark', () => {
    check('clause', '“I wait,”| she said.');
    check('clause', 'She (who waited,)| saw nobody.');
    check('clause', '*She waited,*| and nobody came.');
  });

  it('does not end in numbers and times', () => {
    check('clause', 'It cost 1,000 crowns at 12:30,| she said.');
    check('clause', 'The years 1990–1995 were quiet,| she said.');
  });

  it('has a letter', () => {
    check('clause', ' — She waited,| and nobody came.');
    check('clause', ', she said,| and waited.');
  });

  it('is the sentence where it has no mark', () => {
    check('clause', ' She waited.|');
    check('clause', ' She waited.| Nobody came, and she slept.');
    check('clause', 'She waited|');
  });
});

describe('the first sentence', () => {
  it('ends without the space after it', () => {
    check('sentence', ' She waited, and nobody came.| She slept.');
    check('sentence', 'Who is there?| Nobody.');
    check('sentence', '她等着，没有人来。|她睡了。');
    check('sentence', '\n\nShe waited.| She slept.');
  });

  it('is everything where there is one', () => {
    check('sentence', ' She waited.|');
    check('sentence', 'She waited|');
    check('sentence', '|');
  });
});
