import {
  ConfigurationTarget,
  commands,
  type Disposable,
  EventEmitter,
  env,
  l10n,
  ProgressLocation,
  type QuickPickItem,
  Range,
  type TextDocument,
  type TextEditor,
  Uri,
  ViewColumn,
  WorkspaceEdit,
  window,
  workspace,
} from 'vscode';
import {
  type DescribeLanguageResult,
  describeLanguage,
  type LanguageReason,
  type NamedLanguage,
  translate,
} from '../protocol/server.ts';
import { settingsSection } from '../protocol/settings.ts';
import type { ServerClient } from './client.ts';
import { proseEditor } from './proseEditor.ts';
import { readSettings } from './settings.ts';

/** Scheme of the read-only documents that show translations. */
const previewScheme = 'thoughtline-translation';

/** Of the model store; it is offered where it is there. */
const installModel = 'thoughtline.installModel';

/** The commands about languages: a selection in another one, and the one that is written. */
export class LanguageCommands implements Disposable {
  readonly #client: ServerClient;
  readonly #preview = new TranslationPreview();
  readonly #subscriptions: Disposable[];

  constructor(client: ServerClient) {
    this.#client = client;
    this.#subscriptions = [
      this.#preview,
      commands.registerCommand('thoughtline.translateSelection', () => this.#translateSelection()),
      commands.registerCommand('thoughtline.setTargetLanguage', () => this.#setTargetLanguage()),
    ];
  }

  /** Says in which language the paragraph at the caret is, and why; undefined where nobody knows. */
  async describeCaret(): Promise<string | undefined> {
    const editor = proseEditor();
    return editor && describeSource(await this.#describe(editor));
  }

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
  }

  #describe({ document, selection }: TextEditor): Promise<DescribeLanguageResult> {
    const offset = document.offsetAt(selection.active);
    return this.#client.request(describeLanguage, {
      place: { uri: document.uri.toString(), offset },
    });
  }

  async #translateSelection(): Promise<void> {
    const editor = proseEditor();
    if (editor === undefined) return;
    const { document } = editor;
    const range = wantedRange(editor);
    const described = await this.#describe(editor);
    const to = await pickLanguage(described, []);
    if (to === undefined) return;
    const { version } = document;
    const params = { uri: document.uri.toString(), text: document.getText(range), to: to.code };
    const options = {
      location: ProgressLocation.Notification,
      title: l10n.t('Thoughtline: translating into {0}', to.name),
      cancellable: true,
    };
    const result = await window.withProgress(options, async (_progress, token) => {
      try {
        return await this.#client.request(translate, params, token);
      } catch (error) {
        if (token.isCancellationRequested) return undefined;
        throw error;
      }
    });
    if (result === undefined) return;
    if (result.translation === '') {
      void window.showInformationMessage(l10n.t('There is no sentence to translate here.'));
      return;
    }
    await this.#preview.show(result.translation, to.name);
    const action = await pickAction();
    if (action === undefined) return;
    await useTranslation(action, result.translation, document, range, version);
  }

  async #setTargetLanguage(): Promise<void> {
    const editor = proseEditor();
    if (editor === undefined) return;
    const described = await this.#describe(editor);
    const { target } = readSettings(editor.document).language;
    const same = { code: 'same', name: l10n.t('Same as the paragraph') };
    const chosen = await pickLanguage(described, [same], target);
    if (chosen === undefined) return;
    const isInWorkspace = workspace.workspaceFolders !== undefined;
    await workspace
      .getConfiguration(settingsSection, editor.document)
      .update(
        'language.target',
        chosen.code,
        isInWorkspace ? ConfigurationTarget.Workspace : ConfigurationTarget.Global,
      );
  }
}

/** What can be done with a translation. Nothing happens to the text before one is chosen. */
type Action = 'replace' | 'insert' | 'copy';

/** Shows translations beside the text, where they can be read and selected. */
class TranslationPreview implements Disposable {
  readonly #changed = new EventEmitter<Uri>();
  readonly #registration: Disposable;
  #text = '';

  constructor() {
    this.#registration = workspace.registerTextDocumentContentProvider(previewScheme, {
      onDidChange: this.#changed.event,
      provideTextDocumentContent: () => this.#text,
    });
  }

  async show(text: string, language: string): Promise<void> {
    this.#text = text;
    const uri = Uri.from({ scheme: previewScheme, path: l10n.t('Translation into {0}', language) });
    this.#changed.fire(uri);
    const document = await workspace.openTextDocument(uri);
    await window.showTextDocument(document, {
      viewColumn: ViewColumn.Beside,
      preserveFocus: true,
      preview: true,
    });
  }

  dispose(): void {
    this.#registration.dispose();
    this.#changed.dispose();
  }
}

interface LanguageItem extends QuickPickItem {
  language: NamedLanguage;
}

/**
 * Lets the writer pick a language of the model; undefined when nothing was picked.
 *
 * @param others  what can be picked besides, first
 * @param chosen  the code of what holds now
 */
async function pickLanguage(
  described: DescribeLanguageResult,
  others: readonly NamedLanguage[],
  chosen?: string,
): Promise<NamedLanguage | undefined> {
  const { languages } = described;
  if (languages.length < 2) {
    await explainOneLanguage(languages[0]);
    return undefined;
  }
  const sorted = languages.toSorted((a, b) => a.name.localeCompare(b.name));
  const items = [...others, ...sorted].map((language): LanguageItem => {
    const { code, name, autonym } = language;
    const mark = code === chosen ? '$(check) ' : '';
    const description = autonym === undefined || autonym === name ? code : `${autonym} · ${code}`;
    return { label: `${mark}${name}`, description, language };
  });
  const source = describeSource(described);
  const picked = await window.showQuickPick(items, {
    title: 'Thoughtline',
    matchOnDescription: true,
    ...(source !== undefined && { placeHolder: source }),
  });
  return picked?.language;
}

async function explainOneLanguage(language: NamedLanguage | undefined): Promise<void> {
  const message =
    language === undefined
      ? l10n.t('Thoughtline has no model yet.')
      : l10n.t('This model knows only {0}.', language.name);
  const install = l10n.t('Install a Model');
  const isOffered = (await commands.getCommands(true)).includes(installModel);
  const chosen = await window.showInformationMessage(message, ...(isOffered ? [install] : []));
  if (chosen === install) await commands.executeCommand(installModel);
}

/** Says which language the paragraph at a position is in, and why. */
function describeSource({ languages, source }: DescribeLanguageResult): string | undefined {
  if (source === null) return undefined;
  const name = languages.find(({ code }) => code === source.code)?.name ?? source.code;
  return l10n.t('This paragraph: {0} ({1})', name, wordsFor(source.reason));
}

function wordsFor(reason: LanguageReason): string {
  switch (reason) {
    case 'only':
      return l10n.t('all that the model knows');
    case 'comment':
      return l10n.t('a comment says so');
    case 'frontMatter':
      return l10n.t('the document says so');
    case 'setting':
      return l10n.t('the settings say so');
    case 'paragraph':
      return l10n.t('found out from its words');
    case 'document':
      return l10n.t('like most of the document');
    case 'default':
      return l10n.t('for want of anything better');
  }
}

async function pickAction(): Promise<Action | undefined> {
  const items: (QuickPickItem & { action: Action })[] = [
    { label: `$(insert) ${l10n.t('Insert Below')}`, action: 'insert' },
    { label: `$(replace) ${l10n.t('Replace')}`, action: 'replace' },
    { label: `$(copy) ${l10n.t('Copy')}`, action: 'copy' },
  ];
  const title = l10n.t('Use the translation beside?');
  return (await window.showQuickPick(items, { title, ignoreFocusOut: true }))?.action;
}

/** Does what the writer chose, unless the text is no longer the one that was translated. */
async function useTranslation(
  action: Action,
  translation: string,
  document: TextDocument,
  range: Range,
  version: number,
): Promise<void> {
  const isOutdated = document.isClosed || document.version !== version;
  if (action === 'copy' || isOutdated) {
    await env.clipboard.writeText(translation);
    if (action === 'copy') return;
    const message = l10n.t('The text has changed meanwhile; the translation was copied instead.');
    void window.showWarningMessage(message);
    return;
  }
  const edit = new WorkspaceEdit();
  if (action === 'replace') edit.replace(document.uri, range, translation);
  else edit.insert(document.uri, document.lineAt(range.end).range.end, `\n\n${translation}`);
  await workspace.applyEdit(edit);
}

/** The selection, or the line of the caret without one. */
function wantedRange({ document, selection }: TextEditor): Range {
  if (!selection.isEmpty) return new Range(selection.start, selection.end);
  return document.lineAt(selection.active).range;
}
