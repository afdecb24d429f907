/** Where messages for whoever looks after the program go. The writer's text is never among them. */
export interface Logger {
  debug(message: string): void;
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

/** A logger that keeps nothing. */
export const nullLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} };
