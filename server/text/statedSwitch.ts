import { frontMatterField, frontMatterOf, headOf, ownComments, topOf } from './documentHead.ts';
import type { ProseFormat } from './proseBlock.ts';

/*
 * What a document says about whether sentences are offered in it: in a comment for us,
 * `thoughtline: off`, or in the front matter of Markdown.
 */

/** `on` and `manual` as in the setting of the mode; `off`: nothing is offered unasked. */
export type StatedSwitch = 'on' | 'off' | 'manual';

const value = '(?:on|off|manual|true|false)';
const comments = ownComments(`(${value})`);
const field = frontMatterField('thoughtline', value);

/** Returns what a document says; null when it says nothing that we know. */
export function statedSwitch(text: string, format: ProseFormat): StatedSwitch | null {
  const head = headOf(text);
  const comment = comments[format].exec(topOf(head))?.[1];
  if (comment !== undefined || format !== 'markdown') return switchOf(comment);
  return switchOf(field.exec(frontMatterOf(head) ?? '')?.[2]);
}

/** Tells whether a line of plain text is not prose but such a switch. */
export function isSwitchLine(line: string): boolean {
  return comments.plaintext.test(line);
}

/** In YAML 1.1, `on` and `true` are the same, and so are `off` and `false`. */
function switchOf(word: string | undefined): StatedSwitch | null {
  switch (word?.toLowerCase()) {
    case 'on':
    case 'true':
      return 'on';
    case 'off':
    case 'false':
      return 'off';
    case 'manual':
      return 'manual';
    default:
      return null;
  }
}
