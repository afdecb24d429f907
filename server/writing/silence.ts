import type { Quiet } from '../../protocol/completion.ts';
import type { Settings } from '../../protocol/settings.ts';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { DocumentText } from '../text/documentText.ts';
import { statedSwitch } from '../text/statedSwitch.ts';
import { findFilePlace } from './filePlace.ts';
import { type PowerMachine, readIsOnBattery } from './powerSupply.ts';
import { PowerWatch } from './powerWatch.ts';
import { ExcludedFiles, quietReason } from './quiet.ts';

export interface SilenceParts {
  machine: PowerMachine;
  clock: Clock;
  logger: Logger;
  /** Told when something begins or ends that keeps suggestions from coming by themselves. */
  onChange(): void;
}

/** A document as far as it matters here. */
interface QuietDocument {
  uri: string;
  languageId: string;
  text: Pick<DocumentText, 'text' | 'format'>;
}

/** Knows why suggestions do not come by themselves, for a while, on battery or in a document. */
export class Silence {
  readonly #parts: SilenceParts;
  readonly #excluded: ExcludedFiles;
  readonly #power: PowerWatch;
  /** URIs of the folders that the client has open. */
  folders: readonly string[] = [];
  #snoozedUntil: number | null = null;
  #cancelEnd = () => {};

  constructor(parts: SilenceParts) {
    const { machine, clock, logger, onChange } = parts;
    this.#parts = parts;
    this.#excluded = new ExcludedFiles(logger);
    this.#power = new PowerWatch({
      read: (signal) => readIsOnBattery(machine, signal),
      clock,
      logger,
      onChange,
    });
  }

  /** Milliseconds since 1970; null while nothing is snoozed. */
  get snoozedUntil(): number | null {
    return this.#snoozedUntil;
  }

  /** Whether the machine runs on battery and someone wants to know. */
  get isOnBattery(): boolean {
    return this.#power.isOnBattery === true;
  }

  /** Suggests nothing unasked for so many minutes; 0 ends it. */
  snooze(minutes: number): void {
    const { clock, onChange } = this.#parts;
    this.#cancelEnd();
    const durationMs = minutes * 60_000;
    this.#snoozedUntil = minutes > 0 ? clock.now() + durationMs : null;
    this.#cancelEnd = minutes > 0 ? clock.after(durationMs, () => this.snooze(0)) : () => {};
    onChange();
  }

  /** Takes the settings that hold for the whole window. */
  useSettings({ completion }: Settings): void {
    this.#power.want(completion.pauseOnBattery);
  }

  reason({ uri, languageId, text }: QuietDocument, settings: Settings): Quiet | null {
    const { excludedFiles } = settings.completion;
    return quietReason({
      settings,
      languageId,
      isExcluded:
        excludedFiles.length > 0 &&
        this.#excluded.has(excludedFiles, findFilePlace(uri, this.folders)),
      stated: statedSwitch(text.text, text.format),
      snoozedUntil: this.#snoozedUntil,
      isOnBattery: this.#power.isOnBattery,
      now: this.#parts.clock.now(),
    });
  }

  dispose(): void {
    this.#cancelEnd();
    this.#power.dispose();
  }
}
