import {
  commands,
  type Disposable,
  env,
  l10n,
  ProgressLocation,
  type QuickPickItem,
  QuickPickItemKind,
  Uri,
  window,
} from 'vscode';
import {
  type AvailableModel,
  type InstallModelParams,
  type InstallModelResult,
  installModel,
  type ListModelsResult,
  listModels,
} from '../protocol/server.ts';
import { type ModelPrecision, modelPrecisions } from '../protocol/settings.ts';
import type { ServerClient } from './client.ts';
import { choiceOf, inOrderOfInterest, isBegun, sizeOf } from './modelChoices.ts';
import { readSettings, writeModelChoice } from './settings.ts';

/** Sizes are shown for this precision until one is chosen; it is the usual one. */
const usualPrecision: ModelPrecision = 'int8';

/** `Thoughtline: Install Model…`: what can be had → consent → download and compilation → in use. */
export function registerInstallModel(client: ServerClient): Disposable {
  return commands.registerCommand('thoughtline.installModel', async () => {
    const list = await client.ask(listModels, {});
    const source = list && (await pickSource(list));
    if (list === undefined || source === undefined) return;
    const params = 'model' in source ? await askFor(source.model, list) : await askForFolder(list);
    const result = params && (await install(client, params));
    const installed = result && (await client.ask(listModels, {}))?.installed;
    if (result === undefined || installed === undefined) return;
    await writeModelChoice(choiceOf(result, installed, readSettings().model.name));
    void window.showInformationMessage(l10n.t('{0} is installed and in use.', result.name));
  });
}

interface SourceItem extends QuickPickItem {
  source?: { model: AvailableModel } | { isFolder: true };
}

async function pickSource(list: ListModelsResult): Promise<SourceItem['source']> {
  const items: SourceItem[] = [
    ...inOrderOfInterest(list).map(itemOf),
    { label: '', kind: QuickPickItemKind.Separator },
    {
      label: `$(folder-opened) ${l10n.t('From a Folder…')}`,
      detail: l10n.t('Checkpoints under their official names, or a compiled model.'),
      source: { isFolder: true },
    },
  ];
  const picked = await window.showQuickPick(items, {
    title: l10n.t('Install Model'),
    placeHolder: l10n.t('Nothing is downloaded before you accept the licence'),
    matchOnDescription: true,
    matchOnDetail: true,
  });
  return picked?.source;
}

function itemOf(model: AvailableModel): SourceItem {
  const { title, summary, languages, licence, needs, downloadBytes, fetchedBytes } = model;
  const { diskBytes, memoryBytes } = needs[usualPrecision];
  const facts = [
    ...(model.isInstalled ? [l10n.t('installed')] : []),
    ...(isBegun(model) ? [l10n.t('{0} are here already', sizeOf(fetchedBytes))] : []),
    l10n.t('{0} to download', sizeOf(downloadBytes)),
    l10n.t('{0} on disk', sizeOf(diskBytes)),
    l10n.t('{0} in memory', sizeOf(memoryBytes)),
  ];
  const along = model.alsoInstalls.map((other) => l10n.t('Brings {0} along.', other));
  return {
    label: model.isInstalled ? `$(check) ${title}` : title,
    description: facts.join(' · '),
    detail: [licence.id, languages, summary, ...along].join(' · '),
    source: { model },
  };
}

/** Asks for a precision and for the consent to the licence. */
async function askFor(
  model: AvailableModel,
  { freeBytes }: ListModelsResult,
): Promise<InstallModelParams | undefined> {
  const precision = await pickPrecision(model);
  if (precision === undefined) return undefined;
  const { diskBytes } = model.needs[precision ?? usualPrecision];
  const { licence, weightsLicence, downloadBytes } = model;
  const names = [...model.alsoInstalls, model.title].join(', ');
  const accepted = await askForConsent(
    l10n.t('Install {0} under {1}?', names, licence.id),
    licence,
    [
      licence.meaning,
      ...weightsWords(model, weightsLicence),
      l10n.t(
        'About {0} are downloaded and compiled to {1}; then the downloads are removed. {2} are free.',
        sizeOf(downloadBytes),
        sizeOf(diskBytes),
        sizeOf(freeBytes),
      ),
    ],
  );
  if (!accepted) return undefined;
  return {
    source: { kind: 'catalogue', id: model.id },
    precision,
    acceptedLicence: licence.id,
    keepsCheckpoints: false,
  };
}

/** Concept models have makers of their own, but run through SONAR. */
function weightsWords({ title, kind }: AvailableModel, weightsLicence: string | null): string[] {
  if (kind === 'model') return [];
  return [
    weightsLicence === null
      ? l10n.t('The makers of {0} state no licence for its weights that we have seen.', title)
      : l10n.t('The makers of {0} state {1} for its weights.', title, weightsLicence),
    l10n.t('It runs through SONAR, whose licence holds for its use.'),
  ];
}

async function askForFolder({
  available,
}: ListModelsResult): Promise<InstallModelParams | undefined> {
  const [folder] =
    (await window.showOpenDialog({
      canSelectFolders: true,
      canSelectFiles: false,
      openLabel: l10n.t('Install Model'),
    })) ?? [];
  const sonar = available.find(({ kind }) => kind === 'model');
  if (folder === undefined || sonar === undefined) return undefined;
  const { licence } = sonar;
  const others = l10n.t('They Are Others');
  const answer = await askForConsent(
    l10n.t('Install the files of {0}?', folder.fsPath),
    licence,
    [
      l10n.t('Files of SONAR, and models that run through it, are under {0}.', licence.id),
      licence.meaning,
    ],
    others,
  );
  if (!answer) return undefined;
  return {
    source: { kind: 'folder', folder: folder.fsPath },
    precision: null,
    acceptedLicence: answer === others ? '' : licence.id,
    keepsCheckpoints: true,
  };
}

/** @returns null for what the server finds best, undefined when the writer turns away */
async function pickPrecision(model: AvailableModel): Promise<ModelPrecision | null | undefined> {
  const describe = (precision: ModelPrecision) => {
    const { diskBytes, memoryBytes } = model.needs[precision];
    return l10n.t('{0} on disk, {1} in memory', sizeOf(diskBytes), sizeOf(memoryBytes));
  };
  const details: Record<ModelPrecision, string> = {
    int8: l10n.t('Fast on processors, hardly different from the original'),
    int4: l10n.t('Smallest; somewhat less exact'),
    fp16: l10n.t('Half the size of the original, for graphics cards'),
    fp32: l10n.t('As published: largest and slowest'),
  };
  const usual = {
    label: l10n.t('Usual'),
    description: describe(usualPrecision),
    detail: l10n.t('Each part in the precision that suits it'),
    precision: null,
  };
  const others = modelPrecisions.toReversed().map((precision) => ({
    label: precision,
    description: describe(precision),
    detail: details[precision],
    precision,
  }));
  const picked = await window.showQuickPick([usual, ...others], {
    title: l10n.t('Precision of {0}', model.title),
  });
  return picked?.precision;
}

/** Asks until the writer accepts or turns away. @returns the button, or undefined */
async function askForConsent(
  question: string,
  { url }: AvailableModel['licence'],
  lines: readonly string[],
  ...otherButtons: string[]
): Promise<string | undefined> {
  const accept = l10n.t('Accept and Install');
  const read = l10n.t('Read the Licence');
  const options = { modal: true, detail: lines.join('\n\n') };
  for (;;) {
    const buttons = [accept, read, ...otherButtons];
    const answer = await window.showWarningMessage(question, options, ...buttons);
    if (answer !== read) return answer;
    await env.openExternal(Uri.parse(url));
  }
}

/** Installs with progress. @returns undefined when it was cancelled, or failed and the writer knows */
async function install(
  client: ServerClient,
  params: InstallModelParams,
): Promise<InstallModelResult | undefined> {
  const options = {
    location: ProgressLocation.Notification,
    title: l10n.t('Installing model'),
    cancellable: true,
  };
  return window.withProgress(options, (progress, cancellation) => {
    let shown = 0;
    return client.ask(installModel, params, {
      cancellation,
      onProgress: ({ message, percentage = shown }) => {
        progress.report({ increment: percentage - shown, ...(message ? { message } : {}) });
        shown = percentage;
      },
    });
  });
}
