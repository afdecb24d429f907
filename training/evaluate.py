"""
Measures the built-in model on held-out documents.

`python -m training.evaluate` reads models/builtin, writes evaluation.json and continuations.md into it
and prints the figures. Documents are those that corpus.py holds out by hash; none of them was seen by
the vocabulary, the autoencoder, the normaliser or the concept models.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from training.chrf import chrf
from training.codec import Codec
from training.corpus import DEFAULT_CACHE, END_OF_TEXT, SOURCES, Corpus, load_corpus
from training.diffusion import sample_everywhere, sample_next
from training.export import DEFAULT_OUT, load_exported
from training.lcm import BaseLcm, SonarNormalizer
from training.two_tower import TwoTowerLcm
from training.token_loss import decoder_prefix
from training.vocabulary import EOS

NOISE_COSINE = 0.9
STOP_COSINE = 0.9


def held_out_documents(corpus: Corpus) -> list[np.ndarray]:
    """Returns the rows of each held-out document."""
    rows = np.flatnonzero(corpus.held_out)
    return np.split(rows, np.flatnonzero(np.diff(corpus.document[rows])) + 1)


def text_of(codec: Codec, corpus: Corpus, row: int) -> str:
    return codec.vocabulary.decode(corpus.sentence(row).tolist())


def add_noise(embeddings: Tensor, normalizer: SonarNormalizer, generator: torch.Generator) -> Tensor:
    """Moves normalised embeddings in random directions until the cosine to their place is NOISE_COSINE."""
    x = normalizer.normalize(embeddings)
    noise = torch.randn(x.shape, generator=generator)
    noise *= x.norm(dim=1, keepdim=True) / noise.norm(dim=1, keepdim=True)
    return normalizer.denormalize(x + noise * (1 / NOISE_COSINE**2 - 1) ** 0.5)


@torch.no_grad()
def token_accuracy(codec: Codec, sentences: list[np.ndarray], embeddings: Tensor) -> tuple[float, float]:
    """Returns loss in nats and accuracy per token, teacher-forced, </s> included."""
    losses, hits, count = 0.0, 0, 0
    for sentence, embedding in zip(sentences, embeddings, strict=True):
        ids = torch.from_numpy(np.concatenate([[codec.vocabulary.lang], sentence.astype(np.int64), [EOS]]))[None]
        logits = codec.model.decode(decoder_prefix(ids), embedding[None])[0, 1:]
        losses += torch.nn.functional.cross_entropy(logits, ids[0, 1:], reduction="sum").item()
        hits += (logits.argmax(dim=1) == ids[0, 1:]).sum().item()
        count += len(logits)
    return losses / count, hits / count


def evaluate_autoencoder(
    codec: Codec, corpus: Corpus, normalizer: SonarNormalizer, count: int, max_pieces: int
) -> tuple[dict, list[tuple[str, str, str]]]:
    """Returns the figures, over all sources and each, and examples (text, decoded, decoded with noise)."""
    generator = torch.Generator().manual_seed(1)
    rows = np.flatnonzero(corpus.held_out & corpus.prose & (corpus.lengths <= max_pieces) & (corpus.lengths >= 3))
    rows = np.random.default_rng(1).permutation(rows)[:count]
    sentences = [corpus.sentence(row) for row in rows]
    texts = [codec.vocabulary.decode(sentence.tolist()) for sentence in sentences]
    embeddings = codec.encode_pieces(sentences)
    loss, accuracy = token_accuracy(codec, sentences[:400], embeddings[:400])
    decoded = codec.decode_text(embeddings)
    noised = codec.decode_text(add_noise(embeddings, normalizer, generator))
    again = codec.encode(decoded)
    cosine = torch.cosine_similarity(normalizer.normalize(embeddings), normalizer.normalize(again))
    is_exact = np.array([text == hypothesis for text, hypothesis in zip(texts, decoded, strict=True)])
    figures = {
        "sentences": len(rows),
        "held_out_loss": loss,
        "token_accuracy": accuracy,
        "exact_match": float(is_exact.mean()),
        "chrf": chrf(decoded, texts),
        "chrf_noised": chrf(noised, texts),
        "round_trip_cosine": float(cosine.mean()),
        "by_length": {},
        "by_source": {},
    }
    lengths, sources = corpus.lengths[rows], corpus.source[rows]
    groups = [("by_length", f"{low}-{low + 4}", (lengths >= low) & (lengths < low + 5)) for low in range(1, max_pieces, 5)]
    groups += [("by_source", name, sources == index) for index, name in enumerate(SOURCES)]
    for kind, name, chosen in groups:
        picked = np.flatnonzero(chosen)
        if len(picked) >= 10:
            score = chrf([decoded[i] for i in picked], [texts[i] for i in picked])
            figures[kind][name] = {"sentences": len(picked), "chrf": score, "exact_match": float(is_exact[picked].mean())}
    return figures, list(zip(texts, decoded, noised, strict=True))[:20]


def contrastive_accuracy(predicted: Tensor, target: Tensor, position: Tensor) -> float:
    """
    Returns the share of the batch that is further from the prediction than the truth is.

    Neighbours of the truth in its document (±1) do not count. All [M, E]; position [M] numbers the
    concepts, with a gap between documents. Source: arXiv:2412.08821, section 2.4.1.
    """
    distance = torch.cdist(predicted, target)  # [M, M]
    counts = (position[:, None] - position[None, :]).abs() > 1
    is_further = distance > distance.diagonal()[:, None]
    return (is_further & counts).sum().item() / counts.sum().item()


@torch.no_grad()
def evaluate_lcm(
    codec: Codec, corpus: Corpus, base: BaseLcm, two_tower: TwoTowerLcm, windows: int, length: int
) -> dict:
    """Teacher-forced next concepts of held-out windows, against copying the last, the centre and a random one."""
    generator = torch.Generator().manual_seed(1)
    rng = np.random.default_rng(1)
    documents = [rows for rows in held_out_documents(corpus) if len(rows) >= length]
    documents = [documents[i] for i in rng.permutation(len(documents))[:windows]]
    chosen = [rows[start : start + length] for rows in documents for start in [rng.integers(0, len(rows) - length + 1)]]
    flat = codec.encode_pieces([corpus.sentence(row) for rows in chosen for row in rows])
    x = flat.view(len(chosen), length, -1)  # [N, S, E]
    is_target = torch.from_numpy(np.stack([corpus.prose[rows] & (corpus.lengths[rows] <= 30) for rows in chosen]))
    is_target[:, 0] = False
    position = torch.arange(len(chosen))[:, None] * (length + 10) + torch.arange(length)
    normalizer = base.normalizer
    target, where = normalizer.normalize(x), is_target

    base_predicted = torch.zeros_like(x)
    base_predicted[:, 1:] = base(target[:, :-1])
    candidates = {
        "base": base_predicted,
        "two-tower": sample_everywhere(two_tower, target, generator),
        "two-tower without guidance": sample_everywhere(two_tower, target, generator, guidance_scale=1.0),
        "copy the last": torch.cat([target[:, :1], target[:, :-1]], dim=1),
        "centre": torch.zeros_like(x),
        "random sentence": target.reshape(-1, x.shape[2])[torch.randperm(len(flat), generator=generator)].view_as(x),
    }
    figures = {}
    for name, predicted in candidates.items():
        raw = (normalizer.denormalize(predicted) - x)[where].norm(dim=1)
        figures[name] = {
            "l2": raw.mean().item(),
            "normalized_mse": (predicted - target)[where].square().mean().item(),
            "contrastive_accuracy": contrastive_accuracy(predicted[where], target[where], position[where]),
        }
    return {"concepts": int(where.sum()), "windows": len(chosen), "window_length": length, "models": figures}


@torch.no_grad()
def continue_documents(
    codec: Codec, corpus: Corpus, base: BaseLcm, two_tower: TwoTowerLcm, count: int, context_length: int = 4, steps: int = 3
) -> str:
    """Returns Markdown with the beginnings of the first `count` fitting documents, what came next, and what we write."""
    generator = torch.Generator().manual_seed(1)
    end = codec.encode([END_OF_TEXT])
    fitting = [
        rows for rows in held_out_documents(corpus)
        if len(rows) > context_length and (corpus.lengths[rows[:context_length]] <= 30).all()
    ]  # fmt: skip
    fitting = [fitting[i] for i in np.random.default_rng(1).permutation(len(fitting))[:count]]
    lines = []
    for rows in fitting:
        lines += [f"### {SOURCES[corpus.source[rows[0]]]}", ""]
        lines += ["> " + " ".join(text_of(codec, corpus, row) for row in rows[:context_length]), ""]
        lines += [f"- original: {text_of(codec, corpus, rows[context_length])}"]
        for name in ("base", "two-tower"):
            context = codec.encode_pieces([corpus.sentence(row) for row in rows[:context_length]])[None]
            written = []
            for _ in range(steps):
                if name == "base":
                    x = base.normalizer.normalize(context)
                    concept = base.normalizer.denormalize(base(x)[:, -1])
                else:
                    x = two_tower.normalizer.normalize(context)
                    concept = two_tower.normalizer.denormalize(sample_next(two_tower, x, generator))
                centred = torch.cosine_similarity(base.normalizer.normalize(concept), base.normalizer.normalize(end))
                if centred.item() >= STOP_COSINE:
                    written.append("[end]")
                    break
                written += codec.decode_text(concept)
                context = torch.cat([context, concept[None]], dim=1)
            lines += [f"- {name}: {' '.join(written)}"]
        lines += [""]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, default=DEFAULT_CACHE)
    parser.add_argument("--model", type=Path, default=DEFAULT_OUT)
    parser.add_argument("--sentences", type=int, default=1000)
    parser.add_argument("--max-pieces", type=int, default=25)
    parser.add_argument("--windows", type=int, default=64)
    parser.add_argument("--length", type=int, default=16)
    parser.add_argument("--continuations", type=int, default=15)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)

    started = time.time()
    corpus = load_corpus(arguments.cache)
    codec, base, two_tower = load_exported(arguments.model)
    autoencoder, examples = evaluate_autoencoder(
        codec, corpus, base.normalizer, arguments.sentences, arguments.max_pieces
    )
    print(json.dumps(autoencoder, indent=1), flush=True)
    figures = {
        "autoencoder": autoencoder,
        "lcm": evaluate_lcm(codec, corpus, base, two_tower, arguments.windows, arguments.length),
    }
    print(json.dumps(figures["lcm"], indent=1), flush=True)
    (arguments.model / "evaluation.json").write_text(json.dumps(figures, indent=1) + "\n")
    lines = ["# Decodings of held-out sentences, unpicked", ""]
    for text, decoded, noised in examples:
        lines += [f"- original: {text}", f"  - decoded: {decoded}", f"  - decoded with noise, cosine {NOISE_COSINE}: {noised}"]
    lines += ["", "# Continuations of held-out documents, unpicked", ""]
    lines += [continue_documents(codec, corpus, base, two_tower, arguments.continuations)]
    (arguments.model / "continuations.md").write_text("\n".join(lines))
    print(f"{time.time() - started:.0f} s")


if __name__ == "__main__":
    main()
