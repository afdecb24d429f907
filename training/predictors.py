"""
The concept models of an exported model behind one interface, in raw space, as evaluation wants them.

Their options are those that the extension samples with when the writer has set nothing
(protocol/settings.ts), so that the figures are those of the product.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from training.diffusion import sample_everywhere, sample_next
from training.lcm import BaseLcm, LcmConfig
from training.two_tower import TwoTowerLcm
from training.safetensors_file import read_safetensors

DIFFUSION_OPTIONS = {
    "inference_timesteps": 16, "guidance_scale": 3.0, "guidance_rescale": 0.7, "initial_noise_scale": 0.6,
}  # fmt: skip

# Deviation of the noise that tells the further candidates of a regression apart, in normalised space:
# candidateNoise of server/inference/lcm/regressionLcm.ts times the noise scale.
CANDIDATE_NOISE = 0.5 * 0.6


class Predictor(Protocol):
    """Foretells raw concepts from raw concepts."""

    def predict_everywhere(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """Returns [N, S, E]: at i what follows x[:, :i], zeros at 0. x [N, S, E]."""

    def sample_next(self, x: Tensor, count: int, generator: torch.Generator) -> Tensor:
        """Returns `count` candidates for the concept after each context, [N, count, E]. x [N, T, E]."""


class BasePredictor:
    """Candidate 0 is the prediction itself, the others are it plus noise."""

    def __init__(self, model: BaseLcm) -> None:
        self.model = model

    @torch.no_grad()
    def predict_everywhere(self, x: Tensor, generator: torch.Generator) -> Tensor:
        predicted = torch.zeros_like(x)
        normalizer = self.model.normalizer
        predicted[:, 1:] = normalizer.denormalize(self.model(normalizer.normalize(x[:, :-1])))
        return predicted

    @torch.no_grad()
    def sample_next(self, x: Tensor, count: int, generator: torch.Generator) -> Tensor:
        normalizer = self.model.normalizer
        predicted = self.model(normalizer.normalize(x))[:, -1:]  # [N, 1, E]
        noise = torch.randn(len(x), count, x.shape[2], generator=generator) * CANDIDATE_NOISE
        noise[:, 0] = 0.0
        return normalizer.denormalize(predicted + noise)


class TwoTowerPredictor:
    def __init__(self, model: TwoTowerLcm) -> None:
        self.model = model

    @torch.no_grad()
    def predict_everywhere(self, x: Tensor, generator: torch.Generator) -> Tensor:
        normalizer = self.model.normalizer
        drawn = sample_everywhere(self.model, normalizer.normalize(x), generator, **DIFFUSION_OPTIONS)
        predicted = normalizer.denormalize(drawn)
        predicted[:, 0] = 0.0
        return predicted

    @torch.no_grad()
    def sample_next(self, x: Tensor, count: int, generator: torch.Generator) -> Tensor:
        normalizer = self.model.normalizer
        contexts = normalizer.normalize(x).repeat_interleave(count, dim=0)  # [N·count, T, E]
        drawn = sample_next(self.model, contexts, generator, **DIFFUSION_OPTIONS)
        return normalizer.denormalize(drawn).view(len(x), count, -1)


def load_predictors(folder: Path) -> dict[str, Predictor]:
    """
    Returns the concept models of config.json by their names, in its order.

    Raises ValueError for a family that this code does not know.
    """
    entries = json.loads((folder / "config.json").read_text())["lcm"]
    predictors: dict[str, Predictor] = {}
    for name, entry in entries.items():
        state = read_safetensors(folder / f"{name}.safetensors")
        match entry["model_type"]:
            case "base_lcm":
                base = BaseLcm(LcmConfig()).eval()
                base.load_state_dict(state)
                predictors[name] = BasePredictor(base)
            case "two_tower_diffusion_lcm":
                two_tower = TwoTowerLcm(LcmConfig()).eval()
                two_tower.load_state_dict(state)
                predictors[name] = TwoTowerPredictor(two_tower)
            case family:
                raise ValueError(f"{folder}: concept model {name}: expected a known family, found {family}")
    return predictors
