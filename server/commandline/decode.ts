import { InvalidRequestError } from '../base/errors.ts';
import { type Command, type CommandIo, numberOption } from './command.ts';
import { groupsOf, readLines } from './input.ts';
import { deviceHelp, langOption, modelChoice, withModel } from './model.ts';

/** Concepts that are decoded together. */
const groupSize = 16;

/** `thoughtline decode`: embeddings → sentences. */
export const decodeCommand: Command = {
  name: 'decode',
  summary: 'write embeddings as sentences',
  help: `Usage: thoughtline decode [--model DIR] [--device D] [--lang L] [--beam K] [--max-tokens N]

Reads {"embedding":[…]} a line from standard input and prints {"text","score"} for each.
A line that cannot be read is reported with its number; the others are still decoded.

  --model DIR      a compiled model; the built-in one when left out
  --device D       where it runs: ${deviceHelp}
  --lang L         the language to write, such as eng_Latn
  --beam K         hypotheses per sentence, 1 to 20 (default 5); 1 decodes greedily
  --max-tokens N   longest sentence, 3 to 512 tokens; the model's own limit when left out`,
  options: {
    model: { type: 'string' },
    device: { type: 'string' },
    lang: { type: 'string' },
    beam: { type: 'string' },
    'max-tokens': { type: 'string' },
  },
  maxPositionals: 0,
  async run(values, _positionals, io) {
    const beamSize = numberOption(values, 'beam', 5, { min: 1, max: 20, integer: true });
    const maxTokens = numberOption(values, 'max-tokens', 0, { min: 3, max: 512, integer: true });
    return withModel(modelChoice(values), io, async ({ inference, model }) => {
      const lang = langOption(values, model);
      const limit = maxTokens === 0 ? {} : { maxSeqLen: maxTokens };
      const failures = { count: 0 };
      const embeddings = readEmbeddings(io, model.embeddingDim, failures);
      for await (const group of groupsOf(embeddings, groupSize)) {
        const request = { embeddings: group, lang, beamSize, ...limit };
        for (const { text, score } of await inference.decode(request, io.signal)) {
          await io.writeResult({ text, score });
        }
      }
      return failures.count === 0;
    });
  },
};

async function* readEmbeddings(
  io: CommandIo,
  embeddingDim: number,
  failures: { count: number },
): AsyncGenerator<Float32Array> {
  let lineNumber = 0;
  for await (const line of readLines(io.input)) {
    lineNumber++;
    if (line.trim() === '') continue;
    try {
      yield parseEmbedding(line, embeddingDim);
    } catch (error) {
      if (!(error instanceof InvalidRequestError)) throw error;
      failures.count++;
      io.writeMessage(`decode: line ${lineNumber}: ${error.message}`);
    }
  }
}

/**
 * Reads `{"embedding":[…]}`.
 *
 * @returns the embedding, [E]
 * @throws InvalidRequestError when the line is anything else
 */
export function parseEmbedding(line: string, embeddingDim: number): Float32Array {
  const value = parseJson(line);
  const embedding =
    typeof value === 'object' && value !== null && 'embedding' in value ? value.embedding : null;
  if (!Array.isArray(embedding)) {
    throw new InvalidRequestError('expected {"embedding":[…]}, found something else');
  }
  if (embedding.length !== embeddingDim) {
    throw new InvalidRequestError(
      `embedding: expected ${embeddingDim} numbers, found ${embedding.length}`,
    );
  }
  const wrong = embedding.findIndex(
    (x) => typeof x !== 'number' || !Number.isFinite(Math.fround(x)),
  );
  if (wrong >= 0) {
    throw new InvalidRequestError(
      `embedding[${wrong}]: expected a finite number, found ${JSON.stringify(embedding[wrong])}`,
    );
  }
  return Float32Array.from(embedding);
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw new InvalidRequestError('expected JSON, found something else', { cause });
  }
}
