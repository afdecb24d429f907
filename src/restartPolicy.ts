const maxRestarts = 4;
const windowMs = 3 * 60 * 1000;

/** Decides whether a server that went away comes back by itself: at most 4 times in 3 minutes. */
export class RestartPolicy {
  #restartsMs: number[] = [];

  /**
   * Tells whether to restart now, and counts it if so.
   *
   * @param nowMs  milliseconds of any clock that does not go back
   */
  mayRestart(nowMs: number): boolean {
    this.#restartsMs = this.#restartsMs.filter((restartMs) => nowMs - restartMs < windowMs);
    if (this.#restartsMs.length >= maxRestarts) return false;
    this.#restartsMs.push(nowMs);
    return true;
  }

  /** Starts counting afresh, as after a restart that the writer asked for. */
  reset(): void {
    this.#restartsMs = [];
  }
}
