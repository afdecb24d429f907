"""
SONAR's text encoder and decoder, small and with the official parameter names.

The keys of the state dict are those of the reference implementation, apart from the shared embedding
table that export.py writes under both of its official names; so the same code compiles these
weights and the official ones.

Source: Duquenne et al. 2023 (arXiv:2308.11466).

Shapes: N batch, S sequence being transformed, T sequence attended to, D model dimension,
H attention heads, K dimension of one head, F inner dimension of the feed-forward network,
V vocabulary, E embedding dimension.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.linear import Linear


@dataclass(frozen=True)
class SonarConfig:
    """Sizes shared by the encoder and the decoder; E equals D."""

    vocab_size: int = 8005
    model_dim: int = 384
    num_layers: int = 3
    num_heads: int = 6
    ffn_inner_dim: int = 1024
    max_seq_len: int = 512


def sinusoidal_positions(length: int, model_dim: int) -> Tensor:
    """
    Returns fairseq's table of positions.

      P[t] = [sin((t+2) w_0) … sin((t+2) w_{h−1}), cos((t+2) w_0) …],  w_i = 10000^{−i/(h−1)}

    with h = D/2: the sine half, then the cosine half, and the first token at step 2.

    Returns [S, D].
    """
    half = model_dim // 2
    frequencies = torch.exp(-torch.arange(half, dtype=torch.float32) * (math.log(10000.0) / (half - 1)))
    angles = (torch.arange(length, dtype=torch.float32) + 2.0).unsqueeze(1) * frequencies  # [S, D/2]
    return torch.cat([torch.sin(angles), torch.cos(angles)], dim=1)  # [S, D]


def rotate(x: Tensor, angles: Tensor) -> Tensor:
    """
    Rotates the interleaved pairs (x_{2i}, x_{2i+1}) by the angles of their positions.

    x [N, H, S, K], angles [S, K/2].
    """
    cos, sin = torch.cos(angles), torch.sin(angles)
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack([even * cos - odd * sin, even * sin + odd * cos], dim=-1).flatten(-2)


class MultiheadAttention(nn.Module):
    """Attention(Q, K, V) = softmax(Q Kᵀ / √K + M) V, per head, concatenated and projected."""

    def __init__(self, model_dim: int, num_heads: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.q_proj = Linear(model_dim, model_dim)
        self.k_proj = Linear(model_dim, model_dim)
        self.v_proj = Linear(model_dim, model_dim)
        self.output_proj = Linear(model_dim, model_dim)

    def split(self, x: Tensor) -> Tensor:
        n, s, d = x.shape
        return x.view(n, s, self.num_heads, d // self.num_heads).transpose(1, 2)  # [N, H, S, K]

    def forward(
        self,
        x: Tensor,
        context: Tensor,
        mask: Tensor | None = None,
        is_causal: bool = False,
        rotary: Tensor | None = None,
    ) -> Tensor:
        q = self.split(self.q_proj(x))
        k = self.split(self.k_proj(context))
        v = self.split(self.v_proj(context))
        if rotary is not None:
            q, k = rotate(q, rotary), rotate(k, rotary)
        heads = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=is_causal)  # [N, H, S, K]
        return self.output_proj(heads.transpose(1, 2).flatten(2))  # [N, S, D]


class ConstantAttention(nn.Module):
    """
    Cross-attention over the one position that holds the concept.

    The softmax of a single logit is 1, so the layer is W_o (W_v e + b_v) + b_o whatever the
    query is; q_proj and k_proj exist in the official layout only and are added by export.py.
    """

    def __init__(self, model_dim: int) -> None:
        super().__init__()
        self.v_proj = Linear(model_dim, model_dim)
        self.output_proj = Linear(model_dim, model_dim)

    def forward(self, embedding: Tensor) -> Tensor:
        return self.output_proj(self.v_proj(embedding))  # [N, D]


class FeedForward(nn.Module):
    """FFN(x) = W₂ relu(W₁ x + b₁) + b₂."""

    def __init__(self, model_dim: int, inner_dim: int) -> None:
        super().__init__()
        self.inner_proj = Linear(model_dim, inner_dim)
        self.output_proj = Linear(inner_dim, model_dim)

    def forward(self, x: Tensor) -> Tensor:
        return self.output_proj(F.relu(self.inner_proj(x)))


class SonarEncoderLayer(nn.Module):
    """Pre-norm: x ← x + SA(LN(x)), x ← x + FFN(LN(x))."""

    def __init__(self, config: SonarConfig) -> None:
        super().__init__()
        self.self_attn_layer_norm = nn.LayerNorm(config.model_dim)
        self.self_attn = MultiheadAttention(config.model_dim, config.num_heads)
        self.ffn_layer_norm = nn.LayerNorm(config.model_dim)
        self.ffn = FeedForward(config.model_dim, config.ffn_inner_dim)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        h = self.self_attn_layer_norm(x)
        x = x + self.self_attn(h, h, mask=mask)
        return x + self.ffn(self.ffn_layer_norm(x))


class SonarDecoderLayer(nn.Module):
    """Pre-norm: x ← x + SA(LN(x)) causal, x ← x + CA(e), x ← x + FFN(LN(x))."""

    def __init__(self, config: SonarConfig) -> None:
        super().__init__()
        self.self_attn_layer_norm = nn.LayerNorm(config.model_dim)
        self.self_attn = MultiheadAttention(config.model_dim, config.num_heads)
        self.encoder_decoder_attn = ConstantAttention(config.model_dim)
        self.ffn_layer_norm = nn.LayerNorm(config.model_dim)
        self.ffn = FeedForward(config.model_dim, config.ffn_inner_dim)

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        h = self.self_attn_layer_norm(x)
        x = x + self.self_attn(h, h, is_causal=True)
        x = x + self.encoder_decoder_attn(embedding).unsqueeze(1)
        return x + self.ffn(self.ffn_layer_norm(x))


class Stack(nn.Module):
    """A list of layers under the name `layers`, with an optional final norm, as the official names want it."""

    def __init__(self, layers: list[nn.Module], final_norm: nn.Module | None = None) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)
        if final_norm is not None:
            self.layer_norm = final_norm


class SonarAutoencoder(nn.Module):
    """
    Encoder and decoder with one embedding table between them.

    encode: x[t] = E[id_t] √D + P[t], layers, layer_norm, mean over the tokens.
    decode: the same front-end, layers with the concept added, layer_norm, logits = h Eᵀ.
    """

    def __init__(self, config: SonarConfig) -> None:
        super().__init__()
        self.config = config
        self.embed = nn.Embedding(config.vocab_size, config.model_dim)
        self.encoder = Stack([SonarEncoderLayer(config) for _ in range(config.num_layers)])
        self.layer_norm = nn.LayerNorm(config.model_dim)
        self.decoder = Stack(
            [SonarDecoderLayer(config) for _ in range(config.num_layers)], nn.LayerNorm(config.model_dim)
        )
        self.register_buffer(
            "positions", sinusoidal_positions(config.max_seq_len + 2, config.model_dim), persistent=False
        )
        self.reset_parameters()

    def reset_parameters(self) -> None:
        nn.init.normal_(self.embed.weight, std=self.config.model_dim**-0.5)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                nn.init.zeros_(module.bias)
        depth = 2 * self.config.num_layers
        for name, parameter in self.named_parameters():
            if name.endswith("output_proj.weight"):
                parameter.data.mul_(depth**-0.5)  # Keeps the residual stream at unit size at the start.

    def front_end(self, ids: Tensor) -> Tensor:
        scale = math.sqrt(self.config.model_dim)
        return self.embed(ids) * scale + self.positions[: ids.shape[1]]  # [N, S, D]

    def encode(self, ids: Tensor) -> Tensor:
        """Returns the sentence embeddings, [N, E], of right-padded ids, [N, S], with <pad> = 0."""
        present = ids != 0  # [N, S]
        mask = torch.where(present, 0.0, float("-inf"))[:, None, None, :]  # [N, 1, 1, S]
        x = self.front_end(ids)
        for layer in self.encoder.layers:
            x = layer(x, mask)
        x = self.layer_norm(x).float() * present.unsqueeze(2)  # [N, S, D]
        return x.sum(dim=1) / present.sum(dim=1, keepdim=True)

    def encode_dense(self, ids: Tensor) -> Tensor:
        """Returns the same as `encode` for ids without padding, without the work of masking."""
        x = self.front_end(ids)
        for layer in self.encoder.layers:
            x = layer(x, None)
        return self.layer_norm(x).mean(dim=1)

    def decode_states(self, ids: Tensor, embedding: Tensor) -> Tensor:
        """Returns the decoder's last states, [N, S, D], for the prefix ids, [N, S]."""
        x = self.front_end(ids)
        for layer in self.decoder.layers:
            x = layer(x, embedding)
        return self.decoder.layer_norm(x)

    def decode(self, ids: Tensor, embedding: Tensor) -> Tensor:
        """Returns the logits, [N, S, V]."""
        return F.linear(self.decode_states(ids, embedding), self.embed.weight)
