import { commands, type Disposable, env, l10n, window } from 'vscode';
import { serverCommands } from '../protocol/completion.ts';
import type { ServerClient } from './client.ts';
import type { GhostText } from './ghostText.ts';
import { nameOfLanguage } from './languageNames.ts';
import { proseEditor } from './proseEditor.ts';

const messageMs = 3000;

/** `Thoughtline: Suggest in Another Language`: the same thought, in the next one. */
export function registerCycleLanguage(client: ServerClient, ghostText: GhostText): Disposable {
  return commands.registerCommand('thoughtline.cycleLanguage', async () => {
    const editor = proseEditor();
    if (editor === undefined) return;
    const uri = editor.document.uri.toString();
    const answer = await client.run<{ target: string | null }>(serverCommands.cycleTarget, { uri });
    if (answer === undefined) return;
    const { target } = answer;
    const words =
      target === null
        ? l10n.t('Suggestions in the language of the paragraph')
        : l10n.t('Suggestions in {0}', nameOfLanguage(target, env.language));
    window.setStatusBarMessage(words, messageMs);
    await ghostText.renew();
  });
}
