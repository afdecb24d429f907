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

from training.lcm import BaseLcm
from training.layout import ConceptModel, open_concept_model
from training.sampling import next_units, sample_everywhere, sample_next, units_everywhere
from training.slot_lcm import OneTowerLcm, QuantLcm
from training.sonar_llm import SonarLlm
from training.two_tower import TwoTowerLcm

DIFFUSION_OPTIONS = {
    "inference_timesteps": 16, "guidance_scale": 3.0, "guidance_rescale": 0.7, "initial_noise_scale": 0.6,
}  # fmt: skip

# server/inference/lcm/quantLcm.ts, paperSampling; the first candidate takes the best units.
UNIT_OPTIONS = {"temperature": 1.0, "top_k": 3, "guidance_scale": 1.0}

# Deviation of the noise that tells the further candidates of a regression apart, for a noise scale of
# 1: candidateNoise of server/inference/lcm/regressionLcm.ts.
CANDIDATE_NOISE = 0.5


class Predictor(Protocol):
    """Foretells raw concepts from raw concepts."""

    def predict_everywhere(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """Returns [N, S, E]: at i what follows x[:, :i], zeros at 0. x [N, S, E]."""

    def sample_next(self, x: Tensor, count: int, generator: torch.Generator) -> Tensor:
        """Returns `count` candidates for the concept after each context, [N, count, E]. x [N, T, E]."""


class RegressionPredictor:
    """Base-LCM and SONAR-LLM. Candidate 0 is the prediction itself, the others are it plus noise."""

    def __init__(self, model: BaseLcm | SonarLlm, options: dict[str, float]) -> None:
        self.model = model
        self.noise = CANDIDATE_NOISE * options.get("initial_noise_scale", DIFFUSION_OPTIONS["initial_noise_scale"])

    def predict(self, x: Tensor) -> Tensor:
        if isinstance(self.model, SonarLlm):
            return self.model(x)
        normalizer = self.model.normalizer
        return normalizer.denormalize(self.model(normalizer.normalize(x)))

    @torch.no_grad()
    def predict_everywhere(self, x: Tensor, generator: torch.Generator) -> Tensor:
        predicted = torch.zeros_like(x)
        predicted[:, 1:] = self.predict(x[:, :-1])
        return predicted

    @torch.no_grad()
    def sample_next(self, x: Tensor, count: int, generator: torch.Generator) -> Tensor:
        predicted = self.predict(x)[:, -1:]  # [N, 1, E]
        is_raw = isinstance(self.model, SonarLlm)
        unit = predicted.std(dim=2, keepdim=True) if is_raw else self.model.normalizer.scale
        noise = torch.randn(len(x), count, x.shape[2], generator=generator) * self.noise * unit
        noise[:, 0] = 0.0
        return predicted + noise


class DiffusionPredictor:
    """One-Tower and Two-Tower."""

    def __init__(self, model: OneTowerLcm | TwoTowerLcm, options: dict[str, float]) -> None:
        self.model, self.options = model, DIFFUSION_OPTIONS | options

    @torch.no_grad()
    def predict_everywhere(self, x: Tensor, generator: torch.Generator) -> Tensor:
        normalizer = self.model.normalizer
        drawn = sample_everywhere(self.model, normalizer.normalize(x), generator, **self.options)
        predicted = normalizer.denormalize(drawn)
        predicted[:, 0] = 0.0
        return predicted

    @torch.no_grad()
    def sample_next(self, x: Tensor, count: int, generator: torch.Generator) -> Tensor:
        normalizer = self.model.normalizer
        contexts = normalizer.normalize(x).repeat_interleave(count, dim=0)  # [N·count, T, E]
        drawn = sample_next(self.model, contexts, generator, **self.options)
        return normalizer.denormalize(drawn).view(len(x), count, -1)


class QuantPredictor:
    """Candidate 0 takes the best unit of every codebook, the others draw."""

    def __init__(self, model: QuantLcm, options: dict[str, float]) -> None:
        self.model, self.options = model, UNIT_OPTIONS | options

    @torch.no_grad()
    def predict_everywhere(self, x: Tensor, generator: torch.Generator) -> Tensor:
        normalizer = self.model.normalizer
        predicted = normalizer.denormalize(units_everywhere(self.model, normalizer.normalize(x)))
        predicted[:, 0] = 0.0
        return predicted

    @torch.no_grad()
    def sample_next(self, x: Tensor, count: int, generator: torch.Generator) -> Tensor:
        normalizer = self.model.normalizer
        context = normalizer.normalize(x)
        temperature, top_k, guidance = (self.options[name] for name in ("temperature", "top_k", "guidance_scale"))
        drawn = [next_units(self.model, context, guidance_scale=guidance)[1]]
        for _ in range(count - 1):
            drawn.append(next_units(self.model, context, generator, temperature, int(top_k), guidance)[1])
        return normalizer.denormalize(torch.stack(drawn, dim=1))


def predictor_of(model: ConceptModel, sampling: dict[str, float]) -> Predictor:
    if isinstance(model, BaseLcm | SonarLlm):
        return RegressionPredictor(model, sampling)
    return QuantPredictor(model, sampling) if isinstance(model, QuantLcm) else DiffusionPredictor(model, sampling)


def load_predictors(folder: Path) -> dict[str, Predictor]:
    """Returns the concept models of config.json by their names, in its order, with the sampling it recommends."""
    entries = json.loads((folder / "config.json").read_text())["lcm"]
    return {
        name: predictor_of(open_concept_model(entry, folder / f"{name}.safetensors"), entry.get("sampling", {}))
        for name, entry in entries.items()
    }
