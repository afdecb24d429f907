"""The token cross-entropy of the decoder, over a sampled part of the vocabulary."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from training.linear import Linear, rounded_linear
from training.sonar import SonarAutoencoder
from training.vocabulary import EOS

IGNORED = -100


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


def token_loss(
    model: SonarAutoencoder, prefix: Tensor, concept: Tensor, candidates: Tensor, corrections: Tensor, targets: Tensor
) -> Tensor:
    """
    Returns the nats of all tokens together.

    prefix [N, S], concept [N, E], candidates and corrections [C], targets [N, S] as positions among
    the candidates, or IGNORED.
    """
    states = model.decode_states(prefix, concept).flatten(0, 1)  # [N·S, D]
    table = model.embed.weight[candidates]
    logits = (rounded_linear(states, table) if Linear.rounds else F.linear(states, table)) + corrections
    return F.cross_entropy(logits, targets.flatten(), reduction="sum", ignore_index=IGNORED)
