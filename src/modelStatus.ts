import {
  commands,
  type Disposable,
  l10n,
  type QuickPickItem,
  StatusBarAlignment,
  type StatusBarItem,
  type TextDocument,
  ThemeColor,
  window,
  workspace,
} from 'vscode';
import { isLanguageEnabled, languageIds, settingsSection } from '../protocol/settings.ts';
import type { Health } from './client.ts';
import { readSettings, toggleLanguage } from './settings.ts';

/** The status bar item and the menu behind it: the health of the model, and what can be done. */
export class ModelStatusItem implements Disposable {
  readonly #item: StatusBarItem;
  readonly #subscriptions: Disposable[];
  readonly #describeLanguage: () => Promise<string | undefined>;
  #health: Health = { state: 'starting' };

  /** @param describeLanguage  says in which language the paragraph at the caret is */
  constructor(describeLanguage: () => Promise<string | undefined>) {
    this.#describeLanguage = describeLanguage;
    this.#item = window.createStatusBarItem('thoughtline.status', StatusBarAlignment.Right, 100);
    this.#item.name = 'Thoughtline';
    this.#item.command = 'thoughtline.openMenu';
    this.#subscriptions = [
      this.#item,
      window.onDidChangeActiveTextEditor(() => this.#draw()),
      // Also when a document changes its language.
      workspace.onDidOpenTextDocument(() => this.#draw()),
      workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration(settingsSection)) this.#draw();
      }),
      commands.registerCommand('thoughtline.openMenu', () => this.#openMenu()),
      commands.registerCommand('thoughtline.toggleLanguage', async () => {
        const document = documentInFront();
        if (document !== undefined) await toggleLanguage(document);
      }),
    ];
    this.update({ state: 'starting' });
  }

  update(health: Health): void {
    this.#health = health;
    void commands.executeCommand('setContext', 'thoughtline.isReady', health.state === 'ready');
    this.#draw();
  }

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
  }

  #draw(): void {
    const document = documentInFront();
    // Elsewhere than in prose the item would be noise.
    if (window.activeTextEditor !== undefined && document === undefined) {
      this.#item.hide();
      return;
    }
    const isOff = document !== undefined && !isOfferedIn(document);
    const { icon, short, long, isTrouble } = describe(this.#health);
    const lines = isOff ? [l10n.t('Off for this language'), ...long] : long;
    this.#item.text = `$(${isOff ? 'circle-slash' : icon}) ${short}`;
    this.#item.tooltip = ['Thoughtline', ...lines].join('\n');
    this.#item.accessibilityInformation = { label: ['Thoughtline', ...lines].join(', ') };
    this.#item.backgroundColor = isTrouble
      ? new ThemeColor('statusBarItem.warningBackground')
      : undefined;
    this.#item.show();
  }

  async #openMenu(): Promise<void> {
    // The menu opens whatever the server says; the client has told why it failed.
    const language =
      this.#health.state === 'ready'
        ? await this.#describeLanguage().catch(() => undefined)
        : undefined;
    const conceptModel = this.#health.state === 'ready' ? this.#health.conceptModel : '';
    const items = menuItems(documentInFront(), { language, conceptModel });
    const chosen = await window.showQuickPick(items, {
      title: 'Thoughtline',
      placeHolder: describe(this.#health).long.join(', '),
    });
    if (chosen === undefined) return;
    const { command, argument } = chosen;
    await (argument === undefined
      ? commands.executeCommand(command)
      : commands.executeCommand(command, argument));
  }
}

interface MenuItem extends QuickPickItem {
  command: string;
  argument?: string;
}

/** What the menu says beside its entries; what is not known is empty. */
interface MenuFacts {
  language: string | undefined;
  conceptModel: string;
}

function menuItems(
  document: TextDocument | undefined,
  { language, conceptModel }: MenuFacts,
): MenuItem[] {
  const settings = {
    label: `$(gear) ${l10n.t('Open Settings')}`,
    command: 'workbench.action.openSettings',
    argument: settingsSection,
  };
  const always: MenuItem[] = [
    { label: `$(archive) ${l10n.t('Models…')}`, command: 'thoughtline.chooseModel' },
    {
      label: `$(lightbulb) ${l10n.t('Concept Model…')}`,
      command: 'thoughtline.chooseConceptModel',
      description: conceptModel,
    },
    {
      label: `$(debug-restart) ${l10n.t('Restart Language Server')}`,
      command: 'thoughtline.restartServer',
    },
    { label: `$(output) ${l10n.t('Show Log')}`, command: 'thoughtline.showLog' },
    settings,
  ];
  if (document === undefined) return always;
  return [
    {
      label: `$(sparkle) ${l10n.t('Suggest Next Sentence')}`,
      command: 'thoughtline.triggerCompletion',
    },
    {
      label: isOfferedIn(document)
        ? `$(circle-slash) ${l10n.t('Turn Off for {0}', document.languageId)}`
        : `$(check) ${l10n.t('Turn On for {0}', document.languageId)}`,
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
    ...always,
  ];
}

interface Description {
  /** Name of a codicon. */
  icon: string;
  /** For the status bar. */
  short: string;
  /** For the tooltip and for screen readers, one fact a line. */
  long: string[];
  isTrouble: boolean;
}

function describe(health: Health): Description {
  const busy = { icon: 'loading~spin', isTrouble: false };
  const trouble = { icon: 'warning', short: 'Thoughtline', isTrouble: true };
  switch (health.state) {
    case 'starting':
      return { ...busy, short: 'Thoughtline', long: [l10n.t('Starting')] };
    case 'loading':
      return { ...busy, short: 'Thoughtline', long: [l10n.t('Loading the model')] };
    case 'preparing': {
      const percent = `${Math.round(health.fraction * 100)} %`;
      return {
        ...busy,
        short: percent,
        long: [l10n.t('Preparing the model'), health.label, percent],
      };
    }
    case 'ready': {
      const { model, conceptModel, device, deviceNote, lastLatencyMs, memoryMb } = health;
      const latency = lastLatencyMs === null ? undefined : `${Math.round(lastLatencyMs)} ms`;
      return {
        icon: 'sparkle',
        short: latency === undefined ? device : `${device} ${latency}`,
        long: [
          l10n.t('Ready'),
          l10n.t('Model: {0}, {1}', model, conceptModel),
          l10n.t('Device: {0}', device),
          ...(deviceNote === null ? [] : [deviceNote]),
          ...(latency === undefined ? [] : [l10n.t('Last answer: {0}', latency)]),
          l10n.t('Memory: {0} MB', Math.round(memoryMb)),
        ],
        isTrouble: false,
      };
    }
    case 'missing':
      return { ...trouble, long: [l10n.t('No model')] };
    case 'failed':
      return { ...trouble, long: [l10n.t('The model failed; see the log')] };
    case 'stopped':
      return { ...trouble, long: [l10n.t('Stopped; restart the language server')] };
  }
}

/** The document of the active editor, if it is in a language that we read. */
function documentInFront(): TextDocument | undefined {
  const document = window.activeTextEditor?.document;
  return languageIds.some((id) => id === document?.languageId) ? document : undefined;
}

function isOfferedIn(document: TextDocument): boolean {
  return isLanguageEnabled(readSettings(document), document.languageId);
}
