import { NotificationType, type Range } from 'vscode-languageserver-protocol';

/*
 * Ghost text beyond the standard request: what an editor can tell the server about it and ask of
 * it. Everything that a client asks goes through `workspace/executeCommand`, so that any editor can.
 */

/** Commands of `workspace/executeCommand`. Each takes one object. */
export const serverCommands = {
  /** `SteerParams` → null: bends what is suggested in a document. */
  steer: 'thoughtline.server.steer',
  /** `DocumentParams` → `SteeringChoices`: where it can be bent to by name. */
  listDirections: 'thoughtline.server.listDirections',
  /** `SetTargetParams` → `{ target }`: the language of what is suggested in a document. */
  setTarget: 'thoughtline.server.setTarget',
  /** `DocumentParams` → `{ target }`: the next language for the suggestion that is shown. */
  cycleTarget: 'thoughtline.server.cycleTarget',
  /** `SnoozeParams` → null: suggests nothing unasked for a while. */
  snooze: 'thoughtline.server.snooze',
  /** `DocumentParams` → `SuggestionFacts | null`: why the last suggestion of a document was made. */
  explain: 'thoughtline.server.explain',
  /** No parameters → `Statistics`. */
  statistics: 'thoughtline.server.statistics',
  /** No parameters → null. */
  clearStatistics: 'thoughtline.server.clearStatistics',
  /** `RewriteParams` → `RewriteResult`: other sentences for those of a range. */
  rewrite: 'thoughtline.server.rewrite',
} as const;

export interface DocumentParams {
  uri: string;
}

/** Something that suggestions are bent toward or away from. */
export type Pull =
  | { kind: 'toward' | 'away'; text: string }
  | { kind: 'direction'; name: DirectionName };

/** Directions in the concept space, learnt from text. */
export const directionNames = [
  'shorter',
  'longer',
  'plainer',
  'concrete',
  'continue',
  'example',
  'conclude',
] as const;

export type DirectionName = (typeof directionNames)[number];

export interface Steering {
  pulls: Pull[];
  /** 0 bends nothing, 1 as far as it can be bent. */
  strength: number;
}

export interface SteerParams extends DocumentParams {
  /** null lets the suggestions go where they will. */
  steering: Steering | null;
}

/** What `listDirections` answers: those that the loaded model can be bent in. */
export interface SteeringChoices {
  directions: DirectionName[];
}

export interface SetTargetParams extends DocumentParams {
  /** A code, tag or English name; null leaves it to the document and the settings. */
  target: string | null;
}

export interface SnoozeParams {
  /** 0 ends it. */
  minutes: number;
}

/** Why suggestions come only when they are asked for; null: they come by themselves. */
export type Quiet = 'manual' | 'snoozed' | 'battery' | 'off';

/** server → client, on every change: what the writer has set about suggestions for now. */
export const completionState = new NotificationType<CompletionState>('thoughtline/completionState');

export interface CompletionState {
  /** Milliseconds since 1970; null while nothing is snoozed. */
  snoozedUntil: number | null;
  /** Whether the machine runs on battery and the writer wants silence there. */
  isOnBattery: boolean;
  /** What was saved because the machine is slow; null while it keeps up. */
  reduced: { steps: number; candidates: number } | null;
  /** The open documents that something is set or said for. */
  documents: DocumentState[];
}

export interface DocumentState {
  uri: string;
  steering: Steering | null;
  /** Code of the language that was chosen for now; null leaves it to document and settings. */
  target: string | null;
  /** Why suggestions do not come by themselves; null: they do. */
  quiet: Quiet | null;
}

/**
 * server → client: more, or better, suggestions are there than those that were answered. A client
 * whose caret is still there asks again.
 */
export const suggestionsReady = new NotificationType<SuggestionsReadyParams>(
  'thoughtline/suggestionsReady',
);

export interface SuggestionsReadyParams extends DocumentParams {
  /** UTF-16 units. */
  offset: number;
}

/** Why a suggestion was made. */
export interface SuggestionFacts {
  /** Of the model folder. */
  model: string;
  conceptModel: string;
  /** Denoising steps; as the concept model takes them. */
  steps: number;
  /** Code of the language. */
  lang: string;
  latencyMs: number;
  /** Whether it was ready before it was asked for. */
  wasPrepared: boolean;
  /** In the order shown. */
  candidates: {
    text: string;
    origin: 'model' | 'own';
    agreement: number;
    /** 0 to 1; null where the model tells nothing about it. */
    confidence: number | null;
  }[];
}

/** Counts since they were cleared. No text is kept. */
export interface Statistics {
  /** Milliseconds since 1970. */
  since: number;
  shown: number;
  accepted: number;
  /** By clause or word. */
  acceptedPartly: number;
  /** Typed by hand as they were shown. */
  typed: number;
  /** Still in the text 30 seconds after they were accepted. */
  kept: number;
  rejected: number;
  /** Ready before the pause ended, of those shown. */
  ready: number;
}

/** What can be made of sentences that are there. */
export const rewriteKinds = ['bridge', 'expand', 'condense', 'rephrase'] as const;

export type RewriteKind = (typeof rewriteKinds)[number];

export interface RewriteParams extends DocumentParams {
  kind: RewriteKind;
  range: Range;
}

export interface RewriteResult {
  /** What is replaced; empty where something is inserted. */
  range: Range;
  /** The text of the range as it stands. */
  original: string;
  /** Best first; none where nothing can be made of it. */
  alternatives: { text: string; agreement: number }[];
}
