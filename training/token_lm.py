"""
The honest rival of the concept models: a causal language model over the same pieces.

Llama's layers (RMSNorm, rotary positions, SwiGLU), about as large as decoder and concept model together.
The table of embeddings is also the output; it is not scaled at the input, or every token would first
foretell itself. A text is `<s>`, then each sentence followed by `</s>`.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.lcm import CausalTower, LcmConfig
from training.sonar import rotate

Cache = list[tuple[Tensor, Tensor]]  # Keys and values of each layer, [N, H, T, K].


@dataclass(frozen=True)
class TokenLmConfig:
    vocab_size: int
    model_dim: int = 384
    num_layers: int = 4
    num_heads: int = 6
    ffn_inner_dim: int = 1024
    max_seq_len: int = 256

    @property
    def tower(self) -> LcmConfig:
        return LcmConfig(
            model_dim=self.model_dim, num_heads=self.num_heads, ffn_inner_dim=self.ffn_inner_dim,
            max_seq_len=self.max_seq_len, dropout=0.0,
        )  # fmt: skip


class TokenLm(nn.Module):
    def __init__(self, config: TokenLmConfig) -> None:
        super().__init__()
        self.config = config
        self.embed = nn.Embedding(config.vocab_size, config.model_dim)
        self.tower = CausalTower(config.tower, config.num_layers)
        nn.init.normal_(self.embed.weight, std=config.model_dim**-0.5)
        for name, parameter in self.tower.named_parameters():
            if name.endswith("output_proj.weight"):
                parameter.data.mul_((2 * config.num_layers) ** -0.5)  # Keeps the residual stream at unit size.

    def states(self, ids: Tensor) -> Tensor:
        """Returns the last states, [N, S, D], of ids [N, S]; softmax(states Eᵀ) foretells the next."""
        return self.tower(self.embed(ids))

    def extend(self, ids: Tensor, past: Cache | None) -> tuple[Tensor, Cache]:
        """Returns the same of ids [N, S] after those whose keys and values are kept, and the keys and values of all."""
        x = self.embed(ids)
        before, s = (0 if past is None else past[0][0].shape[2]), ids.shape[1]
        rotary = self.tower.rotary[before : before + s]
        seen = torch.ones(s, before + s, dtype=torch.bool).tril(before)  # [S, T]
        kept: Cache = []
        for index, layer in enumerate(self.tower.layers):
            attention = layer.self_attn
            h = layer.self_attn_layer_norm(x)
            q, k, v = (attention.split(f(h)) for f in (attention.q_proj, attention.k_proj, attention.v_proj))
            q, k = rotate(q, rotary), rotate(k, rotary)
            if past is not None:
                k, v = torch.cat([past[index][0], k], dim=2), torch.cat([past[index][1], v], dim=2)
            kept.append((k, v))
            heads = F.scaled_dot_product_attention(q, k, v, attn_mask=seen)  # [N, H, S, K]
            x = x + attention.output_proj(heads.transpose(1, 2).flatten(2))
            x = x + layer.ffn(layer.ffn_layer_norm(x))
        return self.tower.layer_norm(x), kept
