"""Makes the model that transformers.js runs in `fullSize/transformersJs.bench.ts`.

    python test/bench/rival/make.py FOLDER [--layers 24] [--dim 1024] [--vocab 256206]

An M2M100 of SONAR's size with random weights, in the layout in which such models are published for
transformers.js: `encoder_model.onnx`, `decoder_model_merged.onnx` (both branches of the cache in
one file, as optimum merges them) and the `_quantized` twin of each, made by onnxruntime's dynamic
quantizer with the options of transformers.js' own conversion script.

The graphs are traced from transformers' M2M100ForConditionalGeneration. Two things are simpler
than in a real export, in favour of speed: the first step takes one token, so that no causal mask
is built, and the mask of the encoder is one subtraction. Weights are not exported but drawn here,
file by file, because only their sizes matter.

Wants torch, transformers, onnx and onnxruntime; at the full size 8 GB of memory and 10 GB of disk.
"""

import argparse
import json
import os
from pathlib import Path

import numpy as np
import onnx
import onnx.numpy_helper
import torch
from onnx import TensorProto, helper
from onnxruntime.quantization import QuantizationMode, QuantType
from onnxruntime.quantization.onnx_quantizer import ONNXQuantizer
from onnxruntime.quantization.registry import IntegerOpsRegistry
from transformers import DynamicCache, EncoderDecoderCache, M2M100Config
from transformers import M2M100ForConditionalGeneration
from transformers.models.m2m_100 import modeling_m2m_100

OPSET = 17
BLOCK = 16_777_213  # numbers that are drawn once and cut for every weight
DEVIATION = 0.02
SCALE = 5.5 * DEVIATION / 127  # of a quantized weight: among so many numbers this is the largest


def no_mask(**_):
    return None


def additive_mask(attention_mask, **_):
    """[N, T] of ones and zeros to [N, 1, 1, T] of zeros and the least float."""
    return (1.0 - attention_mask[:, None, None, :].float()) * torch.finfo(torch.float32).min


class Encoder(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.encoder = model.get_encoder()

    def forward(self, input_ids, attention_mask):
        return self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state


class Decoder(torch.nn.Module):
    """One token: logits, and keys and values; `past` is flat, four tensors a layer."""

    def __init__(self, model):
        super().__init__()
        self.decoder = model.get_decoder()
        self.lm_head = model.lm_head

    def forward(self, encoder_attention_mask, input_ids, encoder_hidden_states, *past):
        cache = EncoderDecoderCache(DynamicCache(), DynamicCache())
        for layer, index in enumerate(range(0, len(past), 4)):
            cache.self_attention_cache.update(past[index], past[index + 1], layer)
            cache.cross_attention_cache.update(past[index + 2], past[index + 3], layer)
            cache.is_updated[layer] = True
        hidden = self.decoder(
            input_ids=input_ids,
            encoder_hidden_states=encoder_hidden_states,
            encoder_attention_mask=encoder_attention_mask,
            past_key_values=cache,
            use_cache=True,
        ).last_hidden_state
        present = []
        for own, cross in zip(
            cache.self_attention_cache.layers, cache.cross_attention_cache.layers
        ):
            present += [own.keys, own.values]
            if not past:
                present += [cross.keys, cross.values]
        return self.lm_head(hidden), *present


def trace(module, inputs, input_names, output_names, dynamic, path):
    """Returns the traced graph; its weights are inputs without values."""
    with torch.no_grad():
        torch.onnx.export(
            module,
            inputs,
            path,
            input_names=input_names,
            output_names=output_names,
            dynamic_axes=dynamic,
            opset_version=OPSET,
            export_params=False,
            do_constant_folding=False,
            dynamo=False,
        )
    model = onnx.load(path)
    os.remove(path)
    split_weights(model.graph, set(input_names))
    return model


def split_weights(graph, input_names):
    """Makes initializers of the inputs that are weights, transposed where a product wants it."""
    weights = {value.name: shape_of(value) for value in graph.input if value.name not in input_names}
    keep = [value for value in graph.input if value.name in input_names]
    nodes, renamed, used = [], {}, set()
    for node in graph.node:
        if node.op_type == "Transpose" and node.input[0] in weights:
            name = f"{node.input[0]}.transposed"
            weights[name] = weights[node.input[0]][::-1]
            renamed[node.output[0]] = name
            continue
        for index, name in enumerate(node.input):
            node.input[index] = renamed.get(name, name)
        used.update(node.input)
        nodes.append(node)
    del graph.node[:], graph.input[:]
    graph.node.extend(nodes)
    graph.input.extend(keep)
    for name, shape in weights.items():
        if name in used:
            tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=shape)
            graph.initializer.append(tensor)


def shape_of(value):
    return [dim.dim_value for dim in value.type.tensor_type.shape.dim]


def merge(first, later, layers, heads, head_dim):
    """Joins the two branches of the cache as optimum does, with the weights outside."""
    outer = {}
    branches = {}
    names = {value.name for model in (first, later) for value in model.graph.input}
    for branch, model in (("else", first), ("then", later)):
        graph = model.graph
        inner = []
        for tensor in graph.initializer:
            if tensor.HasField("raw_data"):
                inner.append(tensor)
            else:
                outer[tensor.name] = tensor
        prefix(graph, f"{branch}/", names | set(outer))
        for tensor in inner:
            tensor.name = f"{branch}/{tensor.name}"
        branches[branch] = (graph, inner)
    outputs = [value for value in first.graph.output]
    output_names = [value.name.removeprefix("else/") for value in outputs]
    subgraphs = {}
    for branch, (graph, inner) in branches.items():
        nodes = list(graph.node)
        found = {value.name for value in graph.output}
        values = []
        for name in output_names:
            inner_name = f"{branch}/{name}"
            if inner_name not in found:  # keys and values of the encoder: the caller keeps its own
                empty = helper.make_tensor(f"{inner_name}.value", 1, [0, heads, 1, head_dim], [])
                nodes.append(helper.make_node("Constant", [], [inner_name], value=empty))
            values.append(helper.make_tensor_value_info(inner_name, 1, None))
        subgraphs[f"{branch}_branch"] = helper.make_graph(nodes, branch, [], values, inner)
    condition = helper.make_node("If", ["use_cache_branch"], output_names, **subgraphs)
    inputs = {value.name: value for model in (first, later) for value in model.graph.input}
    inputs = [*inputs.values(), helper.make_tensor_value_info("use_cache_branch", 9, [1])]
    plain = [helper.make_tensor_value_info(name, 1, None) for name in output_names]
    graph = helper.make_graph([condition], "merged", inputs, plain, list(outer.values()))
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8
    )


def prefix(graph, start, kept):
    for node in graph.node:
        node.name = start + node.name
        for names in (node.input, node.output):
            for index, name in enumerate(names):
                if name and name not in kept:
                    names[index] = start + name
    for value in graph.output:
        value.name = start + value.name


def fill(model, path):
    """Draws the weights and saves the model with one file of external data."""
    block = np.random.default_rng(1).standard_normal(BLOCK, dtype=np.float32) * DEVIATION
    signed = np.clip(np.rint(block / SCALE), -127, 127).astype(np.int8)
    blocks = {
        TensorProto.FLOAT: block,
        TensorProto.INT8: signed,
        TensorProto.UINT8: (signed.view(np.uint8) ^ 128),  # the embedding, with zero at 128
    }
    position = offset = 0
    with open(f"{path}_data", "wb") as data:
        for tensor in model.graph.initializer:
            if has_values(tensor):
                continue
            count = int(np.prod(tensor.dims))
            values = blocks[tensor.data_type]
            is_norm = "layer_norm.weight" in tensor.name
            for chunk in [np.ones(count, np.float32)] if is_norm else cut(values, position, count):
                data.write(memoryview(chunk).cast("B"))
            position = (position + count) % BLOCK
            tensor.data_location = TensorProto.EXTERNAL
            for key, value in (
                ("location", f"{path.name}_data"),
                ("offset", offset),
                ("length", count * values.itemsize),
            ):
                tensor.external_data.add(key=key, value=str(value))
            offset += count * values.itemsize
    onnx.save(model, path)


def has_values(tensor):
    return tensor.HasField("raw_data") or bool(
        tensor.float_data or tensor.int32_data or tensor.int64_data
    )


def cut(block, position, count):
    while count > 0:
        chunk = block[position : position + count]
        yield chunk
        count -= len(chunk)
        position = 0


def quantize(model):
    """Returns the model in q8 as transformers.js' scripts/quantize.py makes it.

    Per tensor, signed weights. The quantizer wants several times the weights' memory, and what it
    does to the graph does not depend on them: it is given small ones, which are taken away again.
    """
    shapes = {tensor.name: list(tensor.dims) for tensor in model.graph.initializer}
    skeleton = onnx.ModelProto()
    skeleton.CopyFrom(model)
    weights = [tensor for tensor in skeleton.graph.initializer if not has_values(tensor)]
    for tensor in weights:
        small = np.full([2] * len(tensor.dims), 127 * SCALE, np.float32)
        tensor.CopyFrom(onnx.numpy_helper.from_array(small, tensor.name))
    quantizer = ONNXQuantizer(
        skeleton,
        per_channel=False,
        reduce_range=False,
        mode=QuantizationMode.IntegerOps,
        static=False,
        weight_qType=QuantType.QInt8,
        activation_qType=QuantType.QUInt8,
        tensors_range=None,
        nodes_to_quantize=[],
        nodes_to_exclude=[],
        op_types_to_quantize=set(IntegerOpsRegistry.keys()),
        extra_options={"EnableSubgraph": True, "MatMulConstBOnly": True},
    )
    quantizer.quantize_model()
    quantized = quantizer.model.model
    for tensor in quantized.graph.initializer:
        shape = shapes.get(tensor.name.removesuffix("_quantized"))
        if shape is not None:
            empty = TensorProto(name=tensor.name, data_type=tensor.data_type, dims=shape)
            tensor.CopyFrom(empty)
    forget_shapes(quantized.graph)
    return quantized


def forget_shapes(graph):
    """Removes what is noted of values between nodes: shapes of small weights, unknown types."""
    del graph.value_info[:]
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                forget_shapes(attribute.g)
            if node.op_type == "Cast" and attribute.i == TensorProto.UNDEFINED:
                attribute.i = TensorProto.FLOAT  # the quantizer takes types of branches from notes


def random_model(config):
    """A model without initial values: its pages are never touched but by the trace."""
    with torch.device("meta"):
        model = M2M100ForConditionalGeneration(config)
    model.to_empty(device="cpu").eval()
    model.tie_weights()
    for module in model.modules():
        if hasattr(module, "make_weights"):
            module.weights = torch.empty(0)
            module.make_weights(module.num_positions + 2, config.d_model, module.padding_idx)
    return model


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--layers", type=int, default=24)
    parser.add_argument("--dim", type=int, default=1024)
    parser.add_argument("--vocab", type=int, default=256206)
    args = parser.parse_args()
    heads = args.dim // 64
    config = M2M100Config(
        vocab_size=args.vocab,
        d_model=args.dim,
        encoder_layers=args.layers,
        decoder_layers=args.layers,
        encoder_attention_heads=heads,
        decoder_attention_heads=heads,
        encoder_ffn_dim=8 * args.dim,
        decoder_ffn_dim=8 * args.dim,
        activation_function="relu",
        max_position_embeddings=1024,
        attn_implementation="eager",
    )
    folder = args.folder / "onnx"
    folder.mkdir(parents=True, exist_ok=True)
    description = {**config.to_dict(), "architectures": ["M2M100ForConditionalGeneration"]}
    (args.folder / "config.json").write_text(json.dumps(description))
    (args.folder / "generation_config.json").write_text("{}")
    # The weights of a model without values are all equal; the exporter would make them one.
    torch._C._jit_pass_onnx_deduplicate_initializers = lambda graph, weights, training: weights
    # Shapes of the whole graph are for the reader only, and take minutes at this size.
    torch._C._jit_pass_onnx_graph_shape_type_inference = lambda graph, weights, opset: None
    modeling_m2m_100.create_causal_mask = no_mask
    modeling_m2m_100.create_bidirectional_mask = additive_mask
    model = random_model(config)

    ids = torch.full((2, 3), 7)
    mask = torch.ones_like(ids)
    batch = {0: "batch", 1: "length"}
    encoder = trace(
        Encoder(model),
        (ids, mask),
        ["input_ids", "attention_mask"],
        ["last_hidden_state"],
        {"input_ids": batch, "attention_mask": batch, "last_hidden_state": batch},
        folder / "trace.onnx",
    )
    save(encoder, folder, "encoder_model")

    kinds = ["decoder.key", "decoder.value", "encoder.key", "encoder.value"]
    past_names = [f"past_key_values.{i}.{kind}" for i in range(args.layers) for kind in kinds]
    present_names = [f"present.{i}.{kind}" for i in range(args.layers) for kind in kinds]
    own_names = [name for name in present_names if ".decoder." in name]
    inputs = ["encoder_attention_mask", "input_ids", "encoder_hidden_states"]
    dynamic = {"encoder_attention_mask": batch, "input_ids": batch, "encoder_hidden_states": batch}
    dynamic |= {name: {0: "batch", 2: "past"} for name in past_names}
    decoder = Decoder(model)
    hidden = torch.zeros(2, 3, args.dim)
    token = ids[:, :1]
    first = trace(
        decoder, (mask, token, hidden), inputs, ["logits", *present_names], dynamic, folder / "trace.onnx"
    )
    past = tuple(torch.zeros(2, heads, 3, 64) for _ in past_names)
    later = trace(
        decoder,
        (mask, token, hidden, *past),
        [*inputs, *past_names],
        ["logits", *own_names],
        dynamic,
        folder / "trace.onnx",
    )
    del model, decoder
    merged = merge(first, later, args.layers, heads, 64)
    save(merged, folder, "decoder_model_merged")


def save(model, folder, name):
    fill(quantize(model), folder / f"{name}_quantized.onnx")
    fill(model, folder / f"{name}.onnx")


main()
