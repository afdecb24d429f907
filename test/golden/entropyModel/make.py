"""Writes golden.json: the entropies of training/entropy.py for the ids of a text.

    pip install torch==2.13.0
    PYTHONPATH=. python test/golden/entropyModel/make.py

The model is tinyEntropyModel of test/support/tinyModels.ts; the weights follow the closed form of
test/support/closedForm.ts. CPU, float32.
"""

import json
import math
from pathlib import Path

import torch

from training.entropy import EntropyConfig, EntropyModel, entropies, text_ids

TEXT = "Él said: 7 π!"
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


def weight(name, shape):
    h = fnv1a(name)
    numbers = [fmix32((h + i * 0x9E3779B1) & MASK) / 2**32 * 2 - 1 for i in range(math.prod(shape))]
    v = torch.tensor(numbers, dtype=torch.float64)
    if name.endswith("layer_norm.weight"):
        v = 1 + 0.2 * v
    elif name.endswith(".bias"):
        v = 0.1 * v
    elif len(shape) > 1:
        v = v * math.sqrt(3 / shape[1])
    return v.float().reshape(shape)


config = EntropyConfig(vocab_size=260, model_dim=16, num_layers=2, num_heads=2, ffn_inner_dim=24, max_seq_len=24)
model = EntropyModel(config).eval()
with torch.no_grad():
    for name, parameter in model.named_parameters():
        parameter.copy_(weight(name, tuple(parameter.shape)))
    ids = text_ids(TEXT)
    logits = model(torch.tensor([ids]))[0]
    found = entropies(logits)
    surprisals = torch.nn.functional.cross_entropy(logits[:-1], torch.tensor(ids[1:]), reduction="none")
golden = {
    "text": TEXT, "ids": ids,
    "entropies": [round(value, 6) for value in found.tolist()],
    "surprisals": [round(value, 6) for value in surprisals.tolist()],
}  # fmt: skip
Path("test/golden/entropyModel/golden.json").write_text(json.dumps(golden) + "\n")
