/** Where progress goes; the library's reporter is one. */
export interface Reporter {
  begin(title: string, percentage: number, message: string): void;
  report(percentage: number, message: string): void;
  done(): void;
}

/** Work-done progress in the editor, from the first report to `done`. */
export class ProgressReport {
  readonly #open: (() => Promise<Reporter>) | null;
  #reporter: Promise<Reporter> | null = null;
  #shown = '';

  /** @param open  null when the client shows no progress */
  constructor(open: (() => Promise<Reporter>) | null) {
    this.#open = open;
  }

  /** @param fraction  0 to 1 */
  show(fraction: number, label: string): void {
    if (this.#open === null) return;
    const percentage = Math.floor(fraction * 100);
    // A download tells of every chunk.
    if (this.#shown === `${percentage} ${label}`) return;
    this.#shown = `${percentage} ${label}`;
    this.#reporter ??= this.#open().then((reporter) => {
      reporter.begin('Thoughtline', 0, label);
      return reporter;
    });
    void this.#reporter.then((reporter) => reporter.report(percentage, label));
  }

  done(): void {
    void this.#reporter?.then((reporter) => reporter.done());
    this.#reporter = null;
    this.#shown = '';
  }
}
