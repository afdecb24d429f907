"""Whether meaning, and not wording, decides who is near whom."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from training.codec import Codec
from training.evaluation.geometry import Standard, pair_cosines, retrieval_error, separation, uniformity

SHOWN = 50


def evaluate_retrieval(codec: Codec, lang: str, pairs: list[list[str]], fill: list[str], mean: Tensor) -> dict:
    """
    Returns the share of translations that are not nearest to their original, both ways.

    English candidates are those of the pairs and, where the language has fewer, other sentences.
    """
    other = codec.encode([a for a, _ in pairs], lang)
    english = codec.encode([b for _, b in pairs] + fill)
    figures = {"pairs": len(pairs), "english_candidates": len(english)}
    for name, centre in (("", torch.zeros_like(mean)), ("_centred", mean)):
        figures[f"to_english{name}"] = retrieval_error(other - centre, english - centre)
        figures[f"from_english{name}"] = retrieval_error(english[: len(pairs)] - centre, other - centre)
    return figures


def evaluate_paraphrases(codec: Codec, items: dict, standard: Standard, embeddings: Tensor) -> dict:
    """Paraphrases against sentences that only stand next to each other, and those against unrelated ones."""
    cosines = {}
    for name in ("paraphrases", "neighbours"):
        a, b = (codec.encode([pair[side] for pair in items[name]]) for side in (0, 1))
        cosines[name] = standard.cosine(a, b)
    half = len(embeddings) // 2
    cosines["unrelated"] = standard.cosine(embeddings[:half], embeddings[half : 2 * half])
    return {
        "auc": separation(cosines["paraphrases"], cosines["neighbours"]),
        "auc_neighbour_unrelated": separation(cosines["neighbours"], cosines["unrelated"]),
        "cosine": {name: found.mean().item() for name, found in cosines.items()},
    }


def nearest(texts: list[str], embeddings: Tensor) -> list[dict]:
    """Returns each of the first sentences with the other that is nearest to it by cosine, as the extension ranks them."""
    unit = F.normalize(embeddings, dim=1)
    cosines = unit @ unit.T
    cosines.fill_diagonal_(-1)
    best, index = cosines[:SHOWN].max(dim=1)
    return [
        {"text": text, "nearest": texts[i], "cosine": round(cosine, 3)}
        for text, i, cosine in zip(texts, index.tolist(), best.tolist(), strict=False)
    ]


def evaluate_space(codec: Codec, langs: list[str], items: dict, standard: Standard, embeddings: Tensor) -> dict:
    """Returns the figures. embeddings [N, E] of items["sentences"]; langs: those that the model knows."""
    around = {"": embeddings, "_centred": embeddings - standard.mean}
    figures: dict = {
        "retrieval": {
            lang: evaluate_retrieval(codec, lang, part["pairs"], part["fill"], standard.mean)
            for lang, part in items["translations"].items()
            if lang in langs
        },
        "paraphrases": evaluate_paraphrases(codec, items, standard, embeddings),
    }
    for name, x in around.items():
        cosines = pair_cosines(x)
        figures[f"uniformity{name}"] = uniformity(cosines)
        figures[f"mean_cosine{name}"] = cosines.mean().item()
    figures["nearest"] = nearest([sentence["text"] for sentence in items["sentences"]], embeddings)
    return figures
