import type { Quiet } from '../../protocol/completion.ts';
import { isLanguageEnabled, type Settings } from '../../protocol/settings.ts';
import type { Logger } from '../base/logger.ts';
import type { StatedSwitch } from '../text/statedSwitch.ts';
import type { FilePlace } from './filePlace.ts';
import { type Glob, GlobSyntaxError, matchesGlob, parseGlob } from './glob.ts';

/** What decides whether sentences come by themselves. */
export interface QuietFacts {
  settings: Settings;
  languageId: string;
  /** Whether the setting excludes the file. */
  isExcluded: boolean;
  /** What the document says itself. */
  stated: StatedSwitch | null;
  /** As `now`; null while nothing is snoozed. */
  snoozedUntil: number | null;
  /** null where the machine does not tell. */
  isOnBattery: boolean | null;
  /** Milliseconds since 1970. */
  now: number;
}

/**
 * Returns why sentences come only when they are asked for; null when they come by themselves.
 * A document stands above the settings of its kind, but not above the switch of all. What lasts is
 * told before what passes.
 */
export function quietReason(facts: QuietFacts): Quiet | null {
  const { settings, stated } = facts;
  const { enabled, mode, pauseOnBattery } = settings.completion;
  if (!enabled || stated === 'off') return 'off';
  const isWanted = isLanguageEnabled(settings, facts.languageId) && !facts.isExcluded;
  if (!isWanted && stated === null) return 'off';
  if (stated === 'manual' || (mode === 'manual' && stated !== 'on')) return 'manual';
  if (facts.snoozedUntil !== null && facts.now < facts.snoozedUntil) return 'snoozed';
  return pauseOnBattery && facts.isOnBattery === true ? 'battery' : null;
}

/** Tokens of all patterns of a setting: with a path as long as Linux has, matched in 50 ms. */
const maxSize = 1 << 13;

/** As Linux has it; longer paths are of no file. */
const maxPathLength = 4096;

/** The files that the setting `completion.excludedFiles` names. Each list is read once. */
export class ExcludedFiles {
  readonly #logger: Logger;
  /** By the list itself: settings are objects that are replaced when they change. */
  readonly #globs = new WeakMap<readonly string[], readonly PlaceGlob[]>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** @param place  null for a document without a file: no pattern is for it */
  has(patterns: readonly string[], place: FilePlace | null): boolean {
    if (place === null || place.path.length > maxPathLength) return false;
    let globs = this.#globs.get(patterns);
    if (globs === undefined) {
      globs = this.#read(patterns);
      this.#globs.set(patterns, globs);
    }
    const { path, relativePath } = place;
    const name = path.slice(path.lastIndexOf('/') + 1);
    return globs.some(({ glob, isName }) => {
      if (isName) return matchesGlob(glob, name);
      return matchesGlob(glob, path) || (relativePath !== null && matchesGlob(glob, relativePath));
    });
  }

  #read(patterns: readonly string[]): PlaceGlob[] {
    let size = 0;
    return patterns.flatMap((pattern, index) => {
      try {
        const glob = parseGlob(pattern);
        if (size + glob.size > maxSize) throw new GlobSyntaxError('expected fewer or shorter ones');
        size += glob.size;
        return [{ glob, isName: !/[/\\]/.test(pattern) }];
      } catch (error) {
        if (!(error instanceof GlobSyntaxError)) throw error;
        this.#logger.warn(
          `setting refused: thoughtline.completion.excludedFiles.${index}: ${error.message}`,
        );
        return [];
      }
    });
  }
}

/** A pattern without a slash is for the name of a file, wherever it lies. */
interface PlaceGlob {
  glob: Glob;
  isName: boolean;
}
