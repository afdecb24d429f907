"""
Trains a Large Concept Model on the concepts of embed.py, in the normalised space.

  base:       ‖ x̂[n+1] − x[n+1] ‖²  (+ contrastive term)
  one-tower,
  two-tower:  ‖ x̂₀(x_t, t, x[0…n]) − x[n+1] ‖²,  t uniform, the context dropped at 15 % of the positions
  quant:      − log p(unit k of x[n+1] | Σ_{j<k} c_j, x[0…n]),  k uniform, the context dropped likewise

over windows of documents; the context gets a little Gaussian noise, because it will be of predicted
concepts too. The contrastive term asks that the prediction be nearer to its own target than to the
others of the batch, in the same space that the loss is in.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.concept_documents import ConceptDocuments
from training.diffusion import TRAIN_STEPS, squaredcos_alphas_cumprod
from training.lcm import BaseLcm, LcmConfig
from training.run import Run, begin, run_main, run_parser
from training.schedule import Schedule
from training.slot_lcm import OneTowerLcm, QuantLcm
from training.two_tower import TwoTowerLcm

MODELS = {"base": BaseLcm, "one-tower": OneTowerLcm, "two-tower": TwoTowerLcm, "quant": QuantLcm}


def contrastive_loss(predicted: Tensor, target: Tensor, temperature: float) -> Tensor:
    """− log softmax of the negative mean squared distances, [M, E] each."""
    distance = torch.cdist(predicted, target).square() / target.shape[1]  # [M, M]
    return F.cross_entropy(-distance / temperature, torch.arange(len(target)))


class Losses:
    """One loss per family: context, clean [N, S, E] normalised, is_target [N, S] → what is trained, what is reported."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.arguments = arguments

    def base(self, model: BaseLcm, context: Tensor, x: Tensor, is_target: Tensor) -> tuple[Tensor, Tensor]:
        predicted = model(context[:, :-1])[is_target[:, 1:]]  # [M, E]
        target = x[:, 1:][is_target[:, 1:]]  # [M, E]
        mse = F.mse_loss(predicted, target)
        if self.arguments.contrastive == 0.0 or not model.training:
            return mse, mse
        return mse + self.arguments.contrastive * contrastive_loss(predicted, target, temperature=0.1), mse

    def noised(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Returns x_t [N, S, E] and t [N, S]."""
        timestep = torch.randint(0, TRAIN_STEPS, x.shape[:2])
        alpha = squaredcos_alphas_cumprod()[timestep].unsqueeze(-1)  # [N, S, 1]
        return alpha.sqrt() * x + (1 - alpha).sqrt() * torch.randn_like(x), timestep

    def seen(self, model: nn.Module, x: Tensor) -> Tensor:
        return torch.rand(x.shape[:2]) >= (self.arguments.cf_guidance if model.training else 0.0)

    def one_tower(self, model: OneTowerLcm, context: Tensor, x: Tensor, is_target: Tensor) -> tuple[Tensor, Tensor]:
        latents, timestep = self.noised(x)
        predicted = model.denoise(context[:, :-1], latents, timestep, self.seen(model, x))
        loss = F.mse_loss(predicted[is_target], x[is_target])
        return loss, loss

    def two_tower(self, model: TwoTowerLcm, context: Tensor, x: Tensor, is_target: Tensor) -> tuple[Tensor, Tensor]:
        n, s, _ = x.shape
        latents, timestep = self.noised(x)
        tower = model.encode_context(context[:, :-1])  # [N, S−1, D]
        mask = torch.ones(s, s, dtype=torch.bool).tril().repeat(n, 1, 1)  # [N, S, T+1]
        mask[:, :, 1:] &= self.seen(model, x).unsqueeze(2)
        predicted = model.denoiser(latents, timestep, tower, mask.unsqueeze(1))
        loss = F.mse_loss(predicted[is_target], x[is_target])
        return loss, loss

    def quant(self, model: QuantLcm, context: Tensor, x: Tensor, is_target: Tensor) -> tuple[Tensor, Tensor]:
        codebooks = model.quantizer.codebooks
        units = model.quantizer.units(x.flatten(0, 1)).view(*x.shape[:2], -1)  # [N, S, K]
        chosen = torch.randint(0, len(codebooks), x.shape[:2])
        parts = torch.stack([codebook[units[..., k]] for k, codebook in enumerate(codebooks)], dim=2)  # [N, S, K, E]
        is_before = torch.arange(len(codebooks)) < chosen.unsqueeze(-1)  # [N, S, K]
        sums = (parts * is_before.unsqueeze(-1)).sum(dim=2)
        logits = model.logits(context[:, :-1], sums, chosen, self.seen(model, x))
        target = units.gather(2, chosen.unsqueeze(2)).squeeze(2)
        loss = F.cross_entropy(logits[is_target], target[is_target])
        return loss, loss


def parse_arguments() -> argparse.Namespace:
    parser = run_parser(__doc__, run=None, muon_lr=0.01, adam_lr=1e-3)
    parser.add_argument("--model", choices=list(MODELS), required=True)
    parser.add_argument("--embeddings", default="embeddings")
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--decay-share", type=float, default=0.4)
    parser.add_argument("--windows", type=int, default=32)
    parser.add_argument("--length", type=int, default=32, help="concepts in a window")
    parser.add_argument("--contrastive", type=float, default=0.05, help="weight of the contrastive term")
    parser.add_argument("--context-noise", type=float, default=0.3, help="largest noise of the context, in deviations")
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument("--cf-guidance", type=float, default=0.15, help="share of positions without context")
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    rng = begin(arguments)
    documents = ConceptDocuments(arguments.cache / f"{arguments.embeddings}.npz")
    config = LcmConfig(sonar_embed_dim=documents.embeddings.shape[1], dropout=arguments.dropout)
    model: nn.Module = MODELS[arguments.model](config)
    sample = documents.sample(60_000)
    model.normalizer.fit(sample[:30_000])

    schedule = Schedule(50, int(arguments.steps * (1 - arguments.decay_share)), arguments.steps)
    run = Run(
        arguments.cache / (arguments.run or arguments.model), asdict(config), model, schedule, rng,
        muon_lr=arguments.muon_lr, adam_lr=arguments.adam_lr, weight_decay=0.01,
    )  # fmt: skip
    if not run.resume() and isinstance(model, QuantLcm):
        left = model.quantizer.fit(model.normalizer.normalize(sample), torch.Generator().manual_seed(arguments.seed))
        print("left after each codebook: " + ", ".join(f"{share:.3f}" for share in left), flush=True)
    family = getattr(Losses(arguments), arguments.model.replace("-", "_"))

    def loss_of(batch: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        x, is_target = model.normalizer.normalize(batch[0]), batch[1]
        scale = arguments.context_noise * torch.rand(len(x), 1, 1) if model.training else torch.zeros(())
        return family(model, x + scale * torch.randn_like(x), x, is_target)

    def held_out_loss() -> float:
        model.eval()
        state = torch.get_rng_state()
        torch.manual_seed(0)
        with torch.no_grad():
            fixed = np.random.default_rng(0)
            losses = [loss_of(documents.draw(fixed, 32, arguments.length, held_out=True))[1].item() for _ in range(6)]
        torch.set_rng_state(state)
        model.train()
        return float(np.mean(losses))

    losses: list[float] = []
    for _ in run.steps():
        batch = documents.draw(rng, arguments.windows, arguments.length, held_out=False)
        loss, reported = loss_of(batch)
        run.check(loss.item())
        loss.backward()
        run.update()
        run.tokens += int(batch[1].sum())
        losses.append(reported.item())
        if run.is_due(arguments.save_every):
            run.report(f"loss {np.mean(losses):.4f} held-out {held_out_loss():.4f}")
            losses.clear()
            run.save()


if __name__ == "__main__":
    run_main(main)
