"""
Trains the encoder and the decoder together on pairs of sentences: neighbours in a document,
translations, and paraphrases.

  loss = − log p(a </s> | e_a or e_b + noise) − log p(b </s> | e_b or e_a + noise) + λ contrast(R e_a, e_b)

Neighbours are said again, each from its own concept, and R is a learnt matrix, so that a sentence's
concept foretells the next; translations and paraphrases are also said from each other's concept,
and R is the identity, so that one meaning has one place.

Both sides of a micro-batch have sentences of exactly one length each, so there is no padding. Half of
the embeddings get Gaussian noise before decoding, because the decoder will be given predicted concepts
that lie between those of real sentences; some of the decoder's input pieces are hidden, because it
shall read the concept and not only continue its own text. The longest allowed sentence grows during
the first steps: words are learnt first and cheapest on short sentences.

With `--freeze-encoder` and more noise the decoder alone learns to speak well of vague concepts too (the
robust decoder of arXiv:2412.08821, section 2.5.2), while the space stays as it is.

`python -m training.train_autoencoder --run autoencoder`; a second call continues the run.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.fx.experimental._config
import torch.nn.functional as F
from torch import Tensor, nn

from training.batches import MAX_PIECES, PairSampler, SentenceSampler, neighbour_pairs, translation_pairs
from training.corpus import load_corpus
from training.run import Run, begin, run_main, run_parser
from training.safetensors_file import read_safetensors
from training.schedule import Schedule
from training.sonar import SonarAutoencoder, SonarConfig
from training.token_loss import decoder_prefix, sample_candidates, token_loss
from training.vocabulary import DATA_TAGS, LANGS, UNK, Vocabulary

# Of the contrastive terms.
TEMPERATURES = {"neighbours": 0.1, "pairs": 0.07}


class Side(NamedTuple):
    """One side of a micro-batch: ids, decoder's input and targets [N, S], noise [N, E]."""

    ids: Tensor
    prefix: Tensor
    noise: Tensor
    targets: Tensor


class Trainer:
    def __init__(self, model: SonarAutoencoder, arguments: argparse.Namespace) -> None:
        self.model, self.arguments = model, arguments
        dim = model.config.model_dim
        self.std, self.mean = torch.ones(dim), torch.zeros(dim)
        self.relation = nn.Parameter(torch.eye(dim))  # Used in training only.
        self.encode, self.spoken = model.encode_dense, partial(token_loss, model)
        if arguments.compile:
            # Two sizes that happen to agree once are not the same size.
            torch.fx.experimental._config.use_duck_shape = False
            self.encode, self.spoken = (torch.compile(f, dynamic=True) for f in (self.encode, self.spoken))

    def contrast(self, e_a: Tensor, e_b: Tensor, kind: str) -> Tensor:
        """Returns the nats of telling each row's partner from those of the other rows, both ways."""
        a, b = F.normalize(e_a - self.mean, dim=1), F.normalize(e_b - self.mean, dim=1)
        if kind == "neighbours":
            a = F.normalize(a @ self.relation, dim=1)
        near = a @ b.T / TEMPERATURES[kind]  # [N, N]
        right = torch.arange(len(near))
        return (F.cross_entropy(near, right) + F.cross_entropy(near.T, right)) / 2

    def side(self, batch: np.ndarray, targets: Tensor, noise_scale: float) -> Side:
        ids = torch.from_numpy(batch)
        n = len(ids)
        sigma = torch.rand(n, 1) * noise_scale * (torch.rand(n, 1) < 0.5)
        prefix = decoder_prefix(ids)
        hidden = torch.rand(prefix.shape) < self.arguments.hide
        hidden[:, :2] = False
        return Side(
            ids, torch.where(hidden, UNK, prefix), torch.randn(n, self.model.config.model_dim) * self.std * sigma, targets
        )

    def backward(self, kind: str, batch_a: np.ndarray, batch_b: np.ndarray, step: int) -> tuple[float, float]:
        """Adds the gradient of one micro-batch and returns its two losses."""
        ids = torch.from_numpy(np.concatenate([batch_a.ravel(), batch_b.ravel()]))
        candidates, corrections, targets = sample_candidates(
            ids, self.model.config.vocab_size, self.arguments.candidates
        )
        noise_scale = self.arguments.noise * min(1.0, step / self.arguments.grow_steps)
        a = self.side(batch_a, targets[: batch_a.size].view(batch_a.shape), noise_scale)
        b = self.side(batch_b, targets[batch_a.size :].view(batch_b.shape), noise_scale)
        with torch.set_grad_enabled(not self.arguments.freeze_encoder):
            e_a, e_b = self.encode(a.ids), self.encode(b.ids)  # [N, E]
        swapped = (torch.rand(len(batch_a), 1) < self.arguments.swap) & (kind == "pairs")
        concepts = torch.where(swapped, e_b, e_a), torch.where(swapped, e_a, e_b)
        tokens = sum(
            self.spoken(side.prefix, concept + side.noise, candidates, corrections, side.targets)
            for side, concept in zip((a, b), concepts, strict=True)
        ) / len(ids)  # fmt: skip
        contrast = self.contrast(e_a, e_b, kind)
        weight = self.arguments.contrast_pairs if kind == "pairs" else self.arguments.contrast_neighbours
        ((tokens + weight * contrast) / self.arguments.accumulate).backward()
        embedding = torch.cat([e_a, e_b]).detach()
        rate = 0.02 if step > 50 else 0.2
        self.std.lerp_(embedding.std(dim=0), rate)
        self.mean.lerp_(embedding.mean(dim=0), rate)
        return tokens.item(), contrast.item()

    @torch.no_grad()
    def evaluate(self, batches: list[np.ndarray]) -> tuple[float, float]:
        """Returns the held-out loss in nats per token and the share of tokens guessed, the whole vocabulary allowed."""
        losses, hits, count = 0.0, 0, 0
        for batch in batches:
            ids = torch.from_numpy(batch)
            logits = self.model.decode(decoder_prefix(ids), self.model.encode(ids))[:, 1:].flatten(0, 1)
            targets = ids[:, 1:].flatten()
            losses += F.cross_entropy(logits, targets, reduction="sum").item()
            hits += (logits.argmax(dim=1) == targets).sum().item()
            count += len(targets)
        return losses / count, hits / count


def initialise(model: SonarAutoencoder, exported: Path, vocabulary: Vocabulary) -> None:
    """
    Takes the weights of an exported model, whose vocabulary may lack the last pieces and languages of ours.

    The row of a new piece begins as the mean of those of the pieces that stood for it; new
    languages begin as the first one.
    """
    state = {**read_safetensors(exported / "encoder.safetensors"), **read_safetensors(exported / "decoder.safetensors")}
    old = state.pop("encoder_frontend.embed.weight")
    state.pop("decoder_frontend.embed.weight")
    before = Vocabulary(exported / "tokenizer.model")
    num_pieces = before.num_pieces + 1  # <pad> is before them.
    num_old_langs = len(old) - num_pieces - len(DATA_TAGS)
    pieces = [vocabulary.processor.id_to_piece(i).replace("▁", " ") for i in range(before.num_pieces, vocabulary.num_pieces)]
    rows = [old[before.encode(piece) or [UNK]].mean(dim=0) for piece in pieces]
    langs, tags = old[num_pieces : num_pieces + num_old_langs], old[num_pieces + num_old_langs :]
    new_langs = langs[:1].repeat(len(LANGS) - num_old_langs, 1)
    state["embed.weight"] = torch.cat([old[:num_pieces], *(row[None] for row in rows), langs, new_langs, tags])
    own = model.state_dict().keys()
    model.load_state_dict({name: value for name, value in state.items() if name in own})


@torch.no_grad()
def retrieval_error(model: SonarAutoencoder, sampler: PairSampler, mean: Tensor) -> float:
    """Returns the share of held-out translations that are not the nearest English sentence of their batch of 100."""
    errors, count = 0, 0
    for _ in range(6):
        a, b = sampler.draw(100 * 24, max_rows=100)
        e_a, e_b = (F.normalize(model.encode_dense(torch.from_numpy(x)) - mean, dim=1) for x in (a, b))
        errors += ((e_a @ e_b.T).argmax(dim=1) != torch.arange(len(a))).sum().item()
        count += len(a)
    return errors / count


def parse_arguments() -> argparse.Namespace:
    parser = run_parser(__doc__, run="autoencoder", muon_lr=0.02, adam_lr=2e-3)
    parser.add_argument("--init", type=Path, help="folder of an exported model to begin with, such as models/builtin")
    parser.add_argument("--steps", type=int, default=100_000)
    parser.add_argument("--decay-from", type=int, help="default: never, see schedule.py for the DECAY file")
    parser.add_argument("--warmup-steps", type=int, default=100)
    parser.add_argument("--grow-steps", type=int, default=800, help="steps until full length and full noise")
    parser.add_argument("--batch-tokens", type=int, default=4096, help="tokens of a micro-batch")
    parser.add_argument("--accumulate", type=int, default=1, help="micro-batches of a step")
    parser.add_argument("--candidates", type=int, default=2048, help="pieces in the sampled softmax")
    parser.add_argument("--pair-share", type=float, default=0.3, help="share of micro-batches with translations")
    parser.add_argument("--swap", type=float, default=0.6, help="share of translations said from the other side's concept")
    parser.add_argument("--contrast-pairs", type=float, default=0.2)
    parser.add_argument("--contrast-neighbours", type=float, default=0.05)
    parser.add_argument("--freeze-encoder", action="store_true", help="train the decoder alone: the space stays as it is")
    parser.add_argument("--noise", type=float, default=0.7, help="largest noise, in deviations of the embeddings")
    parser.add_argument("--hide", type=float, default=0.12, help="share of the decoder's input pieces hidden")
    parser.add_argument("--compile", action=argparse.BooleanOptionalAction, default=True)
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    rng = begin(arguments)
    vocabulary = Vocabulary(arguments.cache / "tokenizer.model")
    corpus = load_corpus(arguments.cache)
    samplers = {
        "neighbours": PairSampler(neighbour_pairs(corpus, vocabulary, held_out=False), rng),
        "pairs": PairSampler(translation_pairs(arguments.cache, vocabulary, held_out=False), rng),
    }
    held_out_pairs = translation_pairs(arguments.cache, vocabulary, held_out=True)
    held_out_sampler = SentenceSampler(corpus, vocabulary, held_out=True, seed=0)
    held_out = [held_out_sampler.draw(1024) for _ in range(12)]

    config = SonarConfig(vocab_size=vocabulary.size)
    model = SonarAutoencoder(config)
    if arguments.freeze_encoder:
        for part in (model.embed, model.encoder, model.layer_norm):
            part.requires_grad_(False)
    trainer = Trainer(model, arguments)
    run = Run(
        arguments.cache / arguments.run, asdict(config), model,
        Schedule(arguments.warmup_steps, arguments.decay_from or arguments.steps, arguments.steps), rng,
        muon_lr=arguments.muon_lr, adam_lr=arguments.adam_lr, betas=(0.9, 0.98),
        extra={"std": trainer.std, "mean": trainer.mean, "relation": trainer.relation},
    )  # fmt: skip
    if not run.resume() and arguments.init is not None:
        initialise(model, arguments.init, vocabulary)

    losses: dict[str, list[tuple[float, float]]] = {kind: [] for kind in samplers}
    for step in run.steps():
        growth = min(1.0, 0.3 + 0.7 * step / arguments.grow_steps)
        for _ in range(arguments.accumulate):
            kind = "pairs" if rng.random() < arguments.pair_share else "neighbours"
            batch = samplers[kind].draw(arguments.batch_tokens, max_pieces=max(8, int(MAX_PIECES * growth)))
            losses[kind].append(trainer.backward(kind, *batch, step))
            run.check(*losses[kind][-1])
            run.tokens += batch[0].size + batch[1].size
        run.update()
        if run.step % 20 == 0:
            run.report(", ".join(
                "{} {:.3f} + {:.2f}".format(kind, *np.mean(found, axis=0)) for kind, found in losses.items() if found
            ))  # fmt: skip
            for found in losses.values():
                found.clear()
        if run.is_due(arguments.save_every):
            held_out_loss, accuracy = trainer.evaluate(held_out)
            error = retrieval_error(model, PairSampler(held_out_pairs, np.random.default_rng(0)), trainer.mean)
            run.report(f"held-out loss {held_out_loss:.3f} accuracy {accuracy:.3f} retrieval error {error:.3f}")
            run.save()


if __name__ == "__main__":
    run_main(main)
