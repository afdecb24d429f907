"""
The noise schedule and the sampler of the diffusion models.

  x_t = √ᾱ_t x₀ + √(1−ᾱ_t) ε

Notation: alphas_cumprod — ᾱ; x₀ — the clean concept; ε — Gaussian noise; g — guidance scale.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

TRAIN_STEPS = 100

# (x_t [N, S, E], timestep [N, S], conditional) → x₀ [N, S, E]
Denoise = Callable[[Tensor, Tensor, bool], Tensor]


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
    denoise: Denoise,
    shape: tuple[int, int, int],
    generator: torch.Generator | Tensor,
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
    `generator` may also be the noise to begin with, [N, S, E]. Returns [N, S, E], normalised.
    """
    alphas_cumprod = squaredcos_alphas_cumprod()
    stride = TRAIN_STEPS // inference_timesteps
    noise = generator if isinstance(generator, Tensor) else torch.randn(shape, generator=generator)
    x_t = noise * initial_noise_scale
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
