"""
Trains the rival of the concept models, token_lm.py, on the documents that they are trained on.

All documents of embed.py in random order, one after the other, are one stream, `<s>` sentence `</s>`
sentence `</s>` …; a batch is rows of 256 tokens of it, without padding. What stands before `<s>` in a
row belongs to another document, which the model learns to forget, as usual.

`python -m training.train_token_lm --embeddings-of autoencoder` begins with the autoencoder's table of
embeddings, so that the rival does not have to learn the vocabulary anew; nothing else is taken over.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import asdict

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from training.checkpoint import load_checkpoint
from training.corpus import Corpus, load_corpus
from training.embed import choose_documents
from training.linear import Linear, rounded_linear
from training.run import Run, begin, run_main, run_parser
from training.schedule import Schedule
from training.token_lm import TokenLm, TokenLmConfig
from training.token_loss import sample_candidates
from training.vocabulary import BOS, EOS, Vocabulary

HELD_OUT_ROWS = 64


def document_tokens(corpus: Corpus, rows: np.ndarray) -> np.ndarray:
    """Returns `<s>` sentence `</s>` sentence `</s>` …"""
    parts = [np.array([BOS])]
    for row in rows:
        parts += [corpus.sentence(row), np.array([EOS])]
    return np.concatenate(parts).astype(np.int64)


class Stream:
    """The documents as one stream of tokens, cut into rows of one more token than is foretold."""

    def __init__(self, corpus: Corpus, documents: list[np.ndarray], length: int, seed: int) -> None:
        order = np.random.default_rng(seed).permutation(len(documents))
        tokens = np.concatenate([document_tokens(corpus, documents[i]) for i in order])
        count = (len(tokens) - 1) // length
        starts = np.arange(count)[:, None] * length + np.arange(length + 1)
        self.rows = tokens[starts]  # [rows, length + 1]

    def batches(self, rows: int, step: int, seed: int) -> Iterator[Tensor]:
        """Yields batches from `step` on, [rows, length + 1]: pass after pass, each in an order of its own."""
        per_pass = len(self.rows) // rows
        while True:
            order = np.random.default_rng([seed, step // per_pass]).permutation(len(self.rows))
            for index in range(step % per_pass, per_pass):
                yield torch.from_numpy(self.rows[order[index * rows : (index + 1) * rows]])
                step += 1


def loss_of(
    model: TokenLm, ids: Tensor, candidates: Tensor, corrections: Tensor, targets: Tensor
) -> Tensor:
    """Returns the nats per token, over a part of the vocabulary; ids [N, S], targets [N, S] among the candidates."""
    states = model.states(ids).flatten(0, 1)  # [N·S, D]
    table = model.embed.weight[candidates]
    logits = (rounded_linear(states, table) if Linear.rounds else F.linear(states, table)) + corrections
    return F.cross_entropy(logits, targets.flatten())


@torch.no_grad()
def held_out_loss(model: TokenLm, rows: Tensor) -> float:
    """Returns the nats per token over the whole vocabulary."""
    model.eval()
    losses = []
    for row in rows.split(8):
        logits = F.linear(model.states(row[:, :-1]), model.embed.weight)
        losses.append(F.cross_entropy(logits.flatten(0, 1), row[:, 1:].flatten()).item())
    model.train()
    return float(np.mean(losses))


def parse_arguments() -> argparse.Namespace:
    parser = run_parser(__doc__, run="token-lm", muon_lr=0.02, adam_lr=2e-3)
    parser.add_argument("--sentences", type=int, default=250_000, help="of training documents, as for embed.py")
    parser.add_argument("--embeddings-of", help="run of the autoencoder whose table of embeddings it begins with")
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--steps", type=int, default=100_000, help="ended earlier by the DECAY file, see schedule.py")
    parser.add_argument("--decay-from", type=int)
    parser.add_argument("--warmup-steps", type=int, default=100)
    parser.add_argument("--rows", type=int, default=16, help="rows of 256 tokens in a step")
    parser.add_argument("--candidates", type=int, default=2048, help="pieces in the sampled softmax")
    parser.add_argument("--compile", action=argparse.BooleanOptionalAction, default=True)
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    rng = begin(arguments)
    vocabulary = Vocabulary(arguments.cache / "tokenizer.model")
    corpus = load_corpus(arguments.cache)
    config = TokenLmConfig(vocab_size=vocabulary.size, num_layers=arguments.layers)
    documents = choose_documents(corpus, arguments.sentences, np.random.default_rng(1))
    is_held_out = [bool(corpus.held_out[rows[0]]) for rows in documents]
    training, held_out = (
        Stream(corpus, [d for d, held in zip(documents, is_held_out, strict=True) if held == wanted], config.max_seq_len, 1)
        for wanted in (False, True)
    )
    fixed = torch.from_numpy(held_out.rows[:HELD_OUT_ROWS])

    model = TokenLm(config)
    schedule = Schedule(arguments.warmup_steps, arguments.decay_from or arguments.steps, arguments.steps)
    run = Run(
        arguments.cache / arguments.run, asdict(config), model, schedule, rng,
        muon_lr=arguments.muon_lr, adam_lr=arguments.adam_lr, weight_decay=0.01,
    )  # fmt: skip
    if not run.resume() and arguments.embeddings_of is not None:
        state = load_checkpoint(arguments.cache / arguments.embeddings_of / "checkpoint.pt")
        model.embed.load_state_dict({"weight": state["model"]["embed.weight"]})
    parameters = sum(parameter.numel() for parameter in model.parameters())
    print(f"{parameters / 1e6:.1f} M parameters, {training.rows.size / 1e6:.1f} M tokens to train on", flush=True)

    loss_fn = torch.compile(loss_of) if arguments.compile else loss_of
    batches = training.batches(arguments.rows, run.step, arguments.seed)
    losses: list[float] = []
    for _ in run.steps():
        batch = next(batches)
        candidates, corrections, targets = sample_candidates(batch, config.vocab_size, arguments.candidates)
        loss = loss_fn(model, batch[:, :-1], candidates, corrections, targets[:, 1:])
        run.check(loss.item())
        loss.backward()
        run.update()
        run.tokens += batch[:, 1:].numel()
        losses.append(loss.item())
        if run.is_due(arguments.save_every):
            nats = held_out_loss(model, fixed)
            run.report(f"loss {np.mean(losses):.3f} held-out {nats:.3f}, perplexity {np.exp(nats):.0f}")
            losses.clear()
            run.save()


if __name__ == "__main__":
    run_main(main)
