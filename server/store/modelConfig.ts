import { isJsonObject, readNote, writeNote } from './partialFile.ts';

/*
 * Configurations that lie beside checkpoints. Ours names the parts of a model; a SONAR-LLM's has
 * a Llama within and is one concept model's; any other one is of a library, and the compiler finds
 * the architecture in the checkpoint itself.
 */

const partKeys = ['encoder', 'decoder', 'lcm', 'tokenizer'];

/** Returns what a configuration says, or null when there is none that can be read. */
export function readModelConfig(file: string): Promise<Record<string, unknown> | null> {
  return readNote(file, isJsonObject);
}

/**
 * Returns the file to give to the compiler, if the configuration says anything to it.
 *
 * @param file        the configuration as it was found
 * @param lcmName     the concept model that it may be of
 * @param writtenFile  where to put one that must be put in other words
 */
export async function compilerConfig(
  file: string,
  lcmName: string | undefined,
  writtenFile: string,
): Promise<string | undefined> {
  const config = await readModelConfig(file);
  if (config === null) return undefined;
  if (partKeys.some((key) => Object.hasOwn(config, key))) return file;
  if (lcmName === undefined || !Object.hasOwn(config, 'llama_config')) return undefined;
  await writeNote(writtenFile, { lcm: { [lcmName]: { ...config, model_type: 'sonar_llm' } } });
  return writtenFile;
}
