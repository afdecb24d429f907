/** What the measurement inside the extension host leaves in a file. */
export interface HostFigures {
  /** Reading and running the bundle. */
  loadMs: number;
  /** The call of `activate`. */
  activateMs: number;
  /** Time the host's thread was busy, per keystroke. */
  markdownMs: number[];
  otherMs: number[];
}

/** The environment variable with the path of that file. */
export const hostFiguresVariable = 'THOUGHTLINE_FIGURES';
