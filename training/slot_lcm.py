"""
One-Tower diffusion LCM and Quant-LCM: one causal tower over clean concepts and slots.

A slot stands in the place of a concept and is not clean yet: it holds noise, or the sum of the
centroids that are already chosen. Each input is joined with an embedding of how clean it is; a slot
sees the clean concepts before it and itself, and a slot without context itself alone.

No code of either was published; this is our reconstruction of Barrault et al. 2024
(arXiv:2412.08821), sections 2.3.2 and 2.3.4, and so are the names of the parameters.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from training.lcm import CausalTower, LcmConfig, Projection, SonarNormalizer, TimestepEmbedding
from training.linear import Linear

FREQUENCY_DIM = 256
CLEAN_TIMESTEP = 0


class SlotFrontend(nn.Module):
    def __init__(self, config: LcmConfig) -> None:
        super().__init__()
        self.pre_linear = Linear(config.sonar_embed_dim + config.condition_dim, config.model_dim)


class SlotLcm(nn.Module):
    """ŷ[n] = postnet(tower([x; e(c)])[slot n])."""

    def __init__(self, config: LcmConfig, output_dim: int) -> None:
        super().__init__()
        self.sonar_normalizer = SonarNormalizer(config.sonar_embed_dim)
        self.frontend = SlotFrontend(config)
        self.lcm = CausalTower(config, config.num_layers)
        self.postnet = Projection(config.model_dim, output_dim)

    @property
    def normalizer(self) -> SonarNormalizer:
        return self.sonar_normalizer

    def run(self, x: Tensor, clean: Tensor, slots: Tensor, conditions: Tensor, seen: Tensor) -> Tensor:
        """
        Returns the prediction of the slots, [N, S, O]; slot i sees the concepts before i, if seen[:, i].

        x [N, T, E] clean concepts, T = S or S − 1; clean [C], the embedding of being clean;
        slots [N, S, E]; conditions [N, S, C]; seen [N, S].
        """
        n, t = x.shape[:2]
        s = slots.shape[1]
        inputs = torch.cat([x, slots], dim=1)  # [N, T+S, E]
        cleanness = torch.cat([clean.expand(n, t, -1), conditions], dim=1)  # [N, T+S, C]
        positions = torch.cat([torch.arange(t), torch.arange(s)])
        order = torch.arange(t)
        mask = torch.zeros(n, t + s, t + s, dtype=torch.bool)
        mask[:, :t, :t] = order[:, None] >= order
        mask[:, t:, :t] = (torch.arange(s)[:, None] > order) & seen.unsqueeze(2)
        mask[:, t:, t:] = torch.eye(s, dtype=torch.bool)
        h = self.frontend.pre_linear(torch.cat([inputs, cleanness], dim=2))
        return self.postnet(self.lcm(h, positions, mask.unsqueeze(1))[:, t:])

    def next(self, x: Tensor, clean: Tensor, slots: Tensor, conditions: Tensor, seen: bool) -> Tensor:
        """Returns the prediction of one slot after the context, [N, O]: x [N, T, E], slots [N, E], conditions [N, C]."""
        n, t = x.shape[:2]
        if not seen:
            x, t = x[:, :0], 0
        position = torch.cat([torch.arange(t), torch.tensor([t])])
        inputs = torch.cat([x, slots.unsqueeze(1)], dim=1)
        cleanness = torch.cat([clean.expand(n, t, -1), conditions.unsqueeze(1)], dim=1)
        h = self.frontend.pre_linear(torch.cat([inputs, cleanness], dim=2))
        return self.postnet(self.lcm(h, position))[:, -1]


class OneTowerLcm(SlotLcm):
    """The slot holds noise; predicts the clean concept, normalised."""

    def __init__(self, config: LcmConfig) -> None:
        super().__init__(config, config.sonar_embed_dim)
        self.embed_time = TimestepEmbedding(FREQUENCY_DIM, config.condition_dim)

    def embed_condition(self, timestep: Tensor) -> Tensor:
        return self.embed_time(timestep)

    def denoise(self, x: Tensor, latents: Tensor, timestep: Tensor, seen: Tensor) -> Tensor:
        """Returns the clean concepts it believes in at every position, [N, S, E]; timestep, seen [N, S]."""
        clean = self.embed_condition(torch.tensor([CLEAN_TIMESTEP]))[0]
        return self.run(x, clean, latents, self.embed_condition(timestep), seen)


class Quantizer(nn.Module):
    """Residual quantiser: x ≈ Σ_k c_k, codebooks [K, V, E]."""

    def __init__(self, num_codebooks: int, codebook_size: int, dim: int) -> None:
        super().__init__()
        self.register_buffer("codebooks", torch.zeros(num_codebooks, codebook_size, dim))

    def units(self, x: Tensor) -> Tensor:
        """Returns the chosen units, [M, K], of x, [M, E]."""
        residual, chosen = x, []
        for codebook in self.codebooks:
            unit = (2 * residual @ codebook.T - codebook.square().sum(dim=1)).argmax(dim=1)
            residual = residual - codebook[unit]
            chosen.append(unit)
        return torch.stack(chosen, dim=1)

    def fit(self, x: Tensor, rng: torch.Generator, iterations: int = 12) -> list[float]:
        """k-means, codebook after codebook, on x, [M, E]; returns the mean square of what is left after each."""
        residual, left = x.clone(), []
        for codebook in self.codebooks:
            codebook.copy_(residual[torch.randperm(len(x), generator=rng)[: len(codebook)]])
            for _ in range(iterations):
                unit = (2 * residual @ codebook.T - codebook.square().sum(dim=1)).argmax(dim=1)
                sums = torch.zeros_like(codebook).index_add_(0, unit, residual)
                counts = torch.bincount(unit, minlength=len(codebook)).unsqueeze(1)
                fresh = residual[torch.randint(len(x), (len(codebook),), generator=rng)]
                codebook.copy_(torch.where(counts > 0, sums / counts.clamp(min=1), fresh))
            unit = (2 * residual @ codebook.T - codebook.square().sum(dim=1)).argmax(dim=1)
            residual = residual - codebook[unit]
            left.append(residual.square().mean().item())
        return left


class QuantLcm(SlotLcm):
    """Quant-LCM-d: the slot holds the sum of the centroids chosen so far; predicts the unit of the next codebook."""

    def __init__(self, config: LcmConfig) -> None:
        super().__init__(config, config.codebook_size)
        self.quantizer = Quantizer(config.num_codebooks, config.codebook_size, config.sonar_embed_dim)
        self.embed_codebook = nn.Embedding(config.num_codebooks + 1, config.condition_dim)

    def embed_condition(self, chosen: Tensor) -> Tensor:
        """The number of centroids chosen; all of them for a clean concept."""
        return self.embed_codebook(chosen)

    def logits(self, x: Tensor, sums: Tensor, chosen: Tensor, seen: Tensor) -> Tensor:
        """Returns the logits of the next unit at every position, [N, S, V]; chosen, seen [N, S]."""
        clean = self.embed_condition(torch.tensor([len(self.quantizer.codebooks)]))[0]
        return self.run(x, clean, sums, self.embed_condition(chosen), seen)
