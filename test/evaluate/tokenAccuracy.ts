import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DecoderSteps } from '../../server/inference/decoderSteps.ts';
import { parseShortlist, wholeVocabulary } from '../../server/inference/decoderVocabulary.ts';
import { cpuDevice } from '../../server/inference/devices.ts';
import { prepareSignature, stepSignature } from '../../server/inference/graphSession.ts';
import { readModel } from '../../server/inference/modelFolder.ts';
import { int8ProductsSaturate, OnnxSession } from '../../server/inference/session.ts';
import { SonarTokenizer } from '../../server/text/sonarTokenizer.ts';
import type { Vectors } from './geometry.ts';

/** Sentences of one length that are forced through the decoder together. */
const maxRows = 64;

/**
 * Returns the share of tokens, `</s>` included, that the compiled decoder says after the right ones
 * before. The product never forces its decoder, so the graphs are opened here.
 */
export async function tokenAccuracy(
  folder: string,
  texts: readonly string[],
  embeddings: Vectors,
): Promise<number> {
  const { decoder, tokenizer: entry } = readModel(folder);
  const tokenizer = SonarTokenizer.fromBytes(
    readFileSync(join(folder, entry.file.file)),
    entry.langs,
    entry.file.file,
  );
  const vocabulary =
    decoder.shortlist === null
      ? wholeVocabulary(decoder.vocabSize)
      : parseShortlist(readFileSync(join(folder, decoder.shortlist.file.file)), {
          vocabSize: decoder.vocabSize,
          needed: [],
          label: decoder.shortlist.file.file,
        });
  const options = { ...cpuDevice, avoidsSaturation: await int8ProductsSaturate() };
  const prepare = await OnnxSession.create(
    folder,
    decoder.prepare,
    'decoder prepare',
    prepareSignature,
    options,
  );
  const step = await OnnxSession.create(
    folder,
    decoder.step,
    'decoder step',
    stepSignature,
    options,
  );
  const [eos, lang] = tokenizer.prompt(entry.defaultLang);
  let hits = 0;
  let count = 0;
  try {
    for (const rows of rowsOfOneLength(texts, embeddings, (text) =>
      tokenizer.encodeSource(text, entry.defaultLang),
    )) {
      const concepts = rows.map(({ embedding }) => embedding);
      const steps = await DecoderSteps.start(
        { prepare, step },
        { entry: decoder, vocabulary },
        concepts,
        1,
      );
      await steps.first(eos, lang);
      const parents = rows.map((_, row) => row);
      const length = rows[0]?.ids.length ?? 0;
      for (let position = 0; position + 1 < length; position++) {
        const tokens = rows.map(({ ids }) => ids[position] ?? eos);
        const { topTokens } = await steps.next(tokens, parents, 1);
        hits += rows.filter(({ ids }, row) => Number(topTokens[row]) === ids[position + 1]).length;
        count += rows.length;
      }
      steps.dispose();
    }
  } finally {
    await prepare.dispose();
    await step.dispose();
  }
  return hits / count;
}

interface Row {
  /** The language, the pieces, `</s>`. */
  ids: readonly number[];
  embedding: Float32Array;
}

function rowsOfOneLength(
  texts: readonly string[],
  embeddings: Vectors,
  encode: (text: string) => readonly number[],
): Row[][] {
  const byLength = new Map<number, Row[]>();
  for (const [i, embedding] of embeddings.entries()) {
    const ids = encode(texts[i] ?? '');
    byLength.set(ids.length, [...(byLength.get(ids.length) ?? []), { ids, embedding }]);
  }
  return [...byLength.values()].flatMap((rows) =>
    Array.from({ length: Math.ceil(rows.length / maxRows) }, (_, i) =>
      rows.slice(i * maxRows, (i + 1) * maxRows),
    ),
  );
}
