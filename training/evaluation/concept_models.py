"""
The concept models: teacher-forced, as in the table of the LCM paper, and what they propose.

Source: Barrault et al. 2024 (arXiv:2412.08821), section 2.4.1: ℓ2, round-trip ℓ2, paraphrasing (PAR) and
contrastive accuracy, here in raw space as there; contrastive accuracy also in standardised space,
where no dimension counts more than another.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from training.codec import Codec
from training.evaluation.geometry import Standard, contrastive_accuracy, pair_cosines
from training.evaluation.words import goes_in_circles, is_well_formed, words_of
from training.predictors import Predictor

CONTEXT = 8  # Sentences of a window that candidates are asked to follow.
CANDIDATES = 4


@dataclass
class Windows:
    """Parts of documents: concepts x [N, S, E], which of them are targets [N, S], and their texts."""

    x: Tensor
    is_target: Tensor
    texts: list[list[str]]

    @staticmethod
    def of(codec: Codec, items: list[dict]) -> Windows:
        texts = [item["sentences"] for item in items]
        flat = codec.encode([text for window in texts for text in window])
        return Windows(flat.view(len(items), len(texts[0]), -1), torch.tensor([item["is_target"] for item in items]), texts)

    @property
    def position(self) -> Tensor:
        """Numbers all concepts, [N, S], with a gap between documents."""
        n, s = self.is_target.shape
        return torch.arange(n)[:, None] * (s + 10) + torch.arange(s)


def paraphrasing(predicted: Tensor, x: Tensor, is_target: Tensor) -> float:
    """PAR: the largest cosine of a prediction to a sentence before it, over that of the truth; the mean of the quotients."""
    unit = F.normalize(x, dim=-1)
    before = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).tril(-1)  # [S, T]

    def closest(y: Tensor) -> Tensor:
        cosines = F.normalize(y, dim=-1) @ unit.transpose(1, 2)  # [N, S, T]
        return cosines.masked_fill(~before, -1.0).amax(dim=2)  # [N, S]

    return (closest(predicted) / closest(x))[is_target].mean().item()


def teacher_forced(codec: Codec, windows: Windows, standard: Standard, predicted: Tensor) -> dict:
    """Returns the figures of predictions [N, S, E]."""
    where, target = windows.is_target, windows.x[windows.is_target]
    guess = predicted[where]  # [M, E]
    said = codec.encode(codec.decode_text(guess))
    position = windows.position[where]
    return {
        "l2": (guess - target).norm(dim=1).mean().item(),
        "round_trip_l2": (said - target).norm(dim=1).mean().item(),
        "par": paraphrasing(predicted, windows.x, where),
        "contrastive_accuracy": contrastive_accuracy(guess, target, position),
        "contrastive_accuracy_standardised": contrastive_accuracy(
            standard.apply(guess), standard.apply(target), position
        ),
        "squared_error_standardised": (standard.apply(guess) - standard.apply(target)).square().mean().item(),
        "self_consistency": standard.cosine(guess, said).mean().item(),
    }


def baselines(windows: Windows, standard: Standard, generator: torch.Generator) -> dict[str, Tensor]:
    """What costs nothing: the sentence before, the middle of all, and any sentence of the windows; and the truth itself."""
    x = windows.x
    flat = x.reshape(-1, x.shape[2])
    return {
        "copy the last": torch.cat([x[:, :1], x[:, :-1]], dim=1),
        "centre": standard.mean.expand_as(x),
        "random sentence": flat[torch.randperm(len(flat), generator=generator)].view_as(x),
        "the truth": x,
    }


def distinct(texts: list[str], order: int) -> float:
    """Returns the share of n-grams of words, over several texts together, that are different ones."""
    words = [words_of(text) for text in texts]
    found = [tuple(w[i : i + order]) for w in words for i in range(len(w) - order + 1)]
    return len(set(found)) / len(found) if found else 0.0


def says_again(text: str, context: list[str], order: int = 4) -> bool:
    """Whether four words in a row stand in the context already."""

    def runs(words: list[str]) -> set[tuple[str, ...]]:
        return {tuple(words[i : i + order]) for i in range(len(words) - order + 1)}

    return any(runs(words_of(text)) & runs(words_of(sentence)) for sentence in context)


def propose(
    codec: Codec, windows: Windows, standard: Standard, known: frozenset[str], predictor: Predictor
) -> dict:
    """Returns how different and how sound several candidates for one place are."""
    generator = torch.Generator().manual_seed(1)
    drawn = predictor.sample_next(windows.x[:, :CONTEXT], CANDIDATES, generator)  # [N, count, E]
    flat = drawn.flatten(0, 1)
    texts = codec.decode_text(flat)
    groups = [texts[i : i + CANDIDATES] for i in range(0, len(texts), CANDIDATES)]
    again = [
        says_again(text, window[:CONTEXT]) for group, window in zip(groups, windows.texts, strict=True) for text in group
    ]
    return {
        "contexts": len(groups),
        "candidates": CANDIDATES,
        "distance": float(np.mean([1 - pair_cosines(c - standard.mean).mean().item() for c in drawn])),
        "different_texts": float(np.mean([len(set(group)) / CANDIDATES for group in groups])),
        "distinct_1": float(np.mean([distinct(group, 1) for group in groups])),
        "distinct_2": float(np.mean([distinct(group, 2) for group in groups])),
        "in_circles": float(np.mean([goes_in_circles(words_of(text)) for text in texts])),
        "says_again": float(np.mean(again)),
        "well_formed": float(np.mean([is_well_formed(text, known) for text in texts])),
        "self_consistency": standard.cosine(flat, codec.encode(texts)).mean().item(),
    }


def evaluate_concept_models(codec: Codec, predictors: dict[str, Predictor], items: dict, standard: Standard) -> dict:
    generator = torch.Generator().manual_seed(1)
    windows = Windows.of(codec, items["windows"])
    predicted = {name: p.predict_everywhere(windows.x, generator) for name, p in predictors.items()}
    guesses = predicted | baselines(windows, standard, generator)
    known = frozenset(items["words"])
    return {
        "concepts": int(windows.is_target.sum()),
        "windows": len(windows.texts),
        "window_length": len(windows.texts[0]),
        "teacher_forced": {name: teacher_forced(codec, windows, standard, y) for name, y in guesses.items()},
        "candidates": {name: propose(codec, windows, standard, known, p) for name, p in predictors.items()},
    }


def continue_paragraphs(codec: Codec, predictors: dict[str, Predictor], paragraphs: list[dict]) -> list[dict]:
    """Returns every paragraph's beginning, the real next sentence, and the first one that each model writes."""
    contexts = codec.encode([text for item in paragraphs for text in item["context"]])
    x = contexts.view(len(paragraphs), len(paragraphs[0]["context"]), -1)  # [N, T, E]
    written = {}
    for name, predictor in predictors.items():
        generator = torch.Generator().manual_seed(1)
        written[name] = codec.decode_text(predictor.sample_next(x, 1, generator)[:, 0])
    return [
        item | {"written": {name: [texts[i]] for name, texts in written.items()}} for i, item in enumerate(paragraphs)
    ]
