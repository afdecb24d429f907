"""
Trains the encoder and the decoder together to say a sentence again.

  loss = − log p(pieces </s> | e + noise),  e = encode([lang] pieces [</s>])

Every micro-batch holds sentences of exactly one length, so there is no padding. Half of the
embeddings get Gaussian noise before decoding, because the decoder will be given predicted concepts
that lie between those of real sentences; some of the decoder's input pieces are hidden, because it
shall read the concept and not only continue its own text. The longest allowed sentence grows during
the first steps: words are learnt first and cheapest on short sentences.

`python -m training.train_autoencoder --run autoencoder`; a second call continues the run.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from training.checkpoint import TrainingStopped, load_checkpoint, save_checkpoint
from training.corpus import DEFAULT_CACHE, SOURCES, Corpus, load_corpus
from training.sonar import SonarAutoencoder, SonarConfig
from training.safetensors_file import read_safetensors
from training.muon import Muon, split_parameters
from training.schedule import Schedule, set_learning_rate
from training.vocabulary import DATA_TAGS, EOS, LANGS, UNK, Vocabulary

MIN_PIECES, MAX_PIECES = 3, 30

# How often a sentence of a source is drawn, relative to its number; prose is preferred to manuals.
SOURCE_WEIGHTS = {
    "tinystories": 1.5, "african-storybook": 2.0, "masc": 2.0, "novels": 1.2, "standard-ebooks": 1.2,
    "us-presidential-speeches": 1.2, "learning-statistics-r": 1.5, "blogs-handbooks": 1.0,
    "prog-books": 0.7, "gov-plain": 0.7, "mdn": 0.4, "kubernetes": 0.4, "opentelemetry": 0.4,
    "powershell": 0.2, "python-peps": 0.5, "rust-rfcs": 0.4, "swift-evolution": 0.4, "eips": 0.3,
}  # fmt: skip


class SentenceSampler:
    """Draws micro-batches of sentences of one length, by the weights of their sources."""

    def __init__(self, corpus: Corpus, vocabulary: Vocabulary, held_out: bool, seed: int) -> None:
        self.corpus, self.vocabulary = corpus, vocabulary
        self.rng = np.random.default_rng(seed)
        weight = np.array([SOURCE_WEIGHTS.get(name, 1.0) for name in SOURCES])
        eligible = corpus.prose & (corpus.held_out == held_out)
        self.rows: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        for length in range(MIN_PIECES, MAX_PIECES + 1):
            rows = np.flatnonzero(eligible & (corpus.lengths == length))
            if len(rows):
                self.rows[length] = (rows, np.cumsum(weight[corpus.source[rows]]))

    def draw(self, tokens: int, max_pieces: int = MAX_PIECES) -> np.ndarray:
        """Returns [N, S] ids `[lang] pieces [</s>]` with N·S ≈ tokens."""
        lengths = [length for length in self.rows if length <= max_pieces]
        mass = np.array([self.rows[length][1][-1] * length for length in lengths])
        length = int(self.rng.choice(lengths, p=mass / mass.sum()))
        rows, cumulative = self.rows[length]
        drawn = rows[np.searchsorted(cumulative, self.rng.random(tokens // (length + 2)) * cumulative[-1])]
        pieces = np.stack([self.corpus.sentence(row) for row in drawn]).astype(np.int64)
        return np.pad(pieces, ((0, 0), (1, 1)), constant_values=((0, 0), (self.vocabulary.lang, EOS)))


def decoder_prefix(ids: Tensor) -> Tensor:
    """Returns `[</s>] [lang] pieces`, the decoder's input for the targets `[lang] pieces [</s>]`."""
    return torch.cat([torch.full_like(ids[:, :1], EOS), ids[:, :-1]], dim=1)


def sample_candidates(ids: Tensor, vocab_size: int, size: int) -> tuple[Tensor, Tensor, Tensor]:
    """
    Chooses the part of the vocabulary that the softmax of one micro-batch is taken over.

    All targets are in it, and random others stand for the rest: their logits get + log(rest / chosen),
    which leaves the partition function unbiased (Jean et al. 2015, arXiv:1412.2007).

    Returns candidates [size], corrections [size], targets as positions among the candidates, like ids.
    """
    present = torch.unique(ids)
    is_rest = torch.ones(vocab_size, dtype=torch.bool)
    is_rest[present] = False
    rest = is_rest.nonzero().squeeze(1)
    chosen = rest[torch.randperm(len(rest))[: max(1, size - len(present))]]
    candidates = torch.cat([present, chosen])
    corrections = torch.zeros(len(candidates))
    corrections[len(present) :] = math.log(len(rest) / len(chosen))
    return candidates, corrections, torch.searchsorted(present, ids)


class Trainer:
    def __init__(self, model: SonarAutoencoder, arguments: argparse.Namespace) -> None:
        self.model, self.arguments = model, arguments
        self.std = torch.ones(model.config.model_dim)
        matrices, rest = split_parameters(model)
        self.optimisers = [
            Muon(matrices, lr=arguments.muon_lr),
            torch.optim.AdamW(rest, lr=arguments.adam_lr, betas=(0.9, 0.98), weight_decay=0.0, fused=True),
        ]
        for optimiser in self.optimisers:
            for group in optimiser.param_groups:
                group["initial_lr"] = group["lr"]
        self.compiled = torch.compile(self.loss, dynamic=True) if arguments.compile else self.loss

    def loss(
        self, ids: Tensor, prefix: Tensor, noise: Tensor, candidates: Tensor, corrections: Tensor, targets: Tensor
    ) -> tuple[Tensor, Tensor]:
        embedding = self.model.encode_dense(ids)  # [N, E]
        states = self.model.decode_states(prefix, embedding + noise).flatten(0, 1)  # [N·S, D]
        logits = F.linear(states, self.model.embed.weight[candidates]) + corrections
        return F.cross_entropy(logits, targets.flatten()), embedding

    def backward(self, batch: np.ndarray, step: int) -> float:
        """Adds the gradient of one micro-batch and returns its loss."""
        ids = torch.from_numpy(batch)
        n = len(ids)
        noise_scale = self.arguments.noise * min(1.0, step / self.arguments.grow_steps)
        sigma = torch.rand(n, 1) * noise_scale * (torch.rand(n, 1) < 0.5)
        noise = torch.randn(n, self.model.config.model_dim) * self.std * sigma
        prefix = decoder_prefix(ids)
        hidden = torch.rand(prefix.shape) < self.arguments.hide
        hidden[:, :2] = False
        prefix = torch.where(hidden, UNK, prefix)
        candidates, corrections, targets = sample_candidates(
            ids, self.model.config.vocab_size, self.arguments.candidates
        )
        loss, embedding = self.compiled(ids, prefix, noise, candidates, corrections, targets)
        (loss / self.arguments.accumulate).backward()
        self.std.lerp_(embedding.detach().std(dim=0), 0.02 if step > 50 else 0.2)
        return loss.item()

    def update(self, factor: float) -> None:
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        set_learning_rate(self.optimisers, factor)
        for optimiser in self.optimisers:
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)

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


def initialise(model: SonarAutoencoder, exported: Path) -> None:
    """
    Takes the weights of an exported model, whose vocabulary may lack the last pieces of ours.

    Rows of new pieces begin as that of `<unk>`, which stood for them; languages and tags move behind them.
    """
    state = {**read_safetensors(exported / "encoder.safetensors"), **read_safetensors(exported / "decoder.safetensors")}
    old = state.pop("encoder_frontend.embed.weight")
    state.pop("decoder_frontend.embed.weight")
    num_added = len(model.embed.weight) - len(old)
    num_behind = len(LANGS) + len(DATA_TAGS)
    added = old[UNK].repeat(num_added, 1)
    state["embed.weight"] = torch.cat([old[:-num_behind], added, old[-num_behind:]])
    own = model.state_dict().keys()
    model.load_state_dict({name: value for name, value in state.items() if name in own})


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, default=DEFAULT_CACHE)
    parser.add_argument("--run", default="autoencoder", help="folder of the run inside the cache")
    parser.add_argument("--init", type=Path, help="folder of an exported model to begin with, such as models/builtin")
    parser.add_argument("--steps", type=int, default=100_000)
    parser.add_argument("--decay-from", type=int, help="default: never, see schedule.py for the DECAY file")
    parser.add_argument("--warmup-steps", type=int, default=100)
    parser.add_argument("--grow-steps", type=int, default=800, help="steps until full length and full noise")
    parser.add_argument("--batch-tokens", type=int, default=2048, help="tokens of a micro-batch")
    parser.add_argument("--accumulate", type=int, default=2, help="micro-batches of a step")
    parser.add_argument("--candidates", type=int, default=2048, help="pieces in the sampled softmax")
    parser.add_argument("--muon-lr", type=float, default=0.02)
    parser.add_argument("--adam-lr", type=float, default=2e-3)
    parser.add_argument("--noise", type=float, default=0.5, help="largest noise, in deviations of the embeddings")
    parser.add_argument("--hide", type=float, default=0.12, help="share of the decoder's input pieces hidden")
    parser.add_argument("--save-every", type=int, default=100)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--compile", action=argparse.BooleanOptionalAction, default=True)
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)
    vocabulary = Vocabulary(arguments.cache / "tokenizer.model")
    corpus = load_corpus(arguments.cache)
    sampler = SentenceSampler(corpus, vocabulary, held_out=False, seed=arguments.seed)
    held_out_sampler = SentenceSampler(corpus, vocabulary, held_out=True, seed=0)
    held_out = [held_out_sampler.draw(1024) for _ in range(12)]

    config = SonarConfig(vocab_size=vocabulary.size)
    model = SonarAutoencoder(config)
    trainer = Trainer(model, arguments)
    folder = arguments.cache / arguments.run
    path = folder / "checkpoint.pt"
    schedule = Schedule(
        arguments.warmup_steps, arguments.decay_from or arguments.steps, arguments.steps
    )
    step, tokens, seconds = 0, 0, 0.0
    if path.exists():
        state = load_checkpoint(path, asdict(config))
        model.load_state_dict(state["model"])
        for optimiser, saved in zip(trainer.optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(saved)
        step, tokens, seconds, trainer.std = state["step"], state["tokens"], state["seconds"], state["std"]
        schedule = state["schedule"]
        sampler.rng.bit_generator.state = state["sampler"]
        torch.set_rng_state(state["rng"])
        print(f"continuing from step {step}", flush=True)
    elif arguments.init is not None:
        initialise(model, arguments.init)

    def save() -> None:
        save_checkpoint(path, {
            "config": asdict(config), "model": model.state_dict(),
            "optimisers": [optimiser.state_dict() for optimiser in trainer.optimisers],
            "step": step, "tokens": tokens, "seconds": seconds, "std": trainer.std, "schedule": schedule,
            "sampler": sampler.rng.bit_generator.state, "rng": torch.get_rng_state(),
        })  # fmt: skip

    losses: list[float] = []
    last_tokens, last_time = tokens, time.time()
    while step < schedule.steps:
        schedule.poll(folder, step)
        growth = min(1.0, 0.3 + 0.7 * step / arguments.grow_steps)
        for _ in range(arguments.accumulate):
            batch = sampler.draw(arguments.batch_tokens, max_pieces=max(8, int(MAX_PIECES * growth)))
            losses.append(trainer.backward(batch, step))
            tokens += batch.size
        if not math.isfinite(losses[-1]):
            raise TrainingStopped(f"step {step}: expected a finite loss, found {losses[-1]}; the last checkpoint is kept")
        trainer.update(schedule.factor(step))
        step += 1
        if step % 20 == 0:
            now = time.time()
            speed = (tokens - last_tokens) / (now - last_time)
            seconds += now - last_time
            last_tokens, last_time = tokens, now
            print(f"step {step} tokens {tokens} speed {speed:.0f}/s loss {np.mean(losses):.3f}", flush=True)
            losses.clear()
        if step % arguments.save_every == 0 or step == schedule.steps:
            held_out_loss, accuracy = trainer.evaluate(held_out)
            print(f"step {step} held-out loss {held_out_loss:.3f} accuracy {accuracy:.3f} after {seconds:.0f} s", flush=True)
            save()


if __name__ == "__main__":
    try:
        main()
    except TrainingStopped as stopped:
        sys.exit(str(stopped))
