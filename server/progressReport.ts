import type { Connection, WorkDoneProgressServerReporter } from 'vscode-languageserver/node';

/** Work-done progress in the editor, from the first report to `done`. */
export class ProgressReport {
  readonly #connection: Connection | null;
  #reporter: Promise<WorkDoneProgressServerReporter> | null = null;

  /** @param connection  null when the client shows no progress */
  constructor(connection: Connection | null) {
    this.#connection = connection;
  }

  /** @param fraction  0 to 1 */
  show(fraction: number, label: string): void {
    if (this.#connection === null) return;
    const percentage = Math.round(fraction * 100);
    this.#reporter ??= this.#connection.window.createWorkDoneProgress().then((reporter) => {
      reporter.begin('Thoughtline', 0, label);
      return reporter;
    });
    void this.#reporter.then((reporter) => reporter.report(percentage, label));
  }

  done(): void {
    void this.#reporter?.then((reporter) => reporter.done());
    this.#reporter = null;
  }
}
