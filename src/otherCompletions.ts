/** An extension that shows ghost text of its own. */
export interface OtherCompletion {
  /** Of the extension, as the marketplace has it. */
  id: string;
  name: string;
  /** Its setting that says where it completes: true or false, or one of these by language. */
  setting?: string;
}

/** Extensions whose ghost text appears in prose unless it is switched off there. */
export const otherCompletions: readonly OtherCompletion[] = [
  { id: 'GitHub.copilot', name: 'GitHub Copilot', setting: 'github.copilot.enable' },
  { id: 'GitHub.copilot-chat', name: 'GitHub Copilot', setting: 'github.copilot.enable' },
  { id: 'TabbyML.vscode-tabby', name: 'Tabby' },
  { id: 'Continue.continue', name: 'Continue', setting: 'continue.enableTabAutocomplete' },
  { id: 'Codeium.codeium', name: 'Windsurf', setting: 'codeium.enableConfig' },
  { id: 'Supermaven.supermaven', name: 'Supermaven' },
  { id: 'ggml-org.llama-vscode', name: 'llama.vscode', setting: 'llama-vscode.languageSettings' },
  { id: 'TabNine.tabnine-vscode', name: 'Tabnine' },
  { id: 'sourcegraph.cody-ai', name: 'Cody' },
  { id: 'AmazonWebServices.amazon-q-vscode', name: 'Amazon Q' },
  { id: 'Google.geminicodeassist', name: 'Gemini Code Assist' },
];

/** Tells what such a setting says of a language; its `*` stands for all that are not named. */
export function isEnabledFor(setting: unknown, languageId: string): boolean {
  if (typeof setting !== 'object' || setting === null) return setting !== false;
  const byLanguage = new Map<string, unknown>(Object.entries(setting));
  return (byLanguage.get(languageId) ?? byLanguage.get('*') ?? true) !== false;
}
