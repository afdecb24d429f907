import { Film } from './film.ts';
import { calmSettings } from './screenshot.ts';
import { Workbench } from './workbench.ts';

/** What the writer does next: writes, or does something with what is offered. */
type Step =
  | { write: string }
  | { press: 'Tab' | 'Alt+BracketRight' | 'Alt+BracketLeft' | 'Alt+Comma' | 'Alt+Slash' }
  | { steer: string };

const name = 'rain.md';

/** A page in the writer's words and the model's: she takes what helps her on, and writes past the rest. */
const page: readonly Step[] = [
  { write: '# Rain\n\nIt had rained for three days.' },
  { write: ' Tom sat at the window and looked at the street.' },
  { press: 'Alt+BracketRight' },
  { press: 'Alt+BracketLeft' },
  { press: 'Alt+Comma' },
  { write: ' as he did every evening, into the kitchen.' },
  { steer: 'shorter' },
  { press: 'Tab' },
  { write: '\n\nHis mother came into the room.' },
  { press: 'Alt+Slash' },
  { press: 'Alt+Slash' },
  { write: ' She had brought his boots.' },
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
    let whole = '';
    for (const step of page) {
      if ('write' in step) {
        await write(workbench, film, step.write);
        offered = await workbench.ghostText();
        whole = offered;
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
        // A clause is taken word by word: what is left of the sentence begins behind its comma.
        offered = await workbench.ghostText(offered);
        while (step.press === 'Alt+Comma' && !whole.includes(`,${offered}`)) {
          offered = await workbench.ghostText(offered);
        }
        if (step.press !== 'Alt+Comma') whole = offered;
        await film.take(step.press === 'Tab' ? beatMs.taken : beatMs.offer);
      }
    }
    await workbench.press('Escape');
    await film.take(beatMs.offer);
    film.write(path);
    return await workbench.saveAndRead(name, 'Rain');
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
