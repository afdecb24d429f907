import { writeFileSync } from 'node:fs';
import { applyPalette, GIFEncoder, quantize } from 'gifenc';
import type { Page } from 'playwright-core';
import { PNG } from 'pngjs';

/** Editors show few colours; more would only blur the difference between two frames. */
const maxColours = 64;

/** A film of what is on screen, frame by frame, that a README can show. */
export class Film {
  readonly #page: Page;
  readonly #frames: { png: Buffer; durationMs: number }[] = [];

  constructor(page: Page) {
    this.#page = page;
  }

  /** Takes a picture of the screen. @param durationMs  how long it is looked at */
  async take(durationMs: number): Promise<void> {
    this.#frames.push({ png: await this.#page.screenshot(), durationMs });
  }

  /** Writes all frames as an animated GIF, in the colours of the last one. */
  write(path: string): void {
    const pictures = this.#frames.map(({ png }) => PNG.sync.read(png));
    const last = pictures.at(-1);
    if (last === undefined) throw new Error('film: expected frames, found none');
    const palette = quantize(last.data, maxColours);
    const gif = GIFEncoder();
    for (const [i, { width, height, data }] of pictures.entries()) {
      const delay = this.#frames[i]?.durationMs ?? 0;
      gif.writeFrame(applyPalette(data, palette), width, height, {
        delay,
        ...(i === 0 && { palette }),
      });
    }
    gif.finish();
    writeFileSync(path, gif.bytes());
  }
}
