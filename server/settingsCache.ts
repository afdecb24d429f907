import { defaultSettings, parseSettings, type Settings } from '../protocol/settings.ts';
import type { Logger } from './base/logger.ts';

/** Settings per document, asked for once and forgotten when they change. */
export class SettingsCache {
  readonly #fetch: ((uri: string | undefined) => Promise<unknown>) | null;
  readonly #logger: Logger;
  readonly #settings = new Map<string, Promise<Settings>>();

  /** @param fetch  asks the client for our section; null when the client has no configuration */
  constructor(fetch: ((uri: string | undefined) => Promise<unknown>) | null, logger: Logger) {
    this.#fetch = fetch;
    this.#logger = logger;
  }

  /** Returns the settings of a document, or those of the whole window without a document. */
  get(uri?: string): Promise<Settings> {
    const key = uri ?? '';
    const known = this.#settings.get(key);
    if (known !== undefined) return known;
    const asked = this.#ask(uri);
    this.#settings.set(key, asked);
    return asked;
  }

  /** Forgets the settings of a document that was closed. */
  forget(uri: string): void {
    this.#settings.delete(uri);
  }

  /** Forgets everything: something has changed. */
  clear(): void {
    this.#settings.clear();
  }

  async #ask(uri: string | undefined): Promise<Settings> {
    if (this.#fetch === null) return defaultSettings;
    const { settings, refused } = parseSettings(await this.#fetch(uri));
    for (const reason of refused) this.#logger.warn(`setting refused: ${reason}`);
    return settings;
  }
}
