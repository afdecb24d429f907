import { defaultSettings } from '../../protocol/settings.ts';
import { nullLogger } from '../../server/base/logger.ts';
import { ConceptService } from '../../server/features/conceptService.ts';
import type { Paragraph } from './evaluationSet.ts';
import type { Product } from './product.ts';

/*
 * What a writer would see: the first suggestion at the end of a paragraph, by the service that the
 * editor asks, with its ranking and its filters. A writer who takes it gets the next one.
 */

/** Suggestions taken one after the other from the model that is the default. */
const numTaken = 3;

export async function continueParagraphs(product: Product, paragraphs: readonly Paragraph[]) {
  const service = new ConceptService(product.inference, nullLogger);
  service.useModel(product.model);
  const continued = [];
  for (const [i, paragraph] of paragraphs.entries()) {
    const written: Record<string, string[]> = {};
    for (const [rank, name] of product.model.conceptModels.entries()) {
      const uri = `evaluation:${i}/${name}`;
      written[name] = await takeSuggestions(
        service,
        uri,
        name,
        paragraph.context.join(' '),
        rank === 0 ? numTaken : 1,
      );
    }
    continued.push({ ...paragraph, written });
  }
  return continued;
}

/** Returns the sentences taken; fewer than asked for where nothing is worth showing. */
async function takeSuggestions(
  service: ConceptService,
  uri: string,
  conceptModel: string,
  beginning: string,
  count: number,
): Promise<string[]> {
  const settings = {
    ...defaultSettings,
    completion: { ...defaultSettings.completion, conceptModel },
  };
  const { candidates } = settings.completion;
  const taken: string[] = [];
  while (taken.length < count) {
    const text = [beginning, ...taken].join(' ');
    service.openDocument(uri, 'plaintext', text);
    const found = await service.nextSentences(uri, text.length, candidates, settings);
    service.closeDocument(uri);
    const [best] = found.candidates;
    if (best === undefined) break;
    taken.push(best.text);
  }
  return taken;
}
