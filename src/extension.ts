import { commands, type ExtensionContext, window, workspace } from 'vscode';
import { suggestionsReady } from '../protocol/completion.ts';
import { settingsSection } from '../protocol/settings.ts';
import { registerAccepting } from './accepting.ts';
import { registerChooseConceptModel } from './chooseConceptModel.ts';
import { registerChooseModel } from './chooseModel.ts';
import { ServerClient } from './client.ts';
import { GhostText } from './ghostText.ts';
import { registerInstallModel } from './installModel.ts';
import { LanguageCommands } from './languages.ts';
import { ModelStatusItem } from './modelStatus.ts';
import { Notifier } from './notify.ts';
import { reportRefusedSettings } from './settings.ts';

/** Builds the parts, hands them to each other and registers them. The server starts meanwhile. */
export function activate(context: ExtensionContext): void {
  const log = window.createOutputChannel('Thoughtline', { log: true });
  const notifier = new Notifier();
  const ghostText = new GhostText();
  const status = new ModelStatusItem(() => languages.describeCaret());
  const client = new ServerClient(context, log, notifier, {
    provideInlineCompletionItems: ghostText.provideItems,
  });
  const languages = new LanguageCommands(client);
  client.onNotification(suggestionsReady, ghostText.showReady);

  context.subscriptions.push(
    ghostText,
    status,
    languages,
    client,
    registerAccepting(ghostText),
    registerInstallModel(client),
    registerChooseModel(client),
    registerChooseConceptModel(client),
    client.onDidChangeHealth((health) => {
      status.update(health);
      ghostText.noticeReadiness(health.state === 'ready');
    }),
    commands.registerCommand('thoughtline.restartServer', () => client.restart()),
    commands.registerCommand('thoughtline.showLog', () => log.show()),
    workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration(settingsSection)) reportRefusedSettings(log);
    }),
    // Last, because the others still write to it when they go.
    log,
  );

  reportRefusedSettings(log);
  client.start();
}
