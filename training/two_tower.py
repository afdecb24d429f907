"""
Two-Tower diffusion LCM: one tower reads the context, the other denoises the next concept under it.

Source: Barrault et al. 2024 (arXiv:2412.08821), section 2.3.3;
reference: lcm.models.two_tower_diffusion_lcm.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from training.lcm import (
    CausalTower, Frontend, LcmConfig, Projection, RmsNorm, SonarNormalizer, SwiGlu, TimestepEmbedding,
)  # fmt: skip
from training.sonar import MultiheadAttention, Stack


class DenoiserLayer(nn.Module):
    """
    Self-attention, cross-attention and feed-forward, each shifted, scaled and gated by the timestep.

    The self-attention of the official model sees only its own position, so it is W_o W_v x; its
    q_proj and k_proj are kept for the layout.
    """

    def __init__(self, config: LcmConfig) -> None:
        super().__init__()
        self.self_attn_layer_norm = RmsNorm(config.model_dim)
        self.self_attn = MultiheadAttention(config.model_dim, config.num_heads)
        self.cross_attention_layer_norm = RmsNorm(config.model_dim)
        self.cross_attention = MultiheadAttention(config.model_dim, config.num_heads)
        self.ffn_layer_norm = RmsNorm(config.model_dim)
        self.ffn = SwiGlu(config.model_dim, config.swiglu_inner_dim)
        self.modulator = Projection(config.model_dim, 9 * config.model_dim)
        self.dropout = nn.Dropout(config.dropout)
        nn.init.zeros_(self.modulator.fc.weight)
        nn.init.zeros_(self.modulator.fc.bias)

    def forward(self, h: Tensor, keys: Tensor, mask: Tensor | None, timestep: Tensor) -> Tensor:
        modulation = self.modulator(F.silu(timestep)).chunk(9, dim=-1)  # 9 × [N, S, D]
        (shift_s, scale_s, gate_s), (shift_c, scale_c, gate_c), (shift_f, scale_f, gate_f) = (
            modulation[0:3], modulation[3:6], modulation[6:9],
        )  # fmt: skip
        x = self.self_attn_layer_norm(h) * (1 + scale_s) + shift_s
        h = h + gate_s * self.self_attn.output_proj(self.self_attn.v_proj(x))
        x = self.cross_attention_layer_norm(h) * (1 + scale_c) + shift_c
        h = h + gate_c * self.dropout(self.cross_attention(x, keys, mask=mask))
        x = self.ffn_layer_norm(h) * (1 + scale_f) + shift_f
        return h + gate_f * self.dropout(self.ffn(x))


class Denoiser(Stack):
    def __init__(self, config: LcmConfig) -> None:
        layers = [DenoiserLayer(config) for _ in range(config.num_denoiser_layers)]
        super().__init__(layers, RmsNorm(config.model_dim))
        self.embed_time = TimestepEmbedding(config.timestep_embed_dim, config.model_dim)
        self.initial_proj = Projection(config.sonar_embed_dim, config.model_dim)
        self.final_proj = Projection(config.model_dim, config.sonar_embed_dim)

    def forward(self, latents: Tensor, timestep: Tensor, context: Tensor, mask: Tensor | None = None) -> Tensor:
        """
        Returns the clean concepts it believes in, [N, S, E].

        latents [N, S, E] noisy and normalised, timestep [N, S], context [N, T, D],
        mask [N, 1, S, T+1] where True means seen; key 0 is the zero vector before the context.
        """
        keys = F.pad(context, (0, 0, 1, 0))  # [N, T+1, D]
        time = self.embed_time(timestep)  # [N, S, D]
        h = self.initial_proj(latents)
        for layer in self.layers:
            h = layer(h, keys, mask, time)
        return self.final_proj(self.layer_norm(h))


class TwoTowerLcm(nn.Module):
    def __init__(self, config: LcmConfig) -> None:
        super().__init__()
        self.sonar_normalizer = SonarNormalizer(config.sonar_embed_dim)
        self.encoder_frontend = Frontend(config, with_normalizer=False)
        self.context_encoder = CausalTower(config, config.num_context_layers)
        self.denoiser = Denoiser(config)

    @property
    def normalizer(self) -> SonarNormalizer:
        return self.sonar_normalizer

    def encode_context(self, x: Tensor) -> Tensor:
        """Returns the context, [N, T, D], of normalised concepts, [N, T, E]."""
        return self.context_encoder(self.encoder_frontend.pre_linear(x))
