"""Greedy decoding with the keys and values of earlier tokens kept, so that each token costs one step of the decoder."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from training.sonar import SonarAutoencoder
from training.vocabulary import EOS


class CachedDecoder:
    """The decoder between two tokens, for N sentences; equal to SonarAutoencoder.decode_states on the whole prefix."""

    def __init__(self, model: SonarAutoencoder, embeddings: Tensor) -> None:
        self.model = model
        layers = model.decoder.layers
        self.concepts = [layer.encoder_decoder_attn(embeddings).unsqueeze(1) for layer in layers]  # L × [N, 1, D]
        self.past: list[tuple[Tensor, Tensor] | None] = [None] * len(layers)  # L × keys and values [N, H, T, K]
        self.length = 0

    def step(self, tokens: Tensor) -> Tensor:
        """Returns the state after one more token of every sentence, [N, D]. tokens [N]."""
        model = self.model
        x = model.embed(tokens).unsqueeze(1) * math.sqrt(model.config.model_dim) + model.positions[self.length]
        for index, layer in enumerate(model.decoder.layers):
            attention = layer.self_attn
            h = layer.self_attn_layer_norm(x)
            q, k, v = (attention.split(f(h)) for f in (attention.q_proj, attention.k_proj, attention.v_proj))
            past = self.past[index]
            if past is not None:
                k, v = torch.cat([past[0], k], dim=2), torch.cat([past[1], v], dim=2)
            self.past[index] = k, v
            heads = F.scaled_dot_product_attention(q, k, v)  # [N, H, 1, K]
            x = x + attention.output_proj(heads.transpose(1, 2).flatten(2)) + self.concepts[index]
            x = x + layer.ffn(layer.ffn_layer_norm(x))
        self.length += 1
        return model.decoder.layer_norm(x).squeeze(1)

    def keep(self, rows: Tensor) -> None:
        """Goes on with some of the sentences only."""
        self.concepts = [concept[rows] for concept in self.concepts]
        self.past = [(past[0][rows], past[1][rows]) for past in self.past if past is not None]


@torch.no_grad()
def greedy_decode(model: SonarAutoencoder, embeddings: Tensor, lang: int, max_pieces: int) -> list[list[int]]:
    """Returns the ids of the sentences, without prompt and `</s>`; `<pad>` and `<unk>` are never chosen. embeddings [N, E]."""
    decoder = CachedDecoder(model, embeddings)
    found: list[list[int]] = [[] for _ in range(len(embeddings))]
    active = torch.arange(len(embeddings))
    decoder.step(torch.full_like(active, EOS))
    tokens = torch.full_like(active, lang)
    for _ in range(max_pieces):
        logits = decoder.step(tokens) @ model.embed.weight.T
        logits[:, [0, 1]] = float("-inf")
        tokens = logits.argmax(dim=1)
        going = (tokens != EOS).nonzero().squeeze(1)
        if len(going) < len(tokens):
            active, tokens = active[going], tokens[going]
            decoder.keep(going)
        if len(active) == 0:
            break
        for row, token in zip(active.tolist(), tokens.tolist(), strict=True):
            found[row].append(token)
    return found
