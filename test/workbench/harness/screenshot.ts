import { readFileSync } from 'node:fs';
import { Workbench } from './workbench.ts';

/** What a reader's eyes need not see. */
export const calmSettings = {
  'breadcrumbs.enabled': false,
  'editor.fontSize': 16,
  'editor.scrollBeyondLastLine': false,
  'editor.stickyScroll.enabled': false,
  'window.commandCenter': false,
  'workbench.activityBar.location': 'hidden',
  'workbench.layoutControl.enabled': false,
};

/**
 * Takes the README's pictures: ghost text at the end of the sample document, and the list of
 * models that can be installed.
 *
 * @returns the sentence that is offered in the first
 */
export async function takeScreenshots(files: {
  ghostText: string;
  installModel: string;
}): Promise<string> {
  const text = readFileSync('samples/harbour.md', 'utf8').trimEnd();
  const workbench = await Workbench.open({ 'harbour.md': text }, calmSettings);
  try {
    await workbench.page.setViewportSize({ width: 1200, height: 752 });
    await workbench.press('Control+B');
    await workbench.putCaretAtEndOf(text.split('\n').length);
    await workbench.type(' Every night she lit the lamp.');
    const offered = await workbench.ghostText();
    await workbench.page.screenshot({ path: files.ghostText });
    await workbench.press('Escape');
    await workbench.runCommand('Thoughtline: Install Model…');
    await workbench.page.locator('.quick-input-list').getByText('Mimir').first().waitFor();
    await workbench.page.screenshot({ path: files.installModel });
    return offered;
  } finally {
    await workbench.dispose();
  }
}
