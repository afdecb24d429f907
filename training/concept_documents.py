"""The concepts of all documents, as embed.py wrote them, and windows cut from them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from training.errors import CorpusMissingError


class ConceptDocuments:
    """
    embeddings [M, E] in document order, is_target [M] whether a model may be asked for them,
    row [M] of the corpus, −1 for "End of text."; held_out and source of each document.
    """

    def __init__(self, path: Path) -> None:
        if not path.exists():
            raise CorpusMissingError(f"{path}: not found; run `python -m training.embed` first")
        with np.load(path) as arrays:
            self.embeddings = torch.from_numpy(arrays["embeddings"])  # [M, E] float16
            self.is_target = torch.from_numpy(arrays["is_target"])
            self.row = arrays["row"]
            bounds = np.flatnonzero(np.diff(arrays["document"])) + 1
            self.held_out, self.source = arrays["held_out"], arrays["source"]
        self.starts = np.concatenate([[0], bounds])
        self.ends = np.concatenate([bounds, [len(self.embeddings)]])

    def sample(self, count: int) -> Tensor:
        """Returns concepts of training documents, [count, E], always the same."""
        training = np.flatnonzero(np.repeat(~self.held_out, self.ends - self.starts))
        return self.embeddings[torch.from_numpy(np.random.default_rng(0).choice(training, count))].float()

    def draw_places(self, rng: np.random.Generator, windows: int, length: int, held_out: bool) -> Tensor:
        """Returns windows as places in `embeddings`, [N, S], −1 beyond the end of a document."""
        documents = np.flatnonzero(self.held_out == held_out)
        sizes = np.cumsum(self.ends[documents] - self.starts[documents])
        drawn = documents[np.searchsorted(sizes, rng.random(windows) * sizes[-1], side="right")]
        places = torch.full((windows, length), -1)
        for index, document in enumerate(drawn):
            start, end = self.starts[document], self.ends[document]
            first = rng.integers(start, max(start + 1, end - length + 1)) if rng.random() < 0.8 else start
            last = min(end, first + length)
            places[index, : last - first] = torch.arange(first, last)
        return places

    def at(self, places: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the concepts of places, [N, S, E], zero beyond the end, and which are targets, [N, S]."""
        exists = places >= 0
        x = self.embeddings[places.clamp(min=0)].float() * exists.unsqueeze(-1)
        return x, self.is_target[places.clamp(min=0)] & exists

    def draw(self, rng: np.random.Generator, windows: int, length: int, held_out: bool) -> tuple[Tensor, Tensor]:
        return self.at(self.draw_places(rng, windows, length, held_out))
