import {
  commands,
  type Disposable,
  EventEmitter,
  env,
  l10n,
  type TreeDataProvider,
  TreeItem,
  type TreeView,
  window,
} from 'vscode';
import { type Statistics, serverCommands } from '../protocol/completion.ts';
import type { ServerClient } from './client.ts';

/** Between a change and its counts, so that a burst of changes asks once. */
const refreshDelayMs = 500;

/** What became of the suggestions: counts on this machine, which the writer can read and clear. */
export class StatisticsView implements Disposable {
  readonly #client: ServerClient;
  readonly #changed = new EventEmitter<void>();
  readonly #view: TreeView<Row>;
  readonly #subscriptions: Disposable[];
  #isReady = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(client: ServerClient) {
    this.#client = client;
    const provider: TreeDataProvider<Row> = {
      onDidChangeTreeData: this.#changed.event,
      getChildren: (row) => (row === undefined ? this.#read() : []),
      getTreeItem: treeItem,
    };
    this.#view = window.createTreeView('thoughtline.statistics', { treeDataProvider: provider });
    this.#subscriptions = [
      this.#changed,
      this.#view,
      this.#view.onDidChangeVisibility(({ visible }) => visible && this.#changed.fire()),
      // The server tells of itself after every answer.
      client.onDidChangeHealth(({ state }) => {
        this.#isReady = state === 'ready';
        this.#refreshSoon();
      }),
      window.onDidChangeWindowState(({ focused }) => focused && this.#refreshSoon()),
      commands.registerCommand('thoughtline.refreshStatistics', () => this.#changed.fire()),
      commands.registerCommand('thoughtline.clearStatistics', () => this.#clear()),
    ];
  }

  dispose(): void {
    clearTimeout(this.#timer);
    for (const subscription of this.#subscriptions) subscription.dispose();
  }

  #refreshSoon(): void {
    if (!this.#view.visible) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#changed.fire();
    }, refreshDelayMs);
  }

  /** No rows show the view's own words for emptiness. */
  async #read(): Promise<Row[]> {
    if (!this.#isReady) return [];
    const statistics = await this.#client.run<Statistics>(serverCommands.statistics);
    return statistics === undefined || statistics.shown === 0 ? [] : rowsOf(statistics);
  }

  async #clear(): Promise<void> {
    const clear = l10n.t('Clear');
    const answer = await window.showWarningMessage(
      l10n.t('Clear the statistics of suggestions?'),
      { modal: true, detail: l10n.t('They count from zero again.') },
      clear,
    );
    if (answer !== clear) return;
    await this.#client.run(serverCommands.clearStatistics);
    this.#changed.fire();
  }
}

interface Row {
  label: string;
  value: string;
  tooltip?: string;
}

function rowsOf(statistics: Statistics): Row[] {
  const { since, shown, accepted, acceptedPartly, typed, kept, rejected, ready } = statistics;
  return [
    { label: l10n.t('Shown'), value: String(shown) },
    { label: l10n.t('Accepted'), value: withShare(accepted, shown) },
    { label: l10n.t('Accepted in part'), value: withShare(acceptedPartly, shown) },
    {
      label: l10n.t('Typed'),
      value: withShare(typed, shown),
      tooltip: l10n.t('You typed what was shown'),
    },
    {
      label: l10n.t('Kept'),
      value: withShare(kept, accepted),
      tooltip: l10n.t('Still in the text 30 seconds after it was accepted'),
    },
    { label: l10n.t('Rejected'), value: withShare(rejected, shown) },
    {
      label: l10n.t('Ready in time'),
      value: withShare(ready, shown),
      tooltip: l10n.t('Ready before your pause ended'),
    },
    { label: l10n.t('Since'), value: new Date(since).toLocaleString(env.language) },
  ];
}

/** A count and its share of another, which may be 0. */
function withShare(count: number, of: number): string {
  return of === 0 ? String(count) : `${count} · ${Math.round((100 * count) / of)} %`;
}

function treeItem({ label, value, tooltip }: Row): TreeItem {
  const item = new TreeItem(label);
  item.description = value;
  if (tooltip !== undefined) item.tooltip = tooltip;
  item.accessibilityInformation = { label: `${label}: ${value}` };
  return item;
}
