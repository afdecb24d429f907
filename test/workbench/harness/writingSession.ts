import { Film } from './film.ts';
import { calmSettings } from './screenshot.ts';
import { Workbench } from './workbench.ts';

/** What the writer does next: writes, or does something with what is offered. */
type Step =
  | { write: string }
  | { press: 'Tab' | 'Alt+BracketRight' | 'Alt+Comma' | 'Alt+Period' | 'Alt+Slash' | 'Control+Z' }
  | { steer: string };

const name = 'lighthouse.md';

/** A page in the writer's words and the model's: she takes what helps her on, and writes past the rest. */
const page: readonly Step[] = [
  { write: '# The lighthouse\n\nThe old lighthouse stood at the end of the island.' },
  { write: ' Nobody had lived there for many years.' },
  { write: ' One day a young woman came with her little brother.' },
  { press: 'Alt+BracketRight' },
  { press: 'Tab' },
  { write: ' They lit the lamp together.' },
  { press: 'Alt+Comma' },
  { write: ' They were not afraid of the dark.' },
  { steer: 'shorter' },
  { press: 'Tab' },
  { write: '\n\nIn the morning a boat came to the island.' },
  { press: 'Alt+Slash' },
  { press: 'Alt+Slash' },
  { press: 'Tab' },
];

/** How long a frame is looked at, in milliseconds. */
const beatMs = { word: 140, offer: 1600, taken: 900 };

/** Words of the writer's own between two frames. */
const wordsOfFrame = 3;

/** Writes a page with the extension, by keyboard, and films it. @returns the page as it was saved */
export async function filmWritingSession(path: string): Promise<string> {
  const workbench = await Workbench.open({ [name]: '' }, calmSettings);
  try {
    await workbench.page.setViewportSize({ width: 900, height: 480 });
    await workbench.press('Control+B');
    await workbench.putCaretAtEndOf(1);
    const film = new Film(workbench.page);
    let offered = '';
    for (const step of page) {
      if ('write' in step) {
        await write(workbench, film, step.write);
        offered = await workbench.ghostText();
        await film.take(beatMs.offer);
      } else if ('steer' in step) {
        await workbench.runCommand('Thoughtline: Steer Suggestions…');
        await workbench.page.locator('.quick-input-list').getByText(step.steer).first().waitFor();
        await film.take(beatMs.taken);
        await workbench.type(step.steer);
        await workbench.press('Enter');
        offered = await workbench.ghostText(offered);
        await film.take(beatMs.offer);
      } else {
        await workbench.press(step.press);
        offered = await workbench.ghostText(offered);
        await film.take(step.press === 'Tab' ? beatMs.taken : beatMs.offer);
      }
    }
    await workbench.press('Escape');
    await film.take(beatMs.offer);
    film.write(path);
    return await workbench.saveAndRead(name, 'lighthouse');
  } finally {
    await workbench.dispose();
  }
}

async function write(workbench: Workbench, film: Film, text: string): Promise<void> {
  const words = text.split(/(?<= )/);
  for (let i = 0; i < words.length; i += wordsOfFrame) {
    await workbench.type(words.slice(i, i + wordsOfFrame).join(''));
    await film.take(beatMs.word * wordsOfFrame);
  }
}
