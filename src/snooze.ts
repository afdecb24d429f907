import { commands, type Disposable, l10n, window } from 'vscode';
import { type SnoozeParams, serverCommands } from '../protocol/completion.ts';
import type { ServerClient } from './client.ts';
import type { CompletionStatus } from './completionStatus.ts';

const durations = [5, 10, 15, 30, 60];

/** `Thoughtline: Snooze…`, which while it is snoozed ends that. */
export function registerSnooze(client: ServerClient, status: CompletionStatus): Disposable {
  return commands.registerCommand('thoughtline.snooze', async () => {
    const minutes = status.snoozedUntil === null ? await pickMinutes() : 0;
    if (minutes === undefined) return;
    const params: SnoozeParams = { minutes };
    await client.run(serverCommands.snooze, params);
  });
}

async function pickMinutes(): Promise<number | undefined> {
  const items = durations.map((minutes) => ({
    label: `$(bell-slash) ${l10n.t('{0} minutes', minutes)}`,
    minutes,
  }));
  const picked = await window.showQuickPick(items, {
    title: l10n.t('Snooze Suggestions'),
    placeHolder: l10n.t('Nothing is suggested meanwhile, unless you ask for it'),
  });
  return picked?.minutes;
}
