import {
  commands,
  type Disposable,
  extensions,
  l10n,
  type Memento,
  window,
  workspace,
} from 'vscode';
import { isEnabledFor, otherCompletions } from './otherCompletions.ts';
import { proseEditor } from './proseEditor.ts';

/** In the global state: names that the writer was told of; `*` wants to hear of none. */
const toldKey = 'competition.told';

/** Tells the writer, once, that another extension shows ghost text in the same documents. */
export function registerCompetition(state: Memento): Disposable {
  void tell(state);
  return window.onDidChangeActiveTextEditor(() => void tell(state));
}

async function tell(state: Memento): Promise<void> {
  const document = proseEditor()?.document;
  const told = state.get<string[]>(toldKey, []);
  if (document === undefined || told.includes('*')) return;
  const other = otherCompletions.find(
    ({ id, name, setting }) =>
      !told.includes(name) &&
      extensions.getExtension(id) !== undefined &&
      (setting === undefined ||
        isEnabledFor(
          workspace.getConfiguration(undefined, document).get(setting),
          document.languageId,
        )),
  );
  if (other === undefined) return;
  await state.update(toldKey, [...told, other.name]);
  const openSettings = l10n.t('Open Settings');
  const never = l10n.t("Don't Show Again");
  const chosen = await window.showInformationMessage(
    l10n.t(
      '{0} also completes text here. The editor shows one of the two; which one, changes.',
      other.name,
    ),
    openSettings,
    never,
  );
  if (chosen === never) await state.update(toldKey, ['*']);
  if (chosen === openSettings) {
    const query = other.setting ?? `@ext:${other.id}`;
    await commands.executeCommand('workbench.action.openSettings', query);
  }
}
