"""Writes tiny checkpoints with torch.save, and what they hold: see README.md."""

import argparse
import json
import random
from collections import OrderedDict
from pathlib import Path

import numpy as np
import torch
from torch import nn

folder = Path(__file__).parent
torch.manual_seed(20)
random.seed(20)
np.random.seed(20)

golden = {}


def values_of(tensor):
    return {
        "dtype": str(tensor.dtype).removeprefix("torch."),
        "shape": list(tensor.shape),
        "values": tensor.detach().to(torch.float64).flatten().tolist(),
    }


def save(name, content, weights, **options):
    """Writes a checkpoint; `weights` are the tensors that a reader must find in it."""
    torch.save(content, folder / name, **options)
    golden[name] = {key: values_of(tensor) for key, tensor in weights.items()}


def small(*shape, dtype=torch.float32):
    """Numbers that every type holds exactly."""
    return torch.randint(-64, 64, shape).to(torch.float64).div(8).to(dtype)


# Every element type that models have.
types = {
    "float64": small(2, 3, dtype=torch.float64),
    "float32": torch.randn(2, 3),
    "float16": torch.randn(2, 3).to(torch.float16),
    "bfloat16": torch.randn(2, 3).to(torch.bfloat16),
    "int64": torch.tensor([[-(2**40), 0, 7]]),
    "int32": torch.tensor([-(2**20), 5], dtype=torch.int32),
    "uint8": torch.tensor([0, 200, 255], dtype=torch.uint8),
    "bool": torch.tensor([True, False, True]),
    "scalar": torch.tensor(2.5),
    "empty": torch.zeros(0, 4),
}
save("types.pt", types, types)

# Views: one storage behind all of them.
base = torch.arange(60, dtype=torch.float32)
grid = base.view(6, 10)
views = {
    "whole": grid,
    "tied": grid,
    "transposed": grid.t(),
    "rows": grid[2:4],
    "columns": grid[:, 3:5],
    "steps": grid[::2, ::3],
    "permuted": base.view(3, 4, 5).permute(2, 0, 1),
    "offset": base[7:13],
    "diagonal": grid.diagonal(),
    "repeated": base[4].expand(2, 3),
    "halves": grid.to(torch.float16)[1:, 1:].t(),
}
save("views.pt", views, views)

# A module as trainers save it: an OrderedDict with `_metadata`, and parameters with tied weights.
class Tiny(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(5, 4)
        self.norm = nn.LayerNorm(4)
        self.proj = nn.Linear(4, 5, bias=False)
        self.proj.weight = self.embed.weight
        self.register_buffer("steps", torch.tensor([3]))


module = Tiny()
state = module.state_dict()
save("module.pt", state, state)
save("parameters.pt", {"state_dict": dict(module.named_parameters())}, dict(module.named_parameters()))
save("fairseq2.pt", {"model": state, "model_key": "model"}, state)

# A training checkpoint: weights beside all else that trainers keep.
optimizer = torch.optim.AdamW(module.parameters(), lr=1e-3)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 10)
milestones = torch.optim.lr_scheduler.MultiStepLR(optimizer, [2, 4])
module.proj(module.norm(module.embed(torch.tensor([1, 2])))).sum().backward()
optimizer.step()
scheduler.step()
np_state = np.random.get_state()
training = {
    "epoch": 3,
    "global_step": 2**40,
    "seed": 2**100,
    "best_loss": np.float64(2.5),
    "loss": float("inf"),
    "config": argparse.Namespace(lr=1e-3, name="tiny", path=Path("a/b")),
    "dtype": torch.float16,
    "device": torch.device("cpu"),
    "size": torch.Size([1, 2]),
    "names": {"a", "b"},
    "optimizer_state_dict": optimizer.state_dict(),
    "scheduler_state_dict": scheduler.state_dict(),
    "milestones": milestones.state_dict(),
    "torch_rng": torch.get_rng_state()[:16].clone(),
    "cuda_rng": [torch.zeros(4, dtype=torch.uint8)],
    "numpy_rng": (np_state[0], np_state[1][:4].copy(), *np_state[2:]),
    "python_rng": (random.getstate()[0], random.getstate()[1][:4], None),
    "model_state_dict": module.state_dict(),
}
save("training.pt", training, module.state_dict())
save("training5.pt", training, module.state_dict(), pickle_protocol=5)

# SONAR encoders before fairseq2: the embedding is a module beside the state dict.
legacy = OrderedDict(
    (name, tensor)
    for name, tensor in nn.TransformerEncoderLayer(4, 2, 8).state_dict().items()
    if name.startswith("norm")
)
embedding = nn.Embedding(6, 4, padding_idx=1)
save(
    "embedTokens.pt",
    {"state_dict": legacy, "embed_tokens": embedding},
    {**legacy, "embed_tokens.weight": embedding.weight},
)

nested = {"encoder": {"a": small(2), "b": {"c": small(1)}}, "step": 4}
save("nested.pt", {"model": nested}, {"encoder.a": nested["encoder"]["a"], "encoder.b.c": nested["encoder"]["b"]["c"]})


# What must be refused, each with its own words.
def refuse(name, content, **options):
    torch.save(content, folder / name, **options)


weight = small(2, 3)
refuse("refused.legacy.pt", {"weight": weight}, _use_new_zipfile_serialization=False)
refuse("refused.sparse.pt", {"weight": weight.to_sparse()})
refuse("refused.csr.pt", {"weight": weight.to_sparse_csr()})
refuse("refused.quantized.pt", {"weight": torch.quantize_per_tensor(weight, 0.1, 0, torch.qint8)})
refuse("refused.channels.pt", {"weight": torch.quantize_per_channel(weight, torch.ones(2), torch.zeros(2), 0, torch.qint8)})
refuse("refused.meta.pt", {"weight": torch.empty(2, device="meta")})
refuse("refused.complex.pt", {"weight": torch.complex(weight, weight)})
refuse("refused.int16.pt", {"weight": weight.to(torch.int16)})
refuse("refused.float8.pt", {"weight": weight.to(torch.float8_e4m3fn)})
refuse("refused.module.pt", nn.Linear(1, 1))
torch.jit.script(nn.Linear(1, 1)).save(folder / "refused.torchscript.pt")

(folder / "golden.json").write_text(json.dumps(golden, indent=1) + "\n")
