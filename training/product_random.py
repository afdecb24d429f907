"""
The random numbers of the extension (server/tensor/random.ts), so that PyTorch can draw the very samples
that it draws: golden values of a sampler are worth more than those of its steps.

Source: Blackman and Vigna 2021 (arXiv:1805.01407), xoshiro128**, seeded by MurmurHash3's finaliser.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

WORD = 0xFFFFFFFF


def mix(x: int) -> int:
    h = (x ^ x >> 16) * 0x85EBCA6B & WORD
    h = (h ^ h >> 13) * 0xC2B2AE35 & WORD
    return h ^ h >> 16


def rotate_left(x: int, bits: int) -> int:
    return (x << bits | x >> 32 - bits) & WORD


class ProductRandom:
    def __init__(self, seed: int, stream: int = 0) -> None:
        value = mix(mix(mix(seed & WORD) ^ seed >> 32) ^ stream)
        self.state: list[int] = []
        for _ in range(4):
            value = mix(value + 0x9E3779B9 & WORD)
            self.state.append(value)

    def uniform(self) -> float:
        s0, s1, s2, s3 = self.state
        result = rotate_left(s1 * 5 & WORD, 7) * 9 & WORD
        t, u = s2 ^ s0, s3 ^ s1
        self.state = [s0 ^ u, s1 ^ t, t ^ s1 << 9 & WORD, rotate_left(u, 11)]
        return result / 2**32

    def gaussians(self, length: int) -> Tensor:
        """Returns numbers of the standard normal distribution, [length], in pairs by Box and Muller."""
        numbers: list[float] = []
        while len(numbers) < length:
            radius = math.sqrt(-2 * math.log(1 - self.uniform()))
            angle = 2 * math.pi * self.uniform()
            numbers += [radius * math.cos(angle), radius * math.sin(angle)]
        return torch.tensor(numbers[:length])
