import {
  type ConfigurationScope,
  ConfigurationTarget,
  type LogOutputChannel,
  type TextDocument,
  type WorkspaceConfiguration,
  workspace,
} from 'vscode';
import {
  isLanguageEnabled,
  parseSettings,
  type Settings,
  settingsSection,
} from '../protocol/settings.ts';
import type { ModelChoice } from './modelChoices.ts';

/** Returns the settings that hold for a document, or those of the window. */
export function readSettings(scope?: ConfigurationScope): Settings {
  return parseSettings(workspace.getConfiguration(settingsSection, scope)).settings;
}

/** Writes to the log which settings are unusable and were replaced by their defaults. */
export function reportRefusedSettings(log: LogOutputChannel): void {
  const { refused } = parseSettings(workspace.getConfiguration(settingsSection));
  for (const line of refused) log.warn(line);
}

/** Turns the offering of sentences on or off for the language of a document, where it is set now. */
export async function toggleLanguage(document: TextDocument): Promise<void> {
  const settings = readSettings(document);
  const isEnabled = isLanguageEnabled(settings, document.languageId);
  const configuration = workspace.getConfiguration(settingsSection, document);
  await writeWhereSet(configuration, 'completion.languages', (own) => ({
    ...(typeof own === 'object' ? own : {}),
    [document.languageId]: !isEnabled,
  }));
  // The switch for all languages stands above the switch for this one.
  if (!settings.completion.enabled) {
    await writeWhereSet(configuration, 'completion.enabled', () => true);
  }
}

/** Brings a model into use, where one is set now. */
export async function writeModelChoice({ name, conceptModel }: ModelChoice): Promise<void> {
  const configuration = workspace.getConfiguration(settingsSection);
  if (conceptModel !== undefined) {
    await writeWhereSet(configuration, 'completion.conceptModel', () => conceptModel);
  }
  if (name !== undefined) await writeWhereSet(configuration, 'model.name', () => name || undefined);
}

/** Changes a setting in the workspace when it is set there, otherwise for the user. */
async function writeWhereSet(
  configuration: WorkspaceConfiguration,
  name: string,
  change: (own: unknown) => unknown,
): Promise<void> {
  const found = configuration.inspect<unknown>(name);
  const isWorkspace = found?.workspaceValue !== undefined;
  const value = change(isWorkspace ? found.workspaceValue : found?.globalValue);
  const target = isWorkspace ? ConfigurationTarget.Workspace : ConfigurationTarget.Global;
  await configuration.update(name, value, target);
}
