/** The element types found in checkpoints. */
export type WeightType = 'float32' | 'float16' | 'bfloat16' | 'int64';

/** What the compiler needs from a checkpoint: named tensors that are read one at a time. */
export interface WeightSource {
  /** What errors call the checkpoint, such as its file name. */
  readonly label: string;
  /** All names, in the order of the file. */
  names(): readonly string[];
  has(name: string): boolean;
  shape(name: string): readonly number[];
  /** Reads one tensor as float32 in row-major order, whatever its stored type. */
  read(name: string): Float32Array;
}
