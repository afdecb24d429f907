/** The element types of tensors in checkpoints. */
export type WeightType =
  | 'float64'
  | 'float32'
  | 'float16'
  | 'bfloat16'
  | 'int64'
  | 'int32'
  | 'uint8'
  | 'bool';

/** What the compiler needs from a checkpoint: named tensors that are read one at a time. */
export interface WeightSource {
  /** What errors call the checkpoint, such as its file name. */
  readonly label: string;
  /** All names, in the order of the file. */
  names(): readonly string[];
  has(name: string): boolean;
  shape(name: string): readonly number[];
  /** The type the elements are stored in. */
  type(name: string): WeightType;
  /** Reads one tensor as float32 in row-major order, whatever its stored type. */
  read(name: string): Float32Array;
  /**
   * Reads some rows of one tensor as `read` does, and only them: a row is all that lies under one
   * index of the first dimension. So a table of a gigabyte is never in memory whole.
   */
  readRows(name: string, firstRow: number, rowCount: number): Float32Array;
  /** Returns true when two names are known to stand for the same bytes, as tied tensors do. */
  shares?(first: string, second: string): boolean;
  /** What errors call a tensor: its key in the file, where that is not its name. */
  key?(name: string): string;
}
