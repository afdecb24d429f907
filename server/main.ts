import { join } from 'node:path';
import { createConnection, ProposedFeatures } from 'vscode-languageserver/node';
import { serve } from './connection.ts';
import { ConceptService } from './features/conceptService.ts';
import { InferenceClient } from './inference/client.ts';
import { ModelHost } from './modelHost.ts';
import { openModelStore } from './models.ts';

// Entry of the language server: builds the house from the ground up, then listens on the
// transport that the command line names (--stdio, --node-ipc).
const connection = createConnection(ProposedFeatures.all);

serve(connection, ({ storageFolder, logger, onStatus }) => {
  const inference = new InferenceClient(join(__dirname, 'inferenceWorker.js'));
  const service = new ConceptService(inference, logger);
  const store = openModelStore(storageFolder, logger);
  const models = new ModelHost({
    inference,
    logger,
    onStatus,
    prepare: (name, options) => store.prepare(name, options),
    onModel: (model) => service.useModel(model),
  });
  const dispose = async () => {
    models.cancel();
    await inference.dispose();
  };
  // An editor that dies says nothing: its end of the channel closes.
  process.once('disconnect', () => void dispose().finally(() => process.exit(0)));
  return { service, models, store, dispose };
});
