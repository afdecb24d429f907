"""
What Large Concept Models are made of, small and with the official parameter names, and Base-LCM,
which predicts the next sentence embedding directly. All but SONAR-LLM work in the normalised
space, (e − center) / scale.

Source: Barrault et al. 2024 (arXiv:2412.08821), section 2.3.1; reference: lcm.models.base_lcm.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.linear import Linear
from training.sonar import MultiheadAttention, Stack


@dataclass(frozen=True)
class LcmConfig:
    """Sizes of any of the models; TwoTowerLcm alone has num_context_layers and num_denoiser_layers."""

    model_dim: int = 256
    sonar_embed_dim: int = 384
    num_heads: int = 4
    ffn_inner_dim: int = 1024
    num_layers: int = 5
    num_context_layers: int = 2
    num_denoiser_layers: int = 3
    timestep_embed_dim: int = 256
    condition_dim: int = 128
    num_codebooks: int = 8
    codebook_size: int = 256
    max_seq_len: int = 256
    dropout: float = 0.1

    @property
    def swiglu_inner_dim(self) -> int:
        """Two thirds, rounded up to a multiple of 256, as fairseq2's GLUFeedForwardNetwork does."""
        return 256 * math.ceil(int(self.ffn_inner_dim * 2 / 3) / 256)


def rotary_table(length: int, head_dim: int, theta: float = 10000.0) -> Tensor:
    """Returns the angles p·θ^{−2i/K}, [S, K/2], of position p and pair i."""
    frequencies = theta ** (-torch.arange(0, head_dim, 2, dtype=torch.float32) / head_dim)
    return torch.outer(torch.arange(length, dtype=torch.float32), frequencies)


class RmsNorm(nn.Module):
    """x / √(mean(x²) + 1e-5) · w."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(dim))

    def forward(self, x: Tensor) -> Tensor:
        return F.rms_norm(x, self.weight.shape, self.weight, eps=1e-5)


class SwiGlu(nn.Module):
    """FFN(x) = W₂ (W₁ x ⊙ SiLU(W_g x)), each with a bias."""

    def __init__(self, model_dim: int, inner_dim: int) -> None:
        super().__init__()
        self.gate_proj = Linear(model_dim, inner_dim)
        self.inner_proj = Linear(model_dim, inner_dim)
        self.output_proj = Linear(inner_dim, model_dim)

    def forward(self, x: Tensor) -> Tensor:
        return self.output_proj(self.inner_proj(x) * F.silu(self.gate_proj(x)))


class LcmLayer(nn.Module):
    """Pre-norm: x ← x + SA(RMS(x)) causal with rotary positions, x ← x + FFN(RMS(x))."""

    def __init__(self, config: LcmConfig) -> None:
        super().__init__()
        self.self_attn_layer_norm = RmsNorm(config.model_dim)
        self.self_attn = MultiheadAttention(config.model_dim, config.num_heads)
        self.ffn_layer_norm = RmsNorm(config.model_dim)
        self.ffn = SwiGlu(config.model_dim, config.swiglu_inner_dim)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, rotary: Tensor, mask: Tensor | None = None) -> Tensor:
        """mask [N, 1, S, S], True where seen; without one, each position sees itself and those before it."""
        h = self.self_attn_layer_norm(x)
        x = x + self.dropout(self.self_attn(h, h, mask=mask, is_causal=mask is None, rotary=rotary))
        return x + self.dropout(self.ffn(self.ffn_layer_norm(x)))


class CausalTower(Stack):
    """Layers with a final norm; also tells the concepts their positions."""

    def __init__(self, config: LcmConfig, num_layers: int) -> None:
        super().__init__([LcmLayer(config) for _ in range(num_layers)], RmsNorm(config.model_dim))
        table = rotary_table(config.max_seq_len, config.model_dim // config.num_heads)
        self.register_buffer("rotary", table, persistent=False)

    def forward(self, x: Tensor, positions: Tensor | None = None, mask: Tensor | None = None) -> Tensor:
        """positions [S], those of the sequence when left out; mask as in `LcmLayer`."""
        rotary = self.rotary[: x.shape[1]] if positions is None else self.rotary[positions]
        for layer in self.layers:
            x = layer(x, rotary, mask)
        return self.layer_norm(x)  # [N, S, D]


class SonarNormalizer(nn.Module):
    """Centres and scales each dimension by the median and the interquartile range of the training embeddings."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.register_buffer("center", torch.zeros(dim))
        self.register_buffer("scale", torch.ones(dim))

    def fit(self, embeddings: Tensor) -> None:
        """0.7413 times the interquartile range of a Gaussian is its standard deviation."""
        quartiles = torch.quantile(embeddings, torch.tensor([0.25, 0.5, 0.75]), dim=0)  # [3, E]
        self.center.copy_(quartiles[1])
        self.scale.copy_(0.7413 * (quartiles[2] - quartiles[0]))

    def normalize(self, x: Tensor) -> Tensor:
        return (x - self.center) / self.scale

    def denormalize(self, x: Tensor) -> Tensor:
        return x * self.scale + self.center


class Frontend(nn.Module):
    """pre_linear, E → D; holds the normaliser where the official BaseLcm keeps it."""

    def __init__(self, config: LcmConfig, with_normalizer: bool) -> None:
        super().__init__()
        if with_normalizer:
            self.sonar_normalizer = SonarNormalizer(config.sonar_embed_dim)
        self.pre_linear = Linear(config.sonar_embed_dim, config.model_dim)


class Projection(nn.Module):
    """One affine map under the name `fc`."""

    def __init__(self, in_dim: int, out_dim: int) -> None:
        super().__init__()
        self.fc = Linear(in_dim, out_dim)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(x)


class BaseLcm(nn.Module):
    """ŷ[n+1] = postnet(tower(pre_linear(x[0…n])))."""

    def __init__(self, config: LcmConfig) -> None:
        super().__init__()
        self.frontend = Frontend(config, with_normalizer=True)
        self.lcm = CausalTower(config, config.num_layers)
        self.postnet = Projection(config.model_dim, config.sonar_embed_dim)

    @property
    def normalizer(self) -> SonarNormalizer:
        return self.frontend.sonar_normalizer

    def forward(self, x: Tensor) -> Tensor:
        """Returns the predictions of x[:, n+1] at n, [N, S, E], normalised as the input is."""
        return self.postnet(self.lcm(self.frontend.pre_linear(x)))


class TimestepEmbedding(nn.Module):
    """fc2(SiLU(fc1([cos(t f) | sin(t f)]))), f_i = 10000^{−i/half}: cosines first, t as it is."""

    def __init__(self, frequency_dim: int, dim: int) -> None:
        super().__init__()
        self.half = frequency_dim // 2
        self.fc1 = Linear(frequency_dim, dim)
        self.fc2 = Linear(dim, dim)

    def forward(self, timestep: Tensor) -> Tensor:
        frequencies = torch.exp(-math.log(10000.0) * torch.arange(self.half, dtype=torch.float32) / self.half)
        angles = timestep.float().unsqueeze(-1) * frequencies  # […, half]
        return self.fc2(F.silu(self.fc1(torch.cat([torch.cos(angles), torch.sin(angles)], dim=-1))))
