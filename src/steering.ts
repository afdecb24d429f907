import {
  commands,
  Disposable,
  l10n,
  type QuickPickItem,
  QuickPickItemKind,
  type TextEditor,
  window,
} from 'vscode';
import {
  type DirectionName,
  type Pull,
  type Steering,
  type SteeringChoices,
  type SteerParams,
  serverCommands,
} from '../protocol/completion.ts';
import type { ServerClient } from './client.ts';
import type { CompletionStatus } from './completionStatus.ts';
import type { GhostText } from './ghostText.ts';
import { proseEditor } from './proseEditor.ts';
import { type StrengthName, strengthName, strengths, togglePull } from './steeringChoices.ts';

/** Of a phrase or sentence in a list or in the status bar. */
const maxShownLength = 40;

/** Bending suggestions toward a phrase, away from a sentence, or in a direction of the model. */
export function registerSteering(
  client: ServerClient,
  status: CompletionStatus,
  ghostText: GhostText,
): Disposable {
  const steer = async (editor: TextEditor, steering: Steering | null): Promise<void> => {
    const params: SteerParams = { uri: editor.document.uri.toString(), steering };
    if ((await client.run(serverCommands.steer, params)) !== undefined) await ghostText.renew();
  };
  const pickAndSteer = async (): Promise<void> => {
    const editor = proseEditor();
    if (editor === undefined) return;
    const { document } = editor;
    const uri = document.uri.toString();
    const choices = await client.run<SteeringChoices>(serverCommands.listDirections, { uri });
    if (choices === undefined) return;
    const current = status.of(document.uri).steering;
    const picked = await pickChange(
      choices.directions,
      current,
      document.getText(editor.selection),
    );
    if (picked !== undefined) await steer(editor, picked.steering);
  };
  return Disposable.from(
    commands.registerCommand('thoughtline.steer', pickAndSteer),
    commands.registerCommand('thoughtline.clearSteering', async () => {
      const editor = proseEditor();
      if (editor !== undefined) await steer(editor, null);
    }),
  );
}

/** Says in a few words what suggestions are bent by, as `→ plainer, ↛ “the sea”`. */
export function describeSteering({ pulls }: Steering): string {
  return pulls.map(describePull).join(', ');
}

function describePull(pull: Pull): string {
  if (pull.kind === 'direction') return `→ ${nameOf(pull.name)}`;
  return `${pull.kind === 'toward' ? '→' : '↛'} “${shorten(pull.text)}”`;
}

interface Choice extends QuickPickItem {
  /** Returns what to steer by; undefined when the writer turned back. */
  choose?: () => Promise<Changed | undefined>;
}

interface Changed {
  steering: Steering | null;
}

async function pickChange(
  directions: readonly DirectionName[],
  current: Steering | null,
  selected: string,
): Promise<Changed | undefined> {
  const sentence = selected.replace(/\s+/g, ' ').trim();
  const toggle = (pull: Pull) => async () => ({ steering: togglePull(current, pull) });
  const choices: Choice[] = [
    ...(current?.pulls ?? []).map(
      (pull): Choice => ({
        label: `$(check) ${describePull(pull)}`,
        description: l10n.t('take away'),
        choose: toggle(pull),
      }),
    ),
    separator(l10n.t('Toward')),
    ...directions
      .map((name): Pull => ({ kind: 'direction', name }))
      .filter((pull) => !current?.pulls.some((other) => describePull(other) === describePull(pull)))
      .map((pull): Choice => ({ label: `$(arrow-right) ${wordsFor(pull)}`, choose: toggle(pull) })),
    { label: `$(edit) ${l10n.t('Toward a phrase…')}`, choose: () => typePhrase(current) },
  ];
  if (sentence !== '') {
    choices.push(
      {
        label: `$(arrow-right) ${l10n.t('Toward the selected sentence')}`,
        description: shorten(sentence),
        choose: toggle({ kind: 'toward', text: sentence }),
      },
      {
        label: `$(arrow-left) ${l10n.t('Away from the selected sentence')}`,
        description: shorten(sentence),
        choose: toggle({ kind: 'away', text: sentence }),
      },
    );
  }
  if (current !== null) {
    choices.push(
      separator(l10n.t('Steering')),
      {
        label: `$(settings) ${l10n.t('Strength…')}`,
        description: strengthWords(strengthName(current.strength)),
        choose: () => pickStrength(current),
      },
      {
        label: `$(clear-all) ${l10n.t('Clear Steering')}`,
        choose: async () => ({ steering: null }),
      },
    );
  }
  const picked = await window.showQuickPick(choices, {
    title: l10n.t('Steer Suggestions'),
    placeHolder: l10n.t('Whereto the next sentences of this document should go'),
    matchOnDescription: true,
  });
  return picked?.choose?.();
}

async function typePhrase(current: Steering | null): Promise<Changed | undefined> {
  const text = await window.showInputBox({
    title: l10n.t('Steer Toward a Phrase'),
    prompt: l10n.t('What the next sentences should be nearer to'),
    placeHolder: l10n.t('The lighthouse goes out.'),
  });
  const phrase = text?.trim() ?? '';
  return phrase === ''
    ? undefined
    : { steering: togglePull(current, { kind: 'toward', text: phrase }) };
}

async function pickStrength(current: Steering): Promise<Changed | undefined> {
  const names: StrengthName[] = ['weak', 'medium', 'strong'];
  const items = names.map((name) => ({
    label: `${name === strengthName(current.strength) ? '$(check) ' : ''}${strengthWords(name)}`,
    strength: strengths[name],
  }));
  const picked = await window.showQuickPick(items, { title: l10n.t('Strength of Steering') });
  return picked && { steering: { ...current, strength: picked.strength } };
}

function separator(label: string): Choice {
  return { label, kind: QuickPickItemKind.Separator };
}

function shorten(text: string): string {
  return text.length <= maxShownLength ? text : `${text.slice(0, maxShownLength - 1).trimEnd()}…`;
}

function wordsFor(pull: Pull): string {
  return pull.kind === 'direction' ? nameOf(pull.name) : pull.text;
}

function nameOf(name: DirectionName): string {
  switch (name) {
    case 'shorter':
      return l10n.t('shorter');
    case 'longer':
      return l10n.t('longer');
    case 'plainer':
      return l10n.t('plainer');
    case 'concrete':
      return l10n.t('more concrete');
    case 'continue':
      return l10n.t('continue the argument');
    case 'example':
      return l10n.t('give an example');
    case 'conclude':
      return l10n.t('conclude');
  }
}

function strengthWords(name: StrengthName): string {
  switch (name) {
    case 'weak':
      return l10n.t('weak');
    case 'medium':
      return l10n.t('medium');
    case 'strong':
      return l10n.t('strong');
  }
}
