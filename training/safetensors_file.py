"""
Reads and writes the safetensors format.

  8 bytes little-endian length of the header, the header in JSON, the tensors one after another
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
from torch import Tensor


def write_safetensors(path: Path, tensors: dict[str, Tensor]) -> None:
    """Writes every tensor as float16, sorted by name."""
    header: dict[str, dict] = {}
    offset = 0
    for name in sorted(tensors):
        size = tensors[name].numel() * 2
        header[name] = {"dtype": "F16", "shape": list(tensors[name].shape), "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # Aligns the data to 8 bytes.
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little"))
        file.write(text)
        for name in sorted(tensors):
            values = tensors[name].detach().numpy().astype("<f2")
            if not np.isfinite(values).all():
                raise ValueError(f"{name}: has values that float16 cannot hold")
            file.write(values.tobytes())


def read_safetensors(path: Path) -> dict[str, Tensor]:
    """Returns the tensors of a file written by `write_safetensors`, as float32."""
    data = path.read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    tensors = {}
    for name, entry in json.loads(data[8:start]).items():
        begin, end = entry["data_offsets"]
        values = np.frombuffer(data[start + begin : start + end], dtype="<f2").astype(np.float32)
        tensors[name] = torch.from_numpy(values).reshape(entry["shape"])
    return tensors
