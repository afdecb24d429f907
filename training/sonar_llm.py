"""
SONAR-LLM: a Llama that reads sentence embeddings where others read tokens, between two linear maps.

  ŷ[n+1] = reverse_proj(Llama(forward_proj(x[0…n])))

on raw embeddings; trained by the token cross-entropy of the frozen decoder on the next sentence.

Source: Dragunov et al. 2025 (arXiv:2508.05305); reference: FusionBrainLab/SONAR-LLM, and
transformers.models.llama.modeling_llama.LlamaModel with inputs_embeds.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.linear import Linear
from training.lcm import rotary_table


@dataclass(frozen=True)
class SonarLlmConfig:
    hidden_size: int = 256
    intermediate_size: int = 768
    num_hidden_layers: int = 6
    num_attention_heads: int = 4
    sonar_embed_dim: int = 384
    max_position_embeddings: int = 256
    rope_theta: float = 10000.0
    rms_norm_eps: float = 1e-6
    dropout: float = 0.1


class LlamaNorm(nn.Module):
    def __init__(self, config: SonarLlmConfig) -> None:
        super().__init__()
        self.weight, self.eps = nn.Parameter(torch.ones(config.hidden_size)), config.rms_norm_eps

    def forward(self, x: Tensor) -> Tensor:
        return F.rms_norm(x, self.weight.shape, self.weight, eps=self.eps)


def rotate_halves(x: Tensor, angles: Tensor) -> Tensor:
    """Rotates the pairs (x_i, x_{i+K/2}); x [N, H, S, K], angles [S, K/2]."""
    cos, sin = torch.cos(angles), torch.sin(angles)
    first, second = x.chunk(2, dim=-1)
    return torch.cat([first * cos - second * sin, second * cos + first * sin], dim=-1)


class LlamaAttention(nn.Module):
    def __init__(self, config: SonarLlmConfig) -> None:
        super().__init__()
        dim = config.hidden_size
        self.num_heads = config.num_attention_heads
        self.q_proj, self.k_proj, self.v_proj, self.o_proj = (Linear(dim, dim, bias=False) for _ in range(4))

    def forward(self, x: Tensor, angles: Tensor) -> Tensor:
        n, s, d = x.shape
        q, k, v = (
            project(x).view(n, s, self.num_heads, d // self.num_heads).transpose(1, 2)
            for project in (self.q_proj, self.k_proj, self.v_proj)
        )
        heads = F.scaled_dot_product_attention(rotate_halves(q, angles), rotate_halves(k, angles), v, is_causal=True)
        return self.o_proj(heads.transpose(1, 2).flatten(2))


class LlamaFeedForward(nn.Module):
    def __init__(self, config: SonarLlmConfig) -> None:
        super().__init__()
        self.gate_proj = Linear(config.hidden_size, config.intermediate_size, bias=False)
        self.up_proj = Linear(config.hidden_size, config.intermediate_size, bias=False)
        self.down_proj = Linear(config.intermediate_size, config.hidden_size, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class LlamaLayer(nn.Module):
    def __init__(self, config: SonarLlmConfig) -> None:
        super().__init__()
        self.input_layernorm, self.post_attention_layernorm = LlamaNorm(config), LlamaNorm(config)
        self.self_attn, self.mlp = LlamaAttention(config), LlamaFeedForward(config)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, angles: Tensor) -> Tensor:
        x = x + self.dropout(self.self_attn(self.input_layernorm(x), angles))
        return x + self.dropout(self.mlp(self.post_attention_layernorm(x)))


class LlamaModel(nn.Module):
    def __init__(self, config: SonarLlmConfig) -> None:
        super().__init__()
        self.layers = nn.ModuleList(LlamaLayer(config) for _ in range(config.num_hidden_layers))
        self.norm = LlamaNorm(config)
        head_dim = config.hidden_size // config.num_attention_heads
        table = rotary_table(config.max_position_embeddings, head_dim, config.rope_theta)
        self.register_buffer("rotary", table, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer(x, self.rotary[: x.shape[1]])
        return self.norm(x)


class Holder(nn.Module):
    """Gives a module the name that the layout wants before its own."""

    def __init__(self, **modules: nn.Module) -> None:
        super().__init__()
        for name, module in modules.items():
            self.add_module(name, module)


class SonarLlm(nn.Module):
    def __init__(self, config: SonarLlmConfig) -> None:
        super().__init__()
        self.config = config
        self.forward_proj = Holder(linear=Linear(config.sonar_embed_dim, config.hidden_size))
        self.llama_model = Holder(model=LlamaModel(config))
        self.reverse_proj = Holder(linear=Linear(config.hidden_size, config.sonar_embed_dim))

    @torch.no_grad()
    def fit(self, embeddings: Tensor) -> None:
        """Begins with the space's place and size folded into the two linear maps, [M, E]."""
        mean, std = embeddings.mean(dim=0), embeddings.std(dim=0)
        into, out = self.forward_proj.linear, self.reverse_proj.linear
        into.weight.div_(std)
        into.bias.copy_(-into.weight @ mean)
        out.weight.mul_(0.5 * std.unsqueeze(1))
        out.bias.copy_(mean)

    def forward(self, x: Tensor) -> Tensor:
        """Returns the predictions of x[:, n+1] at n, [N, S, E]."""
        return self.reverse_proj.linear(self.llama_model.model(self.forward_proj.linear(x)))
