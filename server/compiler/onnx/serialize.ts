import { assert } from '../../base/errors.ts';
import { type DataType, elementCount, type Tensor } from '../../tensor/tensor.ts';
import type { Attribute, Graph, Node, ValueInfo, Weight } from './graph.ts';
import { ProtobufWriter } from './protobuf.ts';

/*
 * The only file that knows the layout of ONNX files. Field numbers are those of onnx.proto.
 *
 * Source: onnx/onnx.proto and docs/ExternalData.md of github.com/onnx/onnx.
 */

/** The operator set the graphs are written in; the first one with RMSNormalization. */
const opsetVersion = 23;
/** The file format that belongs to that operator set. */
const irVersion = 11;
/** The version of the com.microsoft operators; there has only been one. */
const microsoftOpsetVersion = 1;
/** Weights begin at multiples of a cache line, so that a mapped file can be used in place. */
const alignmentBytes = 64;

const elementTypes: Record<DataType, { code: number; sizeBytes: number }> = {
  float32: { code: 1, sizeBytes: 4 },
  uint8: { code: 2, sizeBytes: 1 },
  int8: { code: 3, sizeBytes: 1 },
  int32: { code: 6, sizeBytes: 4 },
  int64: { code: 7, sizeBytes: 8 },
  bool: { code: 9, sizeBytes: 1 },
  float16: { code: 10, sizeBytes: 2 },
};

/** An ONNX model in two files. */
export interface SerializedGraph {
  /** The model file. */
  model: Uint8Array;
  /**
   * The external-data file in order, chunk by chunk. May be iterated once; reads the checkpoint
   * while it goes, so it throws what the checkpoint throws.
   */
  weights: Iterable<Uint8Array>;
  /** Length of all chunks together. */
  weightsSizeBytes: number;
}

/**
 * Writes a graph as ONNX files.
 *
 * @param weightsFileName  bare name of the external-data file, which lies beside the model file
 */
export function serialize(graph: Graph, weightsFileName: string): SerializedGraph {
  const { byteOffsets, sizeBytes } = layOut(graph);
  const model = new ProtobufWriter();
  model.integer(1, irVersion);
  model.string(2, 'thoughtline');
  model.message(7, (w) => writeGraph(w, graph, weightsFileName, byteOffsets));
  model.message(8, (w) => w.integer(2, opsetVersion));
  model.message(8, (w) => {
    w.string(1, 'com.microsoft');
    w.integer(2, microsoftOpsetVersion);
  });
  return { model: model.finish(), weights: weightChunks(graph), weightsSizeBytes: sizeBytes };
}

/** Returns where each weight begins in the external-data file. */
function layOut(graph: Graph): { byteOffsets: Map<Weight, number>; sizeBytes: number } {
  const byteOffsets = new Map<Weight, number>();
  let sizeBytes = 0;
  for (const { weights } of graph.weightGroups) {
    for (const weight of weights) {
      sizeBytes += paddingBytes(sizeBytes);
      byteOffsets.set(weight, sizeBytes);
      sizeBytes += weightSizeBytes(weight);
    }
  }
  return { byteOffsets, sizeBytes };
}

function* weightChunks(graph: Graph): Generator<Uint8Array> {
  let sizeBytes = 0;
  for (const { weights, load } of graph.weightGroups) {
    const chunks = load();
    for (const [index, weight] of weights.entries()) {
      const padding = paddingBytes(sizeBytes);
      if (padding > 0) yield new Uint8Array(padding);
      const chunk = chunks[index] ?? new Uint8Array();
      assert(
        chunk.length === weightSizeBytes(weight),
        `${weight.name}: expected ${weightSizeBytes(weight)} bytes, found ${chunk.length}`,
      );
      yield chunk;
      sizeBytes += padding + chunk.length;
    }
  }
}

function paddingBytes(byteOffset: number): number {
  return (alignmentBytes - (byteOffset % alignmentBytes)) % alignmentBytes;
}

function weightSizeBytes({ type, shape }: Weight): number {
  return elementCount(shape) * elementTypes[type].sizeBytes;
}

function writeGraph(
  w: ProtobufWriter,
  graph: Graph,
  weightsFileName: string,
  byteOffsets: Map<Weight, number>,
): void {
  for (const node of graph.nodes) w.message(1, (n) => writeNode(n, node));
  w.string(2, graph.name);
  for (const { name, tensor } of graph.constants) w.message(5, (t) => writeTensor(t, name, tensor));
  for (const [weight, byteOffset] of byteOffsets) {
    w.message(5, (t) => writeExternalTensor(t, weight, weightsFileName, byteOffset));
  }
  for (const input of graph.inputs) w.message(11, (v) => writeValueInfo(v, input));
  for (const output of graph.outputs) w.message(12, (v) => writeValueInfo(v, output));
}

function writeNode(w: ProtobufWriter, node: Node): void {
  for (const input of node.inputs) w.string(1, input);
  for (const output of node.outputs) w.string(2, output);
  w.string(3, node.name);
  w.string(4, node.opType);
  for (const [name, attribute] of Object.entries(node.attributes)) {
    w.message(5, (a) => writeAttribute(a, name, attribute));
  }
  w.string(7, node.domain);
}

function writeAttribute(w: ProtobufWriter, name: string, attribute: Attribute): void {
  const typeField = 20;
  w.string(1, name);
  if ('float' in attribute) {
    w.float(2, attribute.float);
    w.integer(typeField, 1);
  } else if ('int' in attribute) {
    w.integer(3, attribute.int);
    w.integer(typeField, 2);
  } else {
    for (const value of attribute.ints) w.integer(8, value);
    w.integer(typeField, 7);
  }
}

function writeTensor(w: ProtobufWriter, name: string, { type, shape, data }: Tensor): void {
  for (const size of shape) w.integer(1, size);
  w.integer(2, elementTypes[type].code);
  w.string(8, name);
  w.bytes(9, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
}

function writeExternalTensor(
  w: ProtobufWriter,
  weight: Weight,
  location: string,
  byteOffset: number,
): void {
  const entries = { location, offset: byteOffset, length: weightSizeBytes(weight) };
  for (const size of weight.shape) w.integer(1, size);
  w.integer(2, elementTypes[weight.type].code);
  w.string(8, weight.name);
  for (const [key, value] of Object.entries(entries)) {
    w.message(13, (entry) => {
      entry.string(1, key);
      entry.string(2, String(value));
    });
  }
  w.integer(14, 1); // data_location: EXTERNAL
}

function writeValueInfo(w: ProtobufWriter, { name, type, shape }: ValueInfo): void {
  w.string(1, name);
  w.message(2, (typeProto) =>
    typeProto.message(1, (tensorType) => {
      tensorType.integer(1, elementTypes[type].code);
      tensorType.message(2, (shapeProto) => {
        for (const size of shape) {
          shapeProto.message(1, (dimension) => {
            if (typeof size === 'number') dimension.integer(1, size);
            else dimension.string(2, size);
          });
        }
      });
    }),
  );
}
