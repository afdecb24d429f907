"""
The concept models beside a token-level language model of the same size, token_lm.py, in one run.

The claim to test is that of the LCM paper's authors: several times faster at half the cost. Both
write one sentence after the same context, in PyTorch, float32, on the same threads, by equal loops over
tokens; both are also asked which of the true next sentences of all windows belongs to which.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from training.checkpoint import load_checkpoint
from training.codec import Codec
from training.decoding import CachedDecoder
from training.evaluation.concept_models import Windows
from training.predictors import Predictor
from training.token_lm import Cache, TokenLm, TokenLmConfig
from training.vocabulary import BOS, EOS, PAD, Vocabulary

MIN_CONTEXT = 4  # Sentences before the one that is to be told from others.
SENTENCE_PIECES = 20  # Of the timed sentences, read and written.
CONTEXT_SENTENCES = 10  # Before the timed suggestion; the language model reads no more than 256 pieces.
ROUNDS = 5


@dataclass
class Rival:
    model: TokenLm
    vocabulary: Vocabulary

    def ids(self, sentences: list[str]) -> list[int]:
        """Returns sentence `</s>` sentence `</s>` …"""
        return [piece for pieces in self.vocabulary.encode_batch(sentences) for piece in [*pieces, EOS]]


def load_rival(cache: Path, run: str = "token-lm") -> Rival | None:
    """Returns the language model of a run, or None where none was trained."""
    path = cache / run / "checkpoint.pt"
    if not path.exists():
        return None
    state = load_checkpoint(path)
    model = TokenLm(TokenLmConfig(**state["config"])).eval()
    model.load_state_dict(state["model"])
    return Rival(model, Vocabulary(cache / "tokenizer.model"))


@dataclass
class Choice:
    """One sentence of each window to be told from those of the others: its window and place in it."""

    window: list[int]
    place: list[int]

    @staticmethod
    def of(windows: Windows) -> Choice:
        """The last target of every window that has enough context."""
        found = [(n, int(row.nonzero()[-1])) for n, row in enumerate(windows.is_target) if row[MIN_CONTEXT:].any()]
        return Choice([n for n, _ in found], [i for _, i in found])


def share_behind(scores: Tensor) -> float:
    """Returns the share of wrong sentences that score below the right one. scores [M contexts, M sentences]."""
    is_behind = scores < scores.diagonal()[:, None]
    return is_behind.sum().item() / (scores.numel() - len(scores))


@torch.no_grad()
def score_sentences(rival: Rival, context: list[int], sentences: list[list[int]]) -> Tensor:
    """Returns the mean log-probability per token of each sentence, `</s>` included, after a context, [M]."""
    longest = max(map(len, sentences))
    context = [BOS, *context[-(rival.model.config.max_seq_len - longest - 1) :]]
    state, past = rival.model.extend(torch.tensor([context]), None)
    rows = len(sentences)
    ids = torch.full((rows, longest), PAD)
    for row, sentence in enumerate(sentences):
        ids[row, : len(sentence)] = torch.tensor(sentence)
    shared: Cache = [(k.expand(rows, -1, -1, -1), v.expand(rows, -1, -1, -1)) for k, v in past]
    states, _ = rival.model.extend(ids[:, :-1], shared)
    states = torch.cat([state[:, -1:].expand(rows, -1, -1), states], dim=1)  # [M, S, D]
    log_p = F.log_softmax(states @ rival.model.embed.weight.T, dim=-1).gather(2, ids.unsqueeze(2)).squeeze(2)
    is_said = ids != PAD
    return (log_p * is_said).sum(dim=1) / is_said.sum(dim=1)


def likelihood(rival: Rival, windows: Windows, choice: Choice) -> dict:
    """Contrastive accuracy by mean log-probability, and by how much the context adds to it."""
    picked = list(zip(choice.window, choice.place, strict=True))
    sentences = [rival.ids([windows.texts[n][i]]) for n, i in picked]
    scores = torch.stack([score_sentences(rival, rival.ids(windows.texts[n][:i]), sentences) for n, i in picked])
    alone = score_sentences(rival, [], sentences)
    return {
        "sentences": len(picked),
        "nats_per_token": -scores.diagonal().mean().item(),
        "contrastive_accuracy": share_behind(scores),
        "contrastive_accuracy_over_no_context": share_behind(scores - alone),
    }


def by_distance(windows: Windows, choice: Choice, predicted: Tensor) -> float:
    """Returns the contrastive accuracy of predictions [N, S, E] on the same choice."""
    guess, target = predicted[choice.window, choice.place], windows.x[choice.window, choice.place]
    return share_behind(-torch.cdist(guess, target))


def random_sentences(count: int, vocab_size: int) -> Tensor:
    """Returns pieces, [count, SENTENCE_PIECES]: what is read does not change the cost."""
    return torch.randint(4, vocab_size - 10, (count, SENTENCE_PIECES), generator=torch.Generator().manual_seed(1))


@torch.no_grad()
def write_concept(codec: Codec, predictor: Predictor, read: Tensor, known: Tensor) -> None:
    """Encodes sentences [n, S], predicts from them and the known concepts [T, E], decodes SENTENCE_PIECES pieces."""
    lang, end = torch.full((len(read), 1), codec.vocabulary.lang), torch.full((len(read), 1), EOS)
    concepts = torch.cat([known, codec.model.encode(torch.cat([lang, read, end], dim=1))])
    decoder = CachedDecoder(codec.model, predictor.sample_next(concepts[None], 1, torch.Generator().manual_seed(1))[0])
    decoder.step(torch.tensor([EOS]))
    token = torch.tensor([codec.vocabulary.lang])
    for _ in range(SENTENCE_PIECES + 1):
        token = (decoder.step(token) @ codec.model.embed.weight.T).argmax(dim=1)


@torch.no_grad()
def write_tokens(model: TokenLm, read: Tensor, past: Cache | None, keeps: bool) -> None:
    """Reads tokens [n] after those that are kept and writes SENTENCE_PIECES pieces and `</s>`; `keeps` keys and values, or not."""
    ids = read[None]
    for _ in range(SENTENCE_PIECES + 1):
        states, kept = model.extend(ids, past)
        token = (states[:, -1] @ model.embed.weight.T).argmax(dim=1)
        if keeps:
            ids, past = token[None], kept
        else:
            ids = torch.cat([ids, token[None]], dim=1)


def cost(actions: dict[str, Callable[[], None]]) -> dict[str, dict]:
    """Returns the best of ROUNDS rounds in turns, in milliseconds, and floating-point operations in millions."""
    figures: dict[str, dict] = {}
    for name, action in actions.items():
        with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
            action()
        figures[name] = {"milliseconds": float("inf"), "megaflops": counter.get_total_flops() / 1e6}
    for _ in range(ROUNDS):
        for name, action in actions.items():
            started = time.perf_counter()
            action()
            spent = (time.perf_counter() - started) * 1000
            figures[name]["milliseconds"] = min(figures[name]["milliseconds"], spent)
    return figures


def costs(codec: Codec, predictors: dict[str, Predictor], rival: Rival) -> dict[str, dict]:
    """
    Returns what one suggested sentence costs: `opened`, after a document was opened and nothing of it is
    known, and `typed`, after one more sentence was written.
    """
    sentences = random_sentences(CONTEXT_SENTENCES, codec.model.config.vocab_size)
    before, last = sentences[:-1], sentences[-1:]
    with torch.no_grad():
        known = codec.model.encode(before)
    text = torch.cat([torch.tensor([BOS]), F.pad(sentences, (0, 1), value=EOS).flatten()])
    typed = SENTENCE_PIECES + 1
    with torch.no_grad():
        _, past = rival.model.extend(text[:-typed][None], None)
    nothing = torch.zeros(0, codec.model.config.model_dim)
    opened: dict[str, Callable[[], None]] = {
        name: lambda p=p: write_concept(codec, p, sentences, nothing) for name, p in predictors.items()
    }
    then: dict[str, Callable[[], None]] = {
        name: lambda p=p: write_concept(codec, p, last, known) for name, p in predictors.items()
    }
    opened["token LM"] = lambda: write_tokens(rival.model, text, None, keeps=True)
    then["token LM"] = lambda: write_tokens(rival.model, text[-typed:], past, keeps=True)
    opened["token LM without cache"] = lambda: write_tokens(rival.model, text, None, keeps=False)
    return {"opened": cost(opened), "typed": cost(then)}


def parameters(*modules: torch.nn.Module) -> float:
    return sum(parameter.numel() for module in modules for parameter in module.parameters()) / 1e6


def evaluate_rival(codec: Codec, predictors: dict[str, Predictor], rival: Rival, items: dict) -> dict:
    windows = Windows.of(codec, items["windows"])
    choice = Choice.of(windows)
    generator = torch.Generator().manual_seed(1)
    accuracy = {
        name: by_distance(windows, choice, p.predict_everywhere(windows.x, generator)) for name, p in predictors.items()
    }
    accuracy["copy the last"] = by_distance(windows, choice, torch.cat([windows.x[:, :1], windows.x[:, :-1]], dim=1))
    return {
        "threads": torch.get_num_threads(),
        "context_sentences": CONTEXT_SENTENCES,
        "sentence_pieces": SENTENCE_PIECES,
        "millions_of_parameters": {
            "token LM": parameters(rival.model),
            "autoencoder": parameters(codec.model),
            **{name: parameters(p.model) for name, p in predictors.items()},
        },
        "token_lm": likelihood(rival, windows, choice),
        "contrastive_accuracy": accuracy,
        "cost": costs(codec, predictors, rival),
    }
