import { commands, l10n, type QuickPickItem, type TextDocument, window } from 'vscode';
import { settingsSection } from '../protocol/settings.ts';

/** What the menu says beside its entries; what is not known is empty. */
export interface MenuFacts {
  /** Of the model, in words. */
  state: string;
  language: string | undefined;
  conceptModel: string;
  /** Whether sentences are offered in the language of the document. */
  isOffered: boolean;
  isSnoozed: boolean;
  steering: string | undefined;
}

/** Shows what can be done, and does what is chosen. */
export async function openMenu(
  document: TextDocument | undefined,
  facts: MenuFacts,
): Promise<void> {
  const items = [...(document === undefined ? [] : itemsFor(document, facts)), ...always(facts)];
  const chosen = await window.showQuickPick(items, {
    title: 'Thoughtline',
    placeHolder: facts.state,
  });
  if (chosen === undefined) return;
  const { command, argument } = chosen;
  await (argument === undefined
    ? commands.executeCommand(command)
    : commands.executeCommand(command, argument));
}

interface MenuItem extends QuickPickItem {
  command: string;
  argument?: string;
}

function itemsFor(
  { languageId }: TextDocument,
  { language, isOffered, isSnoozed, steering }: MenuFacts,
): MenuItem[] {
  return [
    {
      label: `$(sparkle) ${l10n.t('Suggest Next Sentence')}`,
      command: 'thoughtline.triggerCompletion',
    },
    {
      label: `$(question) ${l10n.t('Why This Suggestion?')}`,
      command: 'thoughtline.explainSuggestion',
    },
    {
      label: `$(compass) ${l10n.t('Steer Suggestions…')}`,
      command: 'thoughtline.steer',
      ...(steering !== undefined && { description: steering }),
    },
    ...(steering === undefined
      ? []
      : [
          {
            label: `$(clear-all) ${l10n.t('Clear Steering')}`,
            command: 'thoughtline.clearSteering',
          },
        ]),
    {
      label: isSnoozed
        ? `$(bell) ${l10n.t('End Snooze')}`
        : `$(bell-slash) ${l10n.t('Snooze Suggestions…')}`,
      command: 'thoughtline.snooze',
    },
    {
      label: isOffered
        ? `$(circle-slash) ${l10n.t('Turn Off for {0}', languageId)}`
        : `$(check) ${l10n.t('Turn On for {0}', languageId)}`,
      command: 'thoughtline.toggleLanguage',
    },
    {
      label: `$(globe) ${l10n.t('Set Target Language…')}`,
      command: 'thoughtline.setTargetLanguage',
      ...(language !== undefined && { description: language }),
    },
    {
      label: `$(arrow-swap) ${l10n.t('Show Selection in Another Language…')}`,
      command: 'thoughtline.translateSelection',
    },
  ];
}

function always({ conceptModel }: MenuFacts): MenuItem[] {
  return [
    { label: `$(archive) ${l10n.t('Models…')}`, command: 'thoughtline.chooseModel' },
    {
      label: `$(lightbulb) ${l10n.t('Concept Model…')}`,
      command: 'thoughtline.chooseConceptModel',
      description: conceptModel,
    },
    {
      label: `$(graph) ${l10n.t('Statistics')}`,
      command: 'thoughtline.statistics.focus',
    },
    {
      label: `$(debug-restart) ${l10n.t('Restart Language Server')}`,
      command: 'thoughtline.restartServer',
    },
    { label: `$(output) ${l10n.t('Show Log')}`, command: 'thoughtline.showLog' },
    {
      label: `$(gear) ${l10n.t('Open Settings')}`,
      command: 'workbench.action.openSettings',
      argument: settingsSection,
    },
  ];
}
