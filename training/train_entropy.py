"""
Trains the byte entropy model: the next byte of texts, in chunks of one length.

  loss = − log p(byte i + 1 | BOS, bytes ≤ i)

Three of four chunks begin with a text, the others in the middle of one behind a BOS of their own, as
long texts are read in pieces. Where a text ends, the next one follows behind its BOS; the network
learns to begin anew there.

`python -m training.train_entropy`; a second call continues the run.
"""

from __future__ import annotations

import argparse
import math
from dataclasses import asdict

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from training.byte_corpus import ByteCorpus, load_bytes
from training.entropy import BOS, EntropyConfig, EntropyModel
from training.run import Run, begin, run_main, run_parser
from training.schedule import Schedule


def draw_chunks(corpus: ByteCorpus, rng: np.random.Generator, count: int, length: int) -> Tensor:
    """Returns ids [N, S + 1], of which the first S are read and the last S are said."""
    span = np.arange(length + 1)
    last = len(corpus.train) - len(span)
    begins = rng.choice(corpus.train_starts[corpus.train_starts <= last], count)
    middles = rng.integers(0, last, count)
    chunks = corpus.train[np.where(rng.random(count) < 0.75, begins, middles)[:, None] + span]
    chunks[:, 0] = BOS
    return torch.from_numpy(chunks.astype(np.int64))


def held_out_chunks(corpus: ByteCorpus, length: int, per_origin: int = 12) -> Tensor:
    """Returns ids [N, S + 1] from the beginnings of held-out texts, as many of each origin."""
    span = np.arange(length + 1)
    last = len(corpus.held_out) - len(span)
    chosen = []
    for origin in np.unique(corpus.held_out_origin):
        starts = corpus.held_out_starts[corpus.held_out_origin == origin]
        starts = starts[starts <= last]
        chosen.extend(starts[:: max(1, len(starts) // per_origin)][:per_origin])
    return torch.from_numpy(corpus.held_out[np.array(chosen)[:, None] + span].astype(np.int64))


@torch.no_grad()
def bits_per_byte(model: EntropyModel, chunks: Tensor) -> float:
    """Returns the bits that a byte of held-out text takes; the BOS between texts is not a byte."""
    nats, count = 0.0, 0
    for rows in chunks.split(32):
        targets = rows[:, 1:].flatten()
        losses = F.cross_entropy(model(rows[:, :-1]).flatten(0, 1), targets, reduction="none")
        is_byte = targets != BOS
        nats += losses[is_byte].sum().item()
        count += int(is_byte.sum())
    return nats / count / math.log(2)


def parse_arguments() -> argparse.Namespace:
    parser = run_parser(__doc__, run="entropy", muon_lr=0.02, adam_lr=4e-3, save_every=50, threads=1)
    parser.add_argument("--steps", type=int, default=900)
    parser.add_argument("--decay-share", type=float, default=0.5)
    parser.add_argument("--warmup-steps", type=int, default=20)
    parser.add_argument("--chunks", type=int, default=32, help="chunks of a step")
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    rng = begin(arguments)
    corpus = load_bytes(arguments.cache)
    config = EntropyConfig()
    model = EntropyModel(config)
    held_out = held_out_chunks(corpus, config.max_seq_len)
    schedule = Schedule(arguments.warmup_steps, round(arguments.steps * (1 - arguments.decay_share)), arguments.steps)
    run = Run(
        arguments.cache / arguments.run, asdict(config), model, schedule, rng,
        muon_lr=arguments.muon_lr, adam_lr=arguments.adam_lr, betas=(0.9, 0.98),
    )  # fmt: skip
    run.resume()

    losses: list[float] = []
    for _ in run.steps():
        ids = draw_chunks(corpus, rng, arguments.chunks, config.max_seq_len)
        loss = F.cross_entropy(model(ids[:, :-1]).flatten(0, 1), ids[:, 1:].flatten())
        run.check(loss.item())
        loss.backward()
        run.update()
        run.tokens += ids.shape[0] * config.max_seq_len
        losses.append(loss.item() / math.log(2))
        if run.is_due(arguments.save_every):
            model.eval()
            run.report(f"bits per byte {np.mean(losses):.3f} held-out {bits_per_byte(model, held_out):.3f}")
            model.train()
            losses.clear()
            run.save()


if __name__ == "__main__":
    run_main(main)
