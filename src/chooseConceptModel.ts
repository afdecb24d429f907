import { commands, Disposable, l10n, type QuickPickItem, window } from 'vscode';
import { autoConceptModel } from '../protocol/settings.ts';
import type { Health, ServerClient } from './client.ts';
import { readSettings, writeModelChoice } from './settings.ts';

/** `Thoughtline: Choose Concept Model…`, among those of the model that is loaded. */
export function registerChooseConceptModel(client: ServerClient): Disposable {
  let health: Health = { state: 'starting' };
  return Disposable.from(
    client.onDidChangeHealth((changed) => {
      health = changed;
    }),
    commands.registerCommand('thoughtline.chooseConceptModel', () => chooseConceptModel(health)),
  );
}

interface ConceptModelItem extends QuickPickItem {
  /** Of `thoughtline.completion.conceptModel`. */
  name: string;
}

async function chooseConceptModel(health: Health): Promise<void> {
  const names = health.state === 'ready' ? health.conceptModels : [];
  const [first] = names;
  if (first === undefined) {
    await commands.executeCommand('thoughtline.chooseModel');
    return;
  }
  const { conceptModel } = readSettings().completion;
  const set = names.includes(conceptModel) ? conceptModel : autoConceptModel;
  const itemOf = (name: string, description: string): ConceptModelItem => ({
    label: name === set ? `$(check) ${name}` : name,
    description,
    name,
  });
  const items = [
    itemOf(autoConceptModel, l10n.t('the best of the model: {0}', first)),
    ...names.map((name) => itemOf(name, '')),
  ];
  const picked = await window.showQuickPick(items, {
    title: l10n.t('Choose Concept Model'),
    placeHolder: l10n.t('What predicts the next idea'),
  });
  if (picked !== undefined) await writeModelChoice({ conceptModel: picked.name });
}
