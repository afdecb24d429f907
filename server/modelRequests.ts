import type { Connection } from 'vscode-languageserver/node';
import { installModel, listModels, removeModel, verifyModel } from '../protocol/server.ts';
import { answer } from './answer.ts';
import { describeModels, installFrom, modelName, type NetworkSettings } from './modelManager.ts';
import { ProgressReport } from './progressReport.ts';
import type { ModelStore } from './store/modelStore.ts';

export interface ModelRequestParts {
  store(): ModelStore;
  network(): Promise<NetworkSettings>;
  /** Told when there is another model, or one less. */
  onChange(): void;
}

/** Answers the requests about models on disk. */
export function serveModelRequests(connection: Connection, parts: ModelRequestParts): void {
  connection.onRequest(listModels, (_params, token) =>
    answer(token, () => describeModels(parts.store())),
  );

  connection.onRequest(installModel, (params, token) =>
    answer(token, async (signal) => {
      const progress = progressUnder(connection, params.workDoneToken);
      const onProgress = (fraction: number, label: string) => progress.show(fraction, label);
      try {
        const network = await parts.network();
        const options = { onProgress, signal };
        const result = await installFrom(parts.store(), params, network, options);
        parts.onChange();
        return result;
      } finally {
        progress.done();
      }
    }),
  );

  connection.onRequest(removeModel, (params, token) =>
    answer(token, async () => {
      await parts.store().remove(modelName(params));
      parts.onChange();
      return null;
    }),
  );

  connection.onRequest(verifyModel, (params, token) =>
    answer(token, async (signal) => {
      await parts.store().verify(modelName(params), signal);
      return null;
    }),
  );
}

/** Progress that the client awaits under the token of its request. */
function progressUnder(connection: Connection, token: string | number | undefined) {
  if (token === undefined) return new ProgressReport(null);
  return new ProgressReport(async () => connection.window.attachWorkDoneProgress(token));
}
