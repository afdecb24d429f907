"""Saves and loads the state of a run; a checkpoint never replaces another before it is complete."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from training.errors import TrainingStopped
from training.schedule import Schedule


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    torch.save(state, partial)
    partial.replace(path)


def load_checkpoint(path: Path, config: dict[str, Any] | None = None) -> dict[str, Any]:
    """
    Reads a checkpoint of ours.

    Raises TrainingStopped when it is missing or was made with another configuration.
    """
    if not path.exists():
        raise TrainingStopped(f"{path}: not found; train it first")
    with torch.serialization.safe_globals([Schedule]):
        state = torch.load(path, weights_only=True)
    if config is not None and state["config"] != config:
        differing = {key: (config.get(key), value) for key, value in state["config"].items() if config.get(key) != value}
        raise TrainingStopped(f"{path}: expected and found configurations differ: {differing}")
    return state
