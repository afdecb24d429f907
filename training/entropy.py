"""
The byte entropy model: how sure a small network is of the next byte of a text.

  H_i = − Σ_b p(b | bytes ≤ i) ln p(b | bytes ≤ i)

Ids are those of BLT: byte + 4, one BOS before a text, so that H_0 is about the first byte. The
network is a causal Transformer with rotary positions and one table for bytes in and out.

Source: Pagnoni et al. 2024 (arXiv:2412.09871), section 2.3; ids as in the reference's tokenizer
(blt_tokenizer.py, OFFSET 4).

Shapes: N batch, S bytes, D model dimension, V vocabulary.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.linear import Linear, rounded_linear
from training.sonar import FeedForward, MultiheadAttention, Stack

BOS, OFFSET = 1, 4
"""BOE 0, BOS 1, EOS 2 and BPE 3 come before the bytes."""


@dataclass(frozen=True)
class EntropyConfig:
    vocab_size: int = 256 + OFFSET
    model_dim: int = 192
    num_layers: int = 3
    num_heads: int = 4
    ffn_inner_dim: int = 512
    max_seq_len: int = 256
    rope_theta: float = 10000.0


class EntropyLayer(nn.Module):
    """Pre-norm: x ← x + SA(LN(x)) causal, x ← x + FFN(LN(x))."""

    def __init__(self, config: EntropyConfig) -> None:
        super().__init__()
        self.self_attn_layer_norm = nn.LayerNorm(config.model_dim)
        self.self_attn = MultiheadAttention(config.model_dim, config.num_heads)
        self.ffn_layer_norm = nn.LayerNorm(config.model_dim)
        self.ffn = FeedForward(config.model_dim, config.ffn_inner_dim)

    def forward(self, x: Tensor, rotary: Tensor) -> Tensor:
        h = self.self_attn_layer_norm(x)
        x = x + self.self_attn(h, h, is_causal=True, rotary=rotary)
        return x + self.ffn(self.ffn_layer_norm(x))


class EntropyModel(nn.Module):
    """logits[i] = E LN(layers(√D E[id_≤i])), over the byte after id_i."""

    def __init__(self, config: EntropyConfig) -> None:
        super().__init__()
        self.config = config
        self.embed = nn.Embedding(config.vocab_size, config.model_dim)
        self.decoder = Stack(
            [EntropyLayer(config) for _ in range(config.num_layers)], nn.LayerNorm(config.model_dim)
        )
        half = config.model_dim // config.num_heads // 2
        frequencies = config.rope_theta ** (-torch.arange(half, dtype=torch.float32) / half)
        positions = torch.arange(config.max_seq_len, dtype=torch.float32)
        self.register_buffer("angles", positions.unsqueeze(1) * frequencies, persistent=False)  # [S, K/2]
        self.reset_parameters()

    def reset_parameters(self) -> None:
        nn.init.normal_(self.embed.weight, std=self.config.model_dim**-0.5)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                nn.init.zeros_(module.bias)
        for name, parameter in self.named_parameters():
            if name.endswith("output_proj.weight"):
                parameter.data.mul_((2 * self.config.num_layers) ** -0.5)

    def forward(self, ids: Tensor) -> Tensor:
        """Returns the logits of the next ids, [N, S, V], of ids [N, S]."""
        x = self.embed(ids) * math.sqrt(self.config.model_dim)
        rotary = self.angles[: ids.shape[1]]
        for layer in self.decoder.layers:
            x = layer(x, rotary)
        states = self.decoder.layer_norm(x)
        rounds = Linear.rounds and self.training
        return rounded_linear(states, self.embed.weight) if rounds else F.linear(states, self.embed.weight)


def entropies(logits: Tensor) -> Tensor:
    """Returns the entropies in nats, [N, S]."""
    log_probs = F.log_softmax(logits, dim=-1)
    return -(log_probs.exp() * log_probs).sum(dim=-1)


def text_ids(text: str) -> list[int]:
    """Returns the ids of a text, BOS before its bytes."""
    return [BOS, *(byte + OFFSET for byte in text.encode())]
