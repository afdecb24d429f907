import { join } from 'node:path';
import { createConnection, ProposedFeatures } from 'vscode-languageserver/node';
import { systemClock } from './base/clock.ts';
import type { Logger } from './base/logger.ts';
import { serve } from './connection.ts';
import { ConceptService } from './features/conceptService.ts';
import { RewriteService } from './features/rewriting/rewriteService.ts';
import { InferenceClient } from './inference/client.ts';
import { ModelHost } from './modelHost.ts';
import { openModelStore } from './models.ts';
import { withFileLock } from './store/fileLock.ts';
import { AskingPolicy } from './writing/askingPolicy.ts';
import { Budget } from './writing/budget.ts';
import { thisPowerMachine } from './writing/powerSupply.ts';
import { StatisticsFile } from './writing/statisticsFile.ts';
import { WritingService } from './writing/writingService.ts';

// Entry of the language server: builds the house from the ground up, then listens on the
// transport that the command line names (--stdio, --node-ipc).
const connection = createConnection(ProposedFeatures.all);

serve(connection, ({ storageFolder, logger, onStatus, onState, onReady }) => {
  const inference = new InferenceClient(join(__dirname, 'inferenceWorker.js'));
  const service = new ConceptService(inference, logger);
  const writing = new WritingService({
    concepts: service,
    policy: new AskingPolicy(),
    budget: new Budget(),
    clock: systemClock,
    logger,
    machine: thisPowerMachine,
    statisticsFile: openStatistics(storageFolder, logger),
    onState,
    onReady,
    onLatency: (latencyMs) => models.noteLatency(latencyMs),
  });
  const rewriting = new RewriteService(inference, service);
  const store = openModelStore(storageFolder, logger);
  const models = new ModelHost({
    inference,
    logger,
    onStatus,
    prepare: (name, options) => store.prepare(name, options),
    onModel: (model) => {
      service.useModel(model);
      writing.forgetModel();
    },
  });
  const dispose = async () => {
    models.cancel();
    await writing.dispose();
    await inference.dispose();
  };
  // An editor that dies says nothing: its end of the channel closes.
  process.once('disconnect', () => void dispose().finally(() => process.exit(0)));
  return { service, writing, rewriting, models, store, dispose };
});

/** The counts of this machine, where the client has said where things may be stored. */
function openStatistics(folder: string | undefined, logger: Logger): StatisticsFile | null {
  if (folder === undefined) return null;
  const path = join(folder, 'statistics.json');
  return new StatisticsFile({
    path,
    clock: systemClock,
    logger,
    exclusively: (body) => withFileLock(`${path}.lock`, { clock: systemClock }, body),
  });
}
