import { commands, Disposable, l10n, type QuickPickItem, QuickPickItemKind, window } from 'vscode';
import {
  type InstalledModel,
  type ListModelsResult,
  listModels,
  removeModel,
} from '../protocol/server.ts';
import type { ServerClient } from './client.ts';
import { choiceOf, isBegun, modelInUse, sizeOf } from './modelChoices.ts';
import { readSettings, writeModelChoice } from './settings.ts';

/** `Thoughtline: Choose Model…` and `Thoughtline: Remove Model…`, among those of this machine. */
export function registerChooseModel(client: ServerClient): Disposable {
  return Disposable.from(
    commands.registerCommand('thoughtline.chooseModel', () => chooseModel(client)),
    commands.registerCommand('thoughtline.removeModel', () => chooseAndRemove(client)),
  );
}

interface ModelItem extends QuickPickItem {
  model?: InstalledModel;
  command?: string;
}

async function chooseModel(client: ServerClient): Promise<void> {
  const installed = (await client.ask(listModels, {}))?.installed;
  if (installed === undefined) return;
  const items: ModelItem[] = [
    ...installed.filter(({ kind }) => kind === 'model').map(itemOf),
    separator(l10n.t('Concept models')),
    ...installed.filter(({ kind }) => kind === 'conceptModels').map(itemOf),
    separator(''),
    { label: `$(cloud-download) ${l10n.t('Install Model…')}`, command: 'thoughtline.installModel' },
    { label: `$(trash) ${l10n.t('Remove Model…')}`, command: 'thoughtline.removeModel' },
  ];
  const options = { title: l10n.t('Choose Model'), matchOnDescription: true };
  const picked = await window.showQuickPick(items, options);
  if (picked?.command !== undefined) await commands.executeCommand(picked.command);
  const model = picked?.model;
  if (model === undefined || model.kind === null) return;
  const { name, kind, conceptModels } = model;
  // What is not prepared yet is the built-in model, whose space only its manifest tells.
  const chosen = { name, kind, conceptModels, space: model.space ?? '' };
  await writeModelChoice(choiceOf(chosen, installed, readSettings().model.name));
}

function itemOf(model: InstalledModel): ModelItem {
  const { model: settings, completion } = readSettings();
  const isInUse =
    model.kind === 'model'
      ? modelInUse([model], settings.name) !== undefined
      : model.conceptModels.includes(completion.conceptModel);
  const facts = [
    ...(isInUse ? [l10n.t('in use')] : []),
    ...(model.isBuiltIn ? [l10n.t('comes with Thoughtline')] : []),
    ...(model.state === 'damaged' ? [l10n.t('damaged: install it again')] : []),
    ...(model.precision === null ? [] : [model.precision]),
    sizeOf(model.sizeBytes),
    ...(model.licence === null ? [] : [model.licence]),
  ];
  const label = model.title === model.name ? model.name : `${model.title} (${model.name})`;
  return {
    label: isInUse ? `$(check) ${label}` : label,
    description: facts.join(' · '),
    detail:
      model.conceptModels.length === 0
        ? l10n.t('Without a concept model of its own')
        : l10n.t('Concept models: {0}', model.conceptModels.join(', ')),
    model,
  };
}

async function chooseAndRemove(client: ServerClient): Promise<void> {
  const list = await client.ask(listModels, {});
  if (list === undefined) return;
  const picked = await window.showQuickPick(removalItems(list), {
    title: l10n.t('Remove Model'),
    placeHolder: l10n.t('The model that comes with Thoughtline stays'),
  });
  if (picked === undefined) return;
  const remove = l10n.t('Remove');
  const detail = l10n.t('To have it again it must be downloaded again.');
  const question = l10n.t('Remove {0}?', picked.label);
  const answer = await window.showWarningMessage(question, { modal: true, detail }, remove);
  if (answer !== remove) return;
  if (readSettings().model.name === picked.name) await writeModelChoice({ name: '' });
  if ((await client.ask(removeModel, { name: picked.name })) !== undefined) return;
  const showLog = l10n.t('Show Log');
  const words = l10n.t('{0} could not be removed. A program may be using it.', picked.label);
  if ((await window.showWarningMessage(words, showLog)) === showLog) {
    await commands.executeCommand('thoughtline.showLog');
  }
}

interface RemovalItem extends QuickPickItem {
  name: string;
}

/** Installed models, and what was downloaded of others. */
function removalItems({ installed, available }: ListModelsResult): RemovalItem[] {
  const models = installed
    .filter(({ isBuiltIn }) => !isBuiltIn)
    .map(({ name, title, sizeBytes }) => ({ name, label: title, description: sizeOf(sizeBytes) }));
  const downloads = available.filter(isBegun).map(({ id, title, fetchedBytes }) => ({
    name: id,
    label: title,
    description: l10n.t('{0} of an unfinished download', sizeOf(fetchedBytes)),
  }));
  return [...models, ...downloads];
}

function separator(label: string): ModelItem {
  return { label, kind: QuickPickItemKind.Separator };
}
