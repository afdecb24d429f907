"""Writes golden.json: what transformers' Llama between SONAR-LLM's two linear maps predicts.

    pip install torch==2.13.0 transformers==5.18.0
    python test/golden/sonarLlm/make.py

The models are tinySonarLlm and tinyGroupedSonarLlm of test/support/tinyModels.ts; the weights
follow the closed form of test/support/closedForm.ts. CPU, float32.
"""

import json
import math
import os
import re

import torch
import transformers
from transformers import LlamaConfig, LlamaModel
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

MASK = 0xFFFFFFFF


def fnv1a(text):
    h = 0x811C9DC5
    for byte in text.encode():
        h = ((h ^ byte) * 0x01000193) & MASK
    return h


def fmix32(x):
    x = ((x ^ (x >> 16)) * 0x85EBCA6B) & MASK
    x = ((x ^ (x >> 13)) * 0xC2B2AE35) & MASK
    return x ^ (x >> 16)


def values(name, count):
    h = fnv1a(name)
    return [fmix32((h + i * 0x9E3779B1) & MASK) / 2**32 * 2 - 1 for i in range(count)]


def weight(name, shape):
    v = torch.tensor(values(name, math.prod(shape)), dtype=torch.float64)
    if name.endswith("layer_norm.weight"):
        v = 1 + 0.2 * v
    elif name.endswith(".bias"):
        v = 0.1 * v
    elif len(shape) > 1:
        v = v * math.sqrt(3 / shape[1])
    return v.float().reshape(shape)


def llama_config(num_key_value_heads, theta=100.0, original=32, head_dim=8):
    return LlamaConfig(
        vocab_size=50,
        hidden_size=24,
        intermediate_size=40,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=num_key_value_heads,
        head_dim=head_dim,
        max_position_embeddings=64,
        rms_norm_eps=1e-6,
        rope_parameters={
            "rope_type": "llama3",
            "rope_theta": theta,
            "factor": 32.0,
            "low_freq_factor": 1.0,
            "high_freq_factor": 4.0,
            "original_max_position_embeddings": original,
        },
    )


def predict(num_key_value_heads):
    model = LlamaModel(llama_config(num_key_value_heads)).eval()
    names = {name: f"llama_model.model.{name}" for name, _ in model.named_parameters()}
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(weight(names[name], tuple(parameter.shape)))
        concepts = torch.tensor(values("concepts", 9 * 16), dtype=torch.float64).mul(0.03).float()
        x = concepts.reshape(1, 9, 16)
        h = x @ weight("forward_proj.linear.weight", (24, 16)).T
        h = h + weight("forward_proj.linear.bias", (24,))
        hidden = model(inputs_embeds=h).last_hidden_state
        y = hidden @ weight("reverse_proj.linear.weight", (16, 24)).T
        y = y + weight("reverse_proj.linear.bias", (16,))
    return [[float(f"{v:.9g}") for v in row] for row in y[0].tolist()]


def frequencies(**options):
    config = llama_config(4, **options)
    inv_freq, factor = ROPE_INIT_FUNCTIONS["llama3"](config, torch.device("cpu"))
    assert factor == 1.0
    return [float(f"{v:.9g}") for v in inv_freq.tolist()]


def one_line(match):
    return "[" + re.sub(r"\s+", " ", match[1]) + "]"


golden = {
    "versions": {"torch": torch.__version__, "transformers": transformers.__version__},
    "predictions": {"ungrouped": predict(4), "grouped": predict(2)},
    "frequencies": {
        "tiny": frequencies(),
        "llama32": frequencies(theta=500000.0, original=8192, head_dim=64),
    },
}
here = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(here, "golden.json"), "w") as file:
    text = json.dumps(golden, indent=1)
    file.write(re.sub(r"\[\s+(-?\d[^\]]*?)\s+\]", one_line, text) + "\n")
