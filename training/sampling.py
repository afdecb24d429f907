"""How the concept models are asked for the next concept, one position or all of them at once; normalised."""

from __future__ import annotations

import torch
from torch import Tensor

from training.diffusion import Denoise, sample
from training.slot_lcm import CLEAN_TIMESTEP, OneTowerLcm, QuantLcm
from training.two_tower import TwoTowerLcm


def denoise_next(model: OneTowerLcm | TwoTowerLcm, x: Tensor, latents: Tensor, t: int, conditional: bool) -> Tensor:
    """Returns the clean concept after each context, [N, E]: x [N, T, E], latents [N, E]."""
    timestep = torch.full((len(x),), t)
    if isinstance(model, TwoTowerLcm):
        context = model.encode_context(x)
        seen = context if conditional else torch.zeros_like(context)
        return model.denoiser(latents.unsqueeze(1), timestep.unsqueeze(1), seen)[:, 0]
    clean = model.embed_condition(torch.tensor([CLEAN_TIMESTEP]))[0]
    return model.next(x, clean, latents, model.embed_condition(timestep), conditional)


@torch.no_grad()
def sample_next(model: OneTowerLcm | TwoTowerLcm, x: Tensor, generator: torch.Generator | Tensor, **options: float) -> Tensor:
    """Returns one drawn concept, [N, E], that follows each context, x [N, T, E]."""

    def denoise(x_t: Tensor, timestep: Tensor, conditional: bool) -> Tensor:
        return denoise_next(model, x, x_t[:, 0], int(timestep[0, 0]), conditional).unsqueeze(1)

    return sample(denoise, (len(x), 1, x.shape[2]), generator, **options).squeeze(1)


@torch.no_grad()
def sample_everywhere(model: OneTowerLcm | TwoTowerLcm, x: Tensor, generator: torch.Generator, **options: float) -> Tensor:
    """Returns one drawn concept for each position of x, [N, S, E], given those before it."""
    n, s, _ = x.shape
    denoise: Denoise
    if isinstance(model, TwoTowerLcm):
        context = model.encode_context(x[:, :-1])
        seen = torch.ones(s, s, dtype=torch.bool).tril().expand(n, 1, s, s)  # [N, 1, S, T+1]
        unseen = torch.zeros_like(seen)
        unseen[..., 0] = True

        def denoise(x_t: Tensor, timestep: Tensor, conditional: bool) -> Tensor:
            return model.denoiser(x_t, timestep, context, seen if conditional else unseen)
    else:

        def denoise(x_t: Tensor, timestep: Tensor, conditional: bool) -> Tensor:
            return model.denoise(x[:, :-1], x_t, timestep, torch.full((n, s), conditional))

    return sample(denoise, (n, s, x.shape[2]), generator, **options)


def choose_unit(logits: Tensor, temperature: float, top_k: int, generator: torch.Generator) -> Tensor:
    """Returns one unit of each row, drawn from its best ones, […]; logits […, V]."""
    best, units = logits.topk(top_k, dim=-1)
    weights = torch.softmax(best / temperature, dim=-1)
    drawn = torch.multinomial(weights.flatten(0, -2), 1, generator=generator).view(units.shape[:-1])
    return units.gather(-1, drawn.unsqueeze(-1)).squeeze(-1)


@torch.no_grad()
def next_units(
    model: QuantLcm, x: Tensor, generator: torch.Generator | None = None,
    temperature: float = 1.0, top_k: int = 1, guidance_scale: float = 1.0,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """
    Returns the units after each context, [N, K], and the sum of their centroids, [N, E]; x [N, T, E].

    Guidance is on the logits: l_u + g (l_c − l_u).
    """
    codebooks = model.quantizer.codebooks
    clean = model.embed_condition(torch.tensor([len(codebooks)]))[0]
    total, units = torch.zeros(len(x), x.shape[2]), []
    for k, codebook in enumerate(codebooks):
        condition = model.embed_condition(torch.full((len(x),), k))
        logits = model.next(x, clean, total, condition, True)
        if guidance_scale != 1.0:
            logits = torch.lerp(model.next(x, clean, total, condition, False), logits, guidance_scale)
        unit = logits.argmax(dim=-1) if top_k == 1 else choose_unit(logits, temperature, top_k, generator)
        units.append(unit)
        total = total + codebook[unit]
    return torch.stack(units, dim=1), total


@torch.no_grad()
def units_everywhere(model: QuantLcm, x: Tensor) -> Tensor:
    """Returns the sum of the best centroids at every position of x, [N, S, E], given the concepts before it."""
    total, seen = torch.zeros_like(x), torch.ones(x.shape[:2], dtype=torch.bool)
    for k, codebook in enumerate(model.quantizer.codebooks):
        logits = model.logits(x[:, :-1], total, torch.full(x.shape[:2], k), seen)
        total = total + codebook[logits.argmax(dim=-1)]
    return total
