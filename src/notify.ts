import { commands, l10n, window } from 'vscode';
import type { ErrorCode } from '../protocol/errors.ts';

/** Something went wrong that the writer may want to know: an error of the server, or its end. */
export type Trouble = ErrorCode | 'serverStopped';

/** Turns troubles into words and remedies. What has been said is not repeated until it is over. */
export class Notifier {
  readonly #said = new Set<Trouble>();

  report(trouble: Trouble): void {
    const words = wordsFor(trouble);
    if (words === undefined || this.#said.has(trouble)) return;
    this.#said.add(trouble);
    void show(words);
  }

  /** Everything works again, or the writer has asked for another try: what comes next is news. */
  forget(): void {
    this.#said.clear();
  }
}

interface Words {
  message: string;
  remedies: Remedy[];
}

interface Remedy {
  /** Label of the button. */
  title: string;
  command: string;
  argument?: string;
}

/** Returns what to say; undefined when the log is enough, because the writer can do nothing. */
function wordsFor(trouble: Trouble): Words | undefined {
  const restart = { title: l10n.t('Restart'), command: 'thoughtline.restartServer' };
  const tryAgain = { ...restart, title: l10n.t('Try Again') };
  const showLog = { title: l10n.t('Show Log'), command: 'thoughtline.showLog' };
  const chooseModel = {
    title: l10n.t('Choose Another Model'),
    command: 'thoughtline.chooseModel',
  };
  const install = { title: l10n.t('Install Model…'), command: 'thoughtline.installModel' };
  // What was begun is on top of the list, and goes on from where it stopped.
  const installAgain = { ...install, title: l10n.t('Try Again') };
  const mirrorSettings = {
    title: l10n.t('Set a Mirror'),
    command: 'workbench.action.openSettings',
    argument: 'thoughtline.model.mirror',
  };
  const proxySettings = {
    title: l10n.t('Proxy Settings'),
    command: 'workbench.action.openSettings',
    argument: 'http.proxy',
  };
  switch (trouble) {
    case 'modelMissing':
      return {
        message: l10n.t('Thoughtline does not find the model that is set.'),
        remedies: [install, chooseModel, showLog],
      };
    case 'modelCorrupt':
      return {
        message: l10n.t('The files of the Thoughtline model are damaged.'),
        remedies: [tryAgain, install, chooseModel],
      };
    case 'modelUnsupported':
      return {
        message: l10n.t('Thoughtline cannot run this kind of model.'),
        remedies: [chooseModel, showLog],
      };
    case 'downloadOffline':
      return {
        message: l10n.t(
          'The host of the model cannot be reached. Look whether this machine is online, or behind a proxy that the setting http.proxy must name.',
        ),
        remedies: [installAgain, showLog],
      };
    case 'downloadProxy':
      return {
        message: l10n.t(
          'The proxy did not let the download through. The setting http.proxy may hold its address with name and password, as in http://name:password@host:port.',
        ),
        remedies: [proxySettings, installAgain, showLog],
      };
    case 'downloadUntrusted':
      return {
        message: l10n.t(
          'The host of the model, or something between, shows a certificate that this machine does not trust. Nothing was downloaded from it.',
        ),
        remedies: [installAgain, showLog],
      };
    case 'downloadForbidden':
      return {
        message: l10n.t(
          'The host of the model wants an account or refuses. Get the files with your browser, then install them from a folder.',
        ),
        remedies: [installAgain, showLog],
      };
    case 'downloadNotFound':
      return {
        message: l10n.t(
          'The model is not at its address any more. A mirror can be set, or files from elsewhere installed from a folder.',
        ),
        remedies: [mirrorSettings, showLog],
      };
    case 'downloadCorrupt':
      return {
        message: l10n.t(
          'What came is not the file that was asked for, and it was removed. Another attempt begins anew.',
        ),
        remedies: [installAgain, showLog],
      };
    case 'downloadFailed':
      return {
        message: l10n.t(
          'The model could not be downloaded. What has come so far is kept, and another attempt goes on from there.',
        ),
        remedies: [installAgain, showLog],
      };
    case 'notEnoughSpace':
      return {
        message: l10n.t(
          'There is not enough free space on the disk for the model. The log says how much it needs.',
        ),
        remedies: [installAgain, showLog],
      };
    case 'inferenceFailed':
      return {
        message: l10n.t('The Thoughtline model failed while it ran.'),
        remedies: [restart, showLog],
      };
    case 'notEnoughMemory':
      return {
        message: l10n.t('There is not enough memory for the Thoughtline model.'),
        remedies: [chooseModel, tryAgain, showLog],
      };
    case 'internal':
      return {
        message: l10n.t('Thoughtline made a mistake of its own.'),
        remedies: [restart, showLog],
      };
    case 'invalidRequest':
      return undefined;
    case 'serverStopped':
      return {
        message: l10n.t('Thoughtline stopped several times and was not started again.'),
        remedies: [restart, showLog],
      };
  }
}

async function show({ message, remedies }: Words): Promise<void> {
  const chosen = await window.showWarningMessage(message, ...remedies);
  if (chosen === undefined) return;
  const { command, argument } = chosen;
  await (argument === undefined
    ? commands.executeCommand(command)
    : commands.executeCommand(command, argument));
}
