"""What can be said of a set of concepts, [N, E], and of two of them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass
class Standard:
    """
    The centre and the deviations of a set of real concepts.

    Models have normalisers of their own, or none; figures that compare them need one for all.
    """

    mean: Tensor
    std: Tensor

    @staticmethod
    def of(embeddings: Tensor) -> Standard:
        return Standard(embeddings.mean(dim=0), embeddings.std(dim=0))

    def apply(self, x: Tensor) -> Tensor:
        return (x - self.mean) / self.std

    def undo(self, x: Tensor) -> Tensor:
        return x * self.std + self.mean

    def cosine(self, x: Tensor, y: Tensor) -> Tensor:
        """Returns the cosines of the rows after centring; a large common part would make all of them 1."""
        return torch.cosine_similarity(x - self.mean, y - self.mean, dim=-1)


def separation(near: Tensor, far: Tensor) -> float:
    """Returns how often a number of `near` is above one of `far`: the area under the ROC curve. Ties count half."""
    difference = near[:, None] - far[None, :]
    return ((difference > 0).double() + 0.5 * (difference == 0).double()).mean().item()


def pair_cosines(x: Tensor) -> Tensor:
    """Returns the cosines of all pairs of different rows."""
    unit = F.normalize(x, dim=1)
    cosines = unit @ unit.T
    return cosines[~torch.eye(len(x), dtype=torch.bool)]


def uniformity(cosines: Tensor) -> float:
    """
    Returns log E exp(−2 ‖x − y‖²) over pairs on the sphere, by their cosines; lower is more evenly spread.

    Source: Wang and Isola 2020 (arXiv:2005.10242), equation 3, t = 2.
    """
    return torch.exp(-2 * (2 - 2 * cosines.double())).mean().log().item()


def retrieval_error(queries: Tensor, candidates: Tensor) -> float:
    """Returns the share of queries whose nearest candidate by cosine is not the one of the same row."""
    nearest = (F.normalize(queries, dim=1) @ F.normalize(candidates, dim=1).T).argmax(dim=1)
    return (nearest != torch.arange(len(queries))).float().mean().item()


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
