import { commands, type ExtensionContext, window, workspace } from 'vscode';
import { suggestionsReady } from '../protocol/completion.ts';
import { settingsSection } from '../protocol/settings.ts';
import { registerAccepting } from './accepting.ts';
import { registerChooseConceptModel } from './chooseConceptModel.ts';
import { registerChooseModel } from './chooseModel.ts';
import { ServerClient } from './client.ts';
import { registerCompetition } from './competition.ts';
import { CompletionStatus } from './completionStatus.ts';
import { registerCycleLanguage } from './cycleLanguage.ts';
import { registerExplain } from './explain.ts';
import { GhostText } from './ghostText.ts';
import { registerInstallModel } from './installModel.ts';
import { LanguageCommands } from './languages.ts';
import { ModelStatusItem } from './modelStatus.ts';
import { Notifier } from './notify.ts';
import { registerRewriting, rewritingMiddleware } from './rewriting.ts';
import { reportRefusedSettings } from './settings.ts';
import { registerSnooze } from './snooze.ts';
import { StatisticsView } from './statisticsView.ts';
import { registerSteering } from './steering.ts';

/** Builds the parts, hands them to each other and registers them. The server starts meanwhile. */
export function activate(context: ExtensionContext): void {
  const log = window.createOutputChannel('Thoughtline', { log: true });
  const notifier = new Notifier();
  const ghostText = new GhostText();
  const client = new ServerClient(context, log, notifier, {
    provideInlineCompletionItems: ghostText.provideItems,
    ...rewritingMiddleware,
  });
  const languages = new LanguageCommands(client);
  const completionStatus = new CompletionStatus(client);
  const status = new ModelStatusItem(completionStatus, () => languages.describeCaret());
  client.onNotification(suggestionsReady, ghostText.showReady);

  context.subscriptions.push(
    ghostText,
    completionStatus,
    status,
    languages,
    client,
    registerAccepting(ghostText),
    registerSteering(client, completionStatus, ghostText),
    registerCycleLanguage(client, ghostText),
    registerSnooze(client, completionStatus),
    registerExplain(client, ghostText),
    registerRewriting(client),
    registerCompetition(context.globalState),
    new StatisticsView(client),
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
