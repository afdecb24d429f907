import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Workbench } from '../harness/workbench.ts';

let workbench: Workbench;
before(async () => {
  workbench = await Workbench.open({ 'story.md': 'The storm had passed.\n' });
});
after(async () => workbench?.dispose());

test('what can be installed is listed with sizes, languages and licence; consent names it', async () => {
  const { page } = workbench;
  await workbench.runCommand('Thoughtline: Install Model…');
  const rows = page.locator('.quick-input-list .monaco-list-row');
  const sonar = rows.filter({ hasText: 'SONAR' }).first();
  await sonar.waitFor();
  const facts = (await sonar.getAttribute('aria-label')) ?? '';
  assert.match(facts, /GB to download/);
  assert.match(facts, /GB on disk/);
  assert.match(facts, /202 languages/);
  assert.match(facts, /CC-BY-NC-4\.0/);
  await sonar.click();
  await rows.filter({ hasText: 'Usual' }).first().click();
  const dialog = page.getByRole('dialog').filter({ hasText: 'CC-BY-NC-4.0' });
  await dialog.getByRole('button', { name: 'Accept and Install' }).waitFor();
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await dialog.waitFor({ state: 'hidden' });
});

test('the models of this machine are listed, with the one in use marked', async () => {
  await workbench.runCommand('Thoughtline: Choose Model…');
  const rows = workbench.page.locator('.quick-input-list .monaco-list-row');
  const builtIn = rows.filter({ hasText: 'thoughtline-1' }).first();
  await builtIn.waitFor();
  assert.match((await builtIn.getAttribute('aria-label')) ?? '', /in use/);
  await workbench.press('Escape');
});
