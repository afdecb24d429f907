"""
Trains SONAR-LLM on the concepts of embed.py.

  loss = − log p(tokens of sentence n+1 | ŷ[n+1]) + λ contrast(ŷ[n+1], x[n+1])

with the decoder frozen: the gradient goes through it into the predicted embedding (Dragunov et al.
2025, arXiv:2508.05305, equation 3). The contrastive term is ours: it keeps what is predicted in the
space of sentences, where candidates are compared.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import asdict

import numpy as np
import torch
import torch.fx.experimental._config
import torch.nn.functional as F
from torch import Tensor

from training.codec import load_codec
from training.concept_documents import ConceptDocuments
from training.corpus import END_OF_TEXT, Corpus, load_corpus
from training.run import Run, begin, run_main, run_parser
from training.schedule import Schedule
from training.sonar import SonarAutoencoder
from training.sonar_llm import SonarLlm, SonarLlmConfig
from training.token_loss import IGNORED, decoder_prefix, sample_candidates, token_loss
from training.vocabulary import EOS, PAD, Vocabulary


class Targets:
    """The sentences that are to be predicted, as tokens."""

    def __init__(self, corpus: Corpus, row: np.ndarray, vocabulary: Vocabulary) -> None:
        self.corpus, self.row, self.lang = corpus, row, vocabulary.lang
        self.end = np.asarray(vocabulary.encode(END_OF_TEXT))

    def pieces(self, place: int) -> np.ndarray:
        row = self.row[place]
        return self.end if row < 0 else self.corpus.sentence(row)

    def chunks(self, places: np.ndarray, tokens: int) -> Iterator[tuple[np.ndarray, Tensor]]:
        """Yields positions among `places`, [n], and ids `[lang] pieces </s> <pad>…`, [n, S] with n·S ≤ tokens; short ones first."""
        pieces = [self.pieces(place) for place in places]
        lengths = np.array([len(piece) for piece in pieces])
        order = np.argsort(lengths, kind="stable")
        start = 0
        while start < len(order):
            end = start + 1
            while end < len(order) and (end + 1 - start) * (lengths[order[end]] + 2) <= tokens:
                end += 1
            chosen = order[start:end]
            ids = torch.full((len(chosen), int(lengths[chosen[-1]]) + 2), PAD)
            ids[:, 0] = self.lang
            for index, position in enumerate(chosen):
                ids[index, 1 : lengths[position] + 1] = torch.from_numpy(pieces[position].astype(np.int64))
                ids[index, lengths[position] + 1] = EOS
            yield chosen, ids
            start = end


def contrast(predicted: Tensor, target: Tensor, centre: Tensor) -> Tensor:
    """Returns the nats of telling the right one of all targets, by cosine around the centre; [M, E] each."""
    near = F.normalize(predicted - centre, dim=1) @ F.normalize(target - centre, dim=1).T / 0.1
    return F.cross_entropy(near, torch.arange(len(near)))


class Trainer:
    def __init__(
        self, model: SonarLlm, decoder: SonarAutoencoder, targets: Targets, sample: Tensor, arguments: argparse.Namespace
    ) -> None:
        """`sample` [M, E] shows where the concepts are and how far they spread."""
        self.model, self.decoder, self.targets, self.arguments = model, decoder, targets, arguments
        self.centre, self.std = sample.mean(dim=0), sample.std(dim=0)
        self.spoken: Callable[..., Tensor] = lambda *inputs: token_loss(decoder, *inputs)
        if arguments.compile:
            torch.fx.experimental._config.use_duck_shape = False
            self.spoken = torch.compile(self.spoken, dynamic=True)

    def token_gradient(self, predicted: Tensor, places: np.ndarray, with_gradient: bool) -> tuple[float, int, Tensor]:
        """Returns nats and number of all tokens, and the gradient of the nats per token by `predicted`, [M, E]."""
        total, count = 0.0, 0
        gradient = torch.zeros_like(predicted)
        for chosen, ids in self.targets.chunks(places, self.arguments.chunk_tokens):
            rows = torch.from_numpy(chosen)
            concept = predicted[rows].detach().requires_grad_(with_gradient)
            candidates, corrections, targets = sample_candidates(
                ids, self.decoder.config.vocab_size, self.arguments.candidates
            )
            targets = targets.masked_fill(ids == PAD, IGNORED)
            nats = self.spoken(decoder_prefix(ids), concept, candidates, corrections, targets)
            if with_gradient:
                (gradient[rows],) = torch.autograd.grad(nats, concept)
            total += nats.item()
            count += int((ids != PAD).sum())
        return total, count, gradient / count

    def losses(self, x: Tensor, is_target: Tensor, places: Tensor, with_gradient: bool) -> tuple[float, float, int]:
        """Returns nats per token and per choice, and the tokens; adds the gradients if asked to."""
        noise = torch.rand(len(x), 1, 1) * self.arguments.context_noise * self.std if with_gradient else 0.0
        predicted = self.model(x[:, :-1] + noise * torch.randn_like(x[:, :-1]))[is_target[:, 1:]]  # [M, E]
        target = x[:, 1:][is_target[:, 1:]]
        total, count, gradient = self.token_gradient(predicted, places[:, 1:][is_target[:, 1:]].numpy(), with_gradient)
        choice = contrast(predicted, target, self.centre)
        if with_gradient:
            torch.autograd.backward([predicted, self.arguments.contrastive * choice], [gradient, torch.ones(())])
        return total / count, choice.item(), count


def parse_arguments() -> argparse.Namespace:
    parser = run_parser(__doc__, run="sonar-llm", muon_lr=0.01, adam_lr=1e-3)
    parser.add_argument("--autoencoder", default="autoencoder", help="the run whose decoder is spoken through")
    parser.add_argument("--embeddings", default="embeddings")
    parser.add_argument("--steps", type=int, default=100_000)
    parser.add_argument("--decay-from", type=int, help="default: never, see schedule.py for the DECAY file")
    parser.add_argument("--windows", type=int, default=16)
    parser.add_argument("--length", type=int, default=24, help="concepts in a window")
    parser.add_argument("--contrastive", type=float, default=0.1)
    parser.add_argument("--context-noise", type=float, default=0.3, help="largest noise of the context, in deviations")
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument("--chunk-tokens", type=int, default=2048)
    parser.add_argument("--candidates", type=int, default=2048)
    parser.add_argument("--compile", action=argparse.BooleanOptionalAction, default=True)
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    rng = begin(arguments)
    documents = ConceptDocuments(arguments.cache / f"{arguments.embeddings}.npz")
    codec = load_codec(arguments.cache, arguments.autoencoder)
    decoder = codec.model.train().requires_grad_(False)  # It has no dropout; `train` lets its products be rounded.
    targets = Targets(load_corpus(arguments.cache), documents.row, codec.vocabulary)
    config = SonarLlmConfig(sonar_embed_dim=documents.embeddings.shape[1], dropout=arguments.dropout)
    model = SonarLlm(config)
    sample = documents.sample(30_000)
    model.fit(sample)

    run = Run(
        arguments.cache / arguments.run, asdict(config), model,
        Schedule(50, arguments.decay_from or arguments.steps, arguments.steps), rng,
        muon_lr=arguments.muon_lr, adam_lr=arguments.adam_lr, weight_decay=0.01,
    )  # fmt: skip
    run.resume()
    trainer = Trainer(model, decoder, targets, sample, arguments)

    def held_out() -> tuple[float, float]:
        model.eval()
        state = torch.get_rng_state()
        torch.manual_seed(0)
        fixed, found = np.random.default_rng(0), []
        with torch.no_grad():
            for _ in range(4):
                places = documents.draw_places(fixed, arguments.windows, arguments.length, held_out=True)
                found.append(trainer.losses(*documents.at(places), places, with_gradient=False)[:2])
        torch.set_rng_state(state)
        model.train()
        return tuple(np.mean(found, axis=0))

    losses: list[tuple[float, float]] = []
    for _ in run.steps():
        places = documents.draw_places(rng, arguments.windows, arguments.length, held_out=False)
        tokens, choice, count = trainer.losses(*documents.at(places), places, with_gradient=True)
        run.check(tokens, choice)
        run.update()
        run.tokens += count
        losses.append((tokens, choice))
        if run.step % 20 == 0:
            run.report("loss {:.3f} + {:.2f}".format(*np.mean(losses, axis=0)))
            losses.clear()
        if run.is_due(arguments.save_every):
            run.report("held-out {:.3f} + {:.2f}".format(*held_out()))
            run.save()


if __name__ == "__main__":
    run_main(main)
