import {
  commands,
  type Disposable,
  env,
  l10n,
  MarkdownString,
  StatusBarAlignment,
  type StatusBarItem,
  type TextDocument,
  ThemeColor,
  window,
  workspace,
} from 'vscode';
import { isLanguageEnabled, settingsSection } from '../protocol/settings.ts';
import type { Health } from './client.ts';
import type { CompletionStatus } from './completionStatus.ts';
import { describeHealth } from './healthWords.ts';
import { nameOfLanguage } from './languageNames.ts';
import { openMenu } from './menu.ts';
import { proseEditor } from './proseEditor.ts';
import { readSettings, toggleLanguage } from './settings.ts';
import { describeSteering } from './steering.ts';

/** Commands that the tooltip links to. */
const linked = [
  'thoughtline.explainSuggestion',
  'thoughtline.steer',
  'thoughtline.clearSteering',
  'thoughtline.snooze',
  'thoughtline.statistics.focus',
] as const;

/** The status bar item: the health of the model, and what the writer has set for now. */
export class ModelStatusItem implements Disposable {
  readonly #item: StatusBarItem;
  readonly #subscriptions: Disposable[];
  readonly #status: CompletionStatus;
  readonly #describeLanguage: () => Promise<string | undefined>;
  #health: Health = { state: 'starting' };

  /** @param describeLanguage  says in which language the paragraph at the caret is */
  constructor(status: CompletionStatus, describeLanguage: () => Promise<string | undefined>) {
    this.#status = status;
    this.#describeLanguage = describeLanguage;
    this.#item = window.createStatusBarItem('thoughtline.status', StatusBarAlignment.Right, 100);
    this.#item.name = 'Thoughtline';
    this.#item.command = 'thoughtline.openMenu';
    this.#subscriptions = [
      this.#item,
      status.onDidChange(() => this.#draw()),
      window.onDidChangeActiveTextEditor(() => this.#draw()),
      // Also when a document changes its language.
      workspace.onDidOpenTextDocument(() => this.#draw()),
      workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration(settingsSection)) this.#draw();
      }),
      commands.registerCommand('thoughtline.openMenu', () => this.#openMenu()),
      commands.registerCommand('thoughtline.toggleLanguage', async () => {
        const document = proseEditor()?.document;
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
    const document = proseEditor()?.document;
    // Elsewhere than in prose the item would be noise.
    if (window.activeTextEditor !== undefined && document === undefined) {
      this.#item.hide();
      return;
    }
    const { icon, short, long, isTrouble } = describeHealth(this.#health);
    const quiet = document && this.#quiet(document);
    const set = document === undefined ? [] : this.#settings(document);
    const reduced = this.#status.reduced;
    const lines = [
      ...(quiet === undefined ? [] : [quiet.words]),
      ...set.map(({ long }) => long),
      ...long,
      ...(reduced === null
        ? []
        : [
            l10n.t(
              'This machine is slow: {0} steps and {1} candidates',
              reduced.steps,
              reduced.candidates,
            ),
          ]),
    ];
    const shown = set.length === 0 ? short : set.map(({ short }) => short).join(' · ');
    this.#item.text = `$(${quiet?.icon ?? icon}) ${shown}`;
    this.#item.tooltip = this.#tooltip(lines);
    this.#item.accessibilityInformation = { label: ['Thoughtline', ...lines].join(', ') };
    this.#item.backgroundColor = isTrouble
      ? new ThemeColor('statusBarItem.warningBackground')
      : undefined;
    this.#item.show();
  }

  /** Why nothing is offered unasked; undefined where it is. */
  #quiet(document: TextDocument): { icon: string; words: string } | undefined {
    switch (this.#status.of(document.uri).quiet) {
      case 'off':
        return { icon: 'circle-slash', words: l10n.t('Off in this document') };
      case 'manual':
        return { icon: 'debug-pause', words: l10n.t('Only when asked') };
      case 'snoozed':
        return { icon: 'bell-slash', words: l10n.t('Snoozed until {0}', this.#endOfSnooze()) };
      case 'battery':
        return { icon: 'plug', words: l10n.t('Only when asked, on battery') };
      case null:
        return undefined;
    }
  }

  #endOfSnooze(): string {
    const options = { hour: '2-digit', minute: '2-digit' } as const;
    return new Date(this.#status.snoozedUntil ?? 0).toLocaleTimeString(env.language, options);
  }

  /** What the writer has set about a document. */
  #settings(document: TextDocument): { short: string; long: string }[] {
    const { steering, target } = this.#status.of(document.uri);
    const language = target === null ? '' : nameOfLanguage(target, env.language);
    const bent = steering === null ? '' : describeSteering(steering);
    return [
      ...(steering === null ? [] : [{ short: bent, long: l10n.t('Steered {0}', bent) }]),
      ...(target === null
        ? []
        : [{ short: language, long: l10n.t('Suggestions in {0}', language) }]),
    ];
  }

  #tooltip(lines: readonly string[]): MarkdownString {
    const tooltip = new MarkdownString('', true);
    tooltip.isTrusted = { enabledCommands: linked };
    tooltip.appendMarkdown('**Thoughtline**\n\n');
    for (const line of lines) tooltip.appendText(line).appendMarkdown('  \n');
    const editor = proseEditor();
    if (editor === undefined) return tooltip;
    const isSteered = this.#status.of(editor.document.uri).steering !== null;
    const links = [
      link(l10n.t('Why this suggestion?'), 'thoughtline.explainSuggestion'),
      link(l10n.t('Steer…'), 'thoughtline.steer'),
      ...(isSteered ? [link(l10n.t('Clear steering'), 'thoughtline.clearSteering')] : []),
      this.#status.snoozedUntil === null
        ? link(l10n.t('Snooze…'), 'thoughtline.snooze')
        : link(l10n.t('End snooze'), 'thoughtline.snooze'),
      link(l10n.t('Statistics'), 'thoughtline.statistics.focus'),
    ];
    return tooltip.appendMarkdown(`\n\n${links.join(' · ')}`);
  }

  async #openMenu(): Promise<void> {
    const document = proseEditor()?.document;
    const health = this.#health;
    // The menu opens whatever the server says; the client has told why it failed.
    const language =
      health.state === 'ready' ? await this.#describeLanguage().catch(() => undefined) : undefined;
    const steering = document && this.#status.of(document.uri).steering;
    await openMenu(document, {
      state: describeHealth(health).long.join(', '),
      language,
      conceptModel: health.state === 'ready' ? health.conceptModel : '',
      isOffered: document !== undefined && isOfferedIn(document),
      isSnoozed: this.#status.snoozedUntil !== null,
      steering: steering ? describeSteering(steering) : undefined,
    });
  }
}

function link(words: string, command: (typeof linked)[number]): string {
  return `[${words}](command:${command})`;
}

function isOfferedIn(document: TextDocument): boolean {
  return isLanguageEnabled(readSettings(document), document.languageId);
}
