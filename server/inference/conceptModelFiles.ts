import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { IntegrityError } from '../base/errors.ts';
import { isFiniteVector } from '../tensor/vector.ts';
import { identityNormalizer, parseNormalizer } from './lcm/normalizer.ts';
import type { ConceptModelFiles } from './lcm/openConceptModel.ts';
import { ResidualQuantizer } from './lcm/residualQuantizer.ts';

/**
 * Returns what concept models of a folder have beside their graphs.
 *
 * @throws IntegrityError (its methods) when a file is not what it should be
 */
export function conceptModelFiles(folder: string, embeddingDim: number): ConceptModelFiles {
  return {
    normalizer(entry) {
      if (entry === null) return identityNormalizer;
      const { file } = entry.file;
      return parseNormalizer(readFileSync(join(folder, file)), embeddingDim, file);
    },
    quantizer({ numCodebooks, codebookSize, file }) {
      const length = codebookSize * embeddingDim;
      const sizeBytes = numCodebooks * length * Float32Array.BYTES_PER_ELEMENT;
      if (file.sizeBytes !== sizeBytes) {
        throw new IntegrityError(
          `${file.file}: expected ${sizeBytes} bytes, found ${file.sizeBytes}`,
        );
      }
      const codebooks = readVectors(join(folder, file.file), numCodebooks, length);
      const broken = codebooks.findIndex((codebook) => !isFiniteVector(codebook));
      if (broken !== -1) {
        throw new IntegrityError(
          `${file.file}: expected finite numbers, found others in codebook ${broken}`,
        );
      }
      return new ResidualQuantizer(codebooks, embeddingDim);
    },
  };
}

/**
 * Reads `count` vectors of little-endian float32, as every machine we run on has it, one after the
 * other: all at once are 2 GiB at full size, more than Node reads in one piece.
 */
function readVectors(path: string, count: number, length: number): Float32Array[] {
  const file = openSync(path, 'r');
  try {
    return Array.from({ length: count }, () => {
      const vector = new Float32Array(length);
      const bytes = new Uint8Array(vector.buffer);
      for (let offset = 0; offset < bytes.length; ) {
        const read = readSync(file, bytes, offset, bytes.length - offset, null);
        if (read === 0) throw new IntegrityError(`${path}: expected more bytes, found its end`);
        offset += read;
      }
      return vector;
    });
  } finally {
    closeSync(file);
  }
}
