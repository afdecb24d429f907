import { l10n } from 'vscode';
import type { Health } from './client.ts';

export interface Description {
  /** Name of a codicon. */
  icon: string;
  /** For the status bar. */
  short: string;
  /** For the tooltip and for screen readers, one fact a line. */
  long: string[];
  isTrouble: boolean;
}

/** Says in words how the server and its model are. */
export function describeHealth(health: Health): Description {
  const busy = { icon: 'loading~spin', isTrouble: false };
  const trouble = { icon: 'warning', short: 'Thoughtline', isTrouble: true };
  switch (health.state) {
    case 'starting':
      return { ...busy, short: 'Thoughtline', long: [l10n.t('Starting')] };
    case 'loading':
      return { ...busy, short: 'Thoughtline', long: [l10n.t('Loading the model')] };
    case 'preparing': {
      const percent = `${Math.round(health.fraction * 100)} %`;
      return {
        ...busy,
        short: percent,
        long: [l10n.t('Preparing the model'), health.label, percent],
      };
    }
    case 'ready': {
      const { model, conceptModel, device, deviceNote, lastLatencyMs, memoryMb } = health;
      const latency = lastLatencyMs === null ? undefined : `${Math.round(lastLatencyMs)} ms`;
      return {
        icon: 'sparkle',
        short: latency === undefined ? device : `${device} ${latency}`,
        long: [
          l10n.t('Ready'),
          l10n.t('Model: {0}, {1}', model, conceptModel),
          l10n.t('Device: {0}', device),
          ...(deviceNote === null ? [] : [deviceNote]),
          ...(latency === undefined ? [] : [l10n.t('Last answer: {0}', latency)]),
          l10n.t('Memory: {0} MB', Math.round(memoryMb)),
        ],
        isTrouble: false,
      };
    }
    case 'missing':
      return { ...trouble, long: [l10n.t('No model')] };
    case 'failed':
      return { ...trouble, long: [l10n.t('The model failed; see the log')] };
    case 'stopped':
      return { ...trouble, long: [l10n.t('Stopped; restart the language server')] };
  }
}
