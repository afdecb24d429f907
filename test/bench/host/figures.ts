import type { Session } from '../session.ts';

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

/** The environment variable with the path of a `SessionTask`. */
export const hostSessionVariable = 'THOUGHTLINE_SESSION';

/** What is to be replayed in the extension host, and where its figures go. */
export interface SessionTask {
  session: Session;
  results: string;
}

/** What a replay leaves, in a language of ours and in another. One number per key. */
export interface SessionFigures {
  ours: ReplayFigures;
  other: ReplayFigures;
  /** In a language of ours again, while the host is profiled. */
  profiled: ReplayFigures;
}

export interface ReplayFigures {
  /** How late the key was pressed: the delay of the event loop. */
  lateMs: number[];
  /** Time the host's thread was busy until the next key. */
  busyMs: number[];
  /** Time of it that was spent below functions of ours; none where no profile was made. */
  attributedMs: number[];
  accepted: number;
  isAsExpected: boolean;
}
