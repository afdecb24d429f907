"""What is left of a sentence that went through its concept."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from training.codec import Codec
from training.evaluation.bleu import bleu
from training.evaluation.chrf import chrf
from training.evaluation.geometry import Standard
from training.evaluation.words import is_well_formed
from training.token_loss import decoder_prefix
from training.vocabulary import EOS

NOISE_COSINE = 0.9
NUM_NOISED = 100
NUM_INTERPOLATED = 200
NUM_TEACHER_FORCED = 400
MIN_GROUP = 10  # Smaller groups of a length or a source say nothing.
EXAMPLES = 20


def add_noise(embeddings: Tensor, standard: Standard, generator: torch.Generator) -> Tensor:
    """Moves standardised embeddings in random directions until the cosine to their place is NOISE_COSINE."""
    x = standard.apply(embeddings)
    noise = torch.randn(x.shape, generator=generator)
    noise *= x.norm(dim=1, keepdim=True) / noise.norm(dim=1, keepdim=True)
    return standard.undo(x + noise * (1 / NOISE_COSINE**2 - 1) ** 0.5)


@torch.no_grad()
def token_accuracy(codec: Codec, texts: list[str], embeddings: Tensor) -> tuple[float, float]:
    """Returns loss in nats and accuracy per token, teacher-forced, </s> included."""
    losses, hits, count = 0.0, 0, 0
    for text, embedding in zip(texts, embeddings, strict=True):
        ids = torch.tensor([[codec.vocabulary.lang, *codec.vocabulary.encode(text), EOS]])
        logits = codec.model.decode(decoder_prefix(ids), embedding[None])[0, 1:]
        losses += torch.nn.functional.cross_entropy(logits, ids[0, 1:], reduction="sum").item()
        hits += (logits.argmax(dim=1) == ids[0, 1:]).sum().item()
        count += len(logits)
    return losses / count, hits / count


def overlap(texts: list[str], decoded: list[str]) -> dict:
    exact = np.mean([text == hypothesis for text, hypothesis in zip(texts, decoded, strict=True)])
    return {
        "sentences": len(texts), "chrf": chrf(decoded, texts), "bleu": bleu(decoded, texts), "exact_match": float(exact),
    }  # fmt: skip


def length_group(pieces: int) -> str:
    low = (pieces - 1) // 5 * 5 + 1
    return f"{low}-{low + 4}"


def grouped_overlap(groups: list[str], texts: list[str], decoded: list[str]) -> dict[str, dict]:
    """Returns the overlap of each group that is large enough, in the order of their numbers or names."""
    names = sorted(set(groups), key=lambda name: (len(name.split("-")[0]) if name[0].isdigit() else 0, name))
    picked = {name: [i for i, group in enumerate(groups) if group == name] for name in names}
    return {
        name: overlap([texts[i] for i in rows], [decoded[i] for i in rows])
        for name, rows in picked.items()
        if len(rows) >= MIN_GROUP
    }


def well_formed_share(texts: list[str], known: frozenset[str]) -> float:
    return float(np.mean([is_well_formed(text, known) for text in texts]))


def evaluate_fragile(codec: Codec, items: list[dict]) -> dict:
    """How often a number or a name is not in the decoded sentence as it was."""
    decoded = codec.decode_text(codec.encode([item["text"] for item in items]))
    lost = {"number": [], "name": []}
    for item, text in zip(items, decoded, strict=True):
        for span in item["spans"]:
            lost["number" if span[0].isdigit() else "name"].append(span not in text)
    changed = [any(span not in text for span in item["spans"]) for item, text in zip(items, decoded, strict=True)]
    return {
        "sentences": len(items),
        "sentences_changed": float(np.mean(changed)),
        **{f"{kind}s": len(found) for kind, found in lost.items()},
        **{f"{kind}s_changed": float(np.mean(found)) for kind, found in lost.items() if found},
    }


def evaluate_autoencoder(codec: Codec, items: dict, standard: Standard, embeddings: Tensor) -> dict:
    """
    Returns the figures, over all sentences and by length and source, and examples.

    items: the evaluation set; embeddings [N, E] of items["sentences"].
    """
    generator = torch.Generator().manual_seed(1)
    known = frozenset(items["words"])
    sentences = items["sentences"]
    texts = [sentence["text"] for sentence in sentences]
    loss, accuracy = token_accuracy(codec, texts[:NUM_TEACHER_FORCED], embeddings[:NUM_TEACHER_FORCED])
    decoded = codec.decode_text(embeddings)
    noised = codec.decode_text(add_noise(embeddings, standard, generator))
    half = len(embeddings) // 2
    between = (embeddings[:half] + embeddings[half : 2 * half])[:NUM_INTERPOLATED] / 2
    interpolated = codec.decode_text(between)
    return {
        **overlap(texts, decoded),
        "held_out_loss": loss,
        "token_accuracy": accuracy,
        "chrf_noised": chrf(noised, texts),
        "round_trip_cosine": standard.cosine(embeddings, codec.encode(decoded)).mean().item(),
        "well_formed": {
            "original": well_formed_share(texts, known),
            "decoded": well_formed_share(decoded, known),
            "noised": well_formed_share(noised[:NUM_NOISED], known),
            "interpolated": well_formed_share(interpolated, known),
        },
        "fragile": evaluate_fragile(codec, items["fragile"]),
        "by_length": grouped_overlap([length_group(sentence["pieces"]) for sentence in sentences], texts, decoded),
        "by_source": grouped_overlap([sentence["source"] for sentence in sentences], texts, decoded),
        "examples": [
            {"text": texts[i], "decoded": decoded[i], "noised": noised[i]} for i in range(min(EXAMPLES, len(texts)))
        ],
        "interpolations": [
            {"a": texts[i], "b": texts[half + i], "between": interpolated[i]} for i in range(min(10, len(interpolated)))
        ],
    }  # fmt: skip
