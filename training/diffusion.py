"""
The noise schedule and the sampler of the Two-Tower model.

  x_t = √ᾱ_t x₀ + √(1−ᾱ_t) ε

Notation: alphas_cumprod — ᾱ; x₀ — the clean concept; ε — Gaussian noise; g — guidance scale.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from training.two_tower import TwoTowerLcm

TRAIN_STEPS = 100


def squaredcos_alphas_cumprod(steps: int = TRAIN_STEPS) -> Tensor:
    """
    Returns ᾱ, [steps], of the cosine schedule rescaled to end in pure noise.

    Source: Nichol and Dhariwal 2021 (arXiv:2102.09672), equation 17;
    Lin et al. 2023 (arXiv:2305.08891), algorithm 1.
    """

    def alpha_bar(u: float) -> float:
        return math.cos((u + 0.008) / 1.008 * math.pi / 2) ** 2

    betas = torch.tensor([min(1 - alpha_bar((i + 1) / steps) / alpha_bar(i / steps), 0.999) for i in range(steps)])
    root = torch.cumprod(1 - betas, dim=0).sqrt()
    root = (root - root[-1]) * root[0] / (root[0] - root[-1])
    return root**2


@torch.no_grad()
def sample(
    denoise: Callable[[Tensor, Tensor, bool], Tensor],
    shape: tuple[int, int, int],
    generator: torch.Generator,
    inference_timesteps: int = 40,
    guidance_scale: float = 1.5,
    guidance_rescale: float = 0.7,
    initial_noise_scale: float = 0.6,
) -> Tensor:
    """
    Draws clean concepts by DDIM with classifier-free guidance.

      ε̂ = ε_u + g (ε_c − ε_u), then rescaled towards the deviation of ε_c

    As in the reference, the stride is truncated (40 steps of 100 are 50), guidance is not used at the
    first step, where ε_c says nothing, and the result is x₀ of the last step.
    Source: Song et al. 2021 (arXiv:2010.02502), equation 12; Lin et al. 2023, algorithm 2.

    `denoise(x_t, t, conditional)` gives x₀ of latents [N, S, E] at timesteps [N, S].
    Returns [N, S, E], normalised.
    """
    alphas_cumprod = squaredcos_alphas_cumprod()
    stride = TRAIN_STEPS // inference_timesteps
    x_t = torch.randn(shape, generator=generator) * initial_noise_scale
    x_0 = x_t
    for t in range(TRAIN_STEPS - 1, -1, -stride):
        alpha = alphas_cumprod[t]
        previous = alphas_cumprod[t - stride] if t >= stride else torch.tensor(1.0)
        timestep = torch.full(shape[:2], t)
        x_0 = denoise(x_t, timestep, True)
        epsilon = (x_t - alpha.sqrt() * x_0) / (1 - alpha).sqrt()
        if t < TRAIN_STEPS - 1 and guidance_scale != 1.0:
            epsilon_c = epsilon
            epsilon_u = (x_t - alpha.sqrt() * denoise(x_t, timestep, False)) / (1 - alpha).sqrt()
            epsilon = epsilon_u + guidance_scale * (epsilon_c - epsilon_u)
            ratio = epsilon_c.std(dim=-1, keepdim=True) / epsilon.std(dim=-1, keepdim=True)
            epsilon = epsilon * (guidance_rescale * ratio + 1 - guidance_rescale)
            x_0 = (x_t - (1 - alpha).sqrt() * epsilon) / alpha.sqrt()
        x_t = previous.sqrt() * x_0 + (1 - previous).sqrt() * epsilon
    return x_0


@torch.no_grad()
def sample_next(model: TwoTowerLcm, x: Tensor, generator: torch.Generator, **options: float) -> Tensor:
    """Returns one drawn concept, [N, E], that follows each context x, [N, T, E]; both normalised."""
    context = model.encode_context(x)
    absent = torch.zeros_like(context)

    def denoise(x_t: Tensor, timestep: Tensor, conditional: bool) -> Tensor:
        return model.denoiser(x_t, timestep, context if conditional else absent)

    return sample(denoise, (len(x), 1, x.shape[2]), generator, **options).squeeze(1)


@torch.no_grad()
def sample_everywhere(model: TwoTowerLcm, x: Tensor, generator: torch.Generator, **options: float) -> Tensor:
    """Returns one drawn concept for each position of x, [N, S, E], given those before it; normalised."""
    s = x.shape[1]
    context = model.encode_context(x[:, :-1])
    seen = torch.ones(s, s, dtype=torch.bool).tril().expand(len(x), 1, s, s)  # [N, 1, S, T+1]
    unseen = torch.zeros_like(seen)
    unseen[..., 0] = True

    def denoise(x_t: Tensor, timestep: Tensor, conditional: bool) -> Tensor:
        return model.denoiser(x_t, timestep, context, seen if conditional else unseen)

    return sample(denoise, tuple(x.shape), generator, **options)
