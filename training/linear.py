"""
Linear maps whose products may run in bfloat16 while everything else stays in float32.

A CPU with AVX512-BF16 multiplies matrices of bfloat16 3.7 times as fast as those of float32; autocast wins
little of it, because it also moves norms, softmax and sums to bfloat16. Here only the three
products of a layer are rounded, so the sums, the gradients between layers and the weights are float32.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class _RoundedLinear(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x: Tensor, weight: Tensor) -> Tensor:
        x, weight = x.to(torch.bfloat16), weight.to(torch.bfloat16)
        ctx.save_for_backward(x, weight)
        return F.linear(x, weight).float()

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, Tensor]:
        x, weight = ctx.saved_tensors
        gradient = gradient.to(torch.bfloat16)
        by_weight = gradient.flatten(0, -2).T @ x.flatten(0, -2)
        return (gradient @ weight).float(), by_weight.float()


def rounded_linear(x: Tensor, weight: Tensor) -> Tensor:
    """Returns x Wᵀ, x […, D], W [O, D], both factors rounded to bfloat16."""
    return _RoundedLinear.apply(x, weight)


class Linear(nn.Linear):
    """nn.Linear that rounds its factors when `rounds` is set, on one module or on the class for all."""

    rounds = False

    def forward(self, x: Tensor) -> Tensor:
        if not self.rounds or not self.training:
            return super().forward(x)
        product = rounded_linear(x, self.weight)
        return product if self.bias is None else product + self.bias
