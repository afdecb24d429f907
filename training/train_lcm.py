"""
Trains a Large Concept Model, `--model base` or `--model two-tower`, on the concepts of embed.py.

  base:       ‖ x̂[n+1] − x[n+1] ‖²  (+ contrastive term)
  two-tower:  ‖ x̂₀(x_t, t, x[0…n]) − x[n+1] ‖²,  t uniform, the context dropped at 15 % of the positions

over the normalised concepts of windows of documents. The contrastive term asks that the prediction be
nearer to its own target than to the others of the batch, in the same space that the loss is in.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.checkpoint import load_checkpoint, save_checkpoint
from training.corpus import DEFAULT_CACHE
from training.errors import CorpusMissingError, TrainingStopped
from training.diffusion import TRAIN_STEPS, squaredcos_alphas_cumprod
from training.lcm import BaseLcm, LcmConfig, TwoTowerLcm
from training.muon import Muon, split_parameters
from training.schedule import Schedule, set_learning_rate


class ConceptDocuments:
    """The concepts of all documents, and windows cut from them."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            raise CorpusMissingError(f"{path}: not found; run `python -m training.embed` first")
        with np.load(path) as arrays:
            self.embeddings = torch.from_numpy(arrays["embeddings"]).float()  # [M, E]
            self.is_target = torch.from_numpy(arrays["is_target"])
            self.row = arrays["row"]
            bounds = np.flatnonzero(np.diff(arrays["document"])) + 1
            self.held_out, self.source = arrays["held_out"], arrays["source"]
        self.starts = np.concatenate([[0], bounds])
        self.ends = np.concatenate([bounds, [len(self.embeddings)]])

    def draw(self, rng: np.random.Generator, windows: int, length: int, held_out: bool) -> tuple[Tensor, Tensor]:
        """Returns windows [N, S, E], zero beyond the end of a document, and which are targets, [N, S]."""
        documents = np.flatnonzero(self.held_out == held_out)
        sizes = np.cumsum(self.ends[documents] - self.starts[documents])
        drawn = documents[np.searchsorted(sizes, rng.random(windows) * sizes[-1], side="right")]
        x = torch.zeros(windows, length, self.embeddings.shape[1])
        is_target = torch.zeros(windows, length, dtype=torch.bool)
        for index, document in enumerate(drawn):
            start, end = self.starts[document], self.ends[document]
            first = rng.integers(start, max(start + 1, end - length + 1)) if rng.random() < 0.8 else start
            last = min(end, first + length)
            x[index, : last - first] = self.embeddings[first:last]
            is_target[index, : last - first] = self.is_target[first:last]
        return x, is_target


def contrastive_loss(predicted: Tensor, target: Tensor, temperature: float) -> Tensor:
    """− log softmax of the negative mean squared distances, [M, E] each."""
    distance = torch.cdist(predicted, target).square() / target.shape[1]  # [M, M]
    return F.cross_entropy(-distance / temperature, torch.arange(len(target)))


def base_loss(model: BaseLcm, x: Tensor, is_target: Tensor, contrastive: float) -> tuple[Tensor, Tensor]:
    """Returns the loss and the mean squared error per dimension."""
    predicted = model(x[:, :-1])[is_target[:, 1:]]  # [M, E]
    target = x[:, 1:][is_target[:, 1:]]  # [M, E]
    mse = F.mse_loss(predicted, target)
    if contrastive == 0.0 or not model.training:
        return mse, mse
    return mse + contrastive * contrastive_loss(predicted, target, temperature=0.1), mse


def two_tower_loss(model: TwoTowerLcm, x: Tensor, is_target: Tensor, cf_guidance: float) -> tuple[Tensor, Tensor]:
    """Returns the loss, twice; position i sees the concepts before it, or none."""
    n, s, _ = x.shape
    alphas_cumprod = squaredcos_alphas_cumprod()
    timestep = torch.randint(0, TRAIN_STEPS, (n, s))
    alpha = alphas_cumprod[timestep].unsqueeze(-1)  # [N, S, 1]
    noisy = alpha.sqrt() * x + (1 - alpha).sqrt() * torch.randn_like(x)
    context = model.encode_context(x[:, :-1])  # [N, S−1, D]
    mask = torch.ones(s, s, dtype=torch.bool).tril().repeat(n, 1, 1)  # [N, S, T+1]
    dropped = torch.rand(n, s) < cf_guidance
    mask[:, :, 1:] &= ~dropped.unsqueeze(2)
    predicted = model.denoiser(noisy, timestep, context, mask.unsqueeze(1))
    loss = F.mse_loss(predicted[is_target], x[is_target])
    return loss, loss


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", choices=["base", "two-tower"], required=True)
    parser.add_argument("--cache", type=Path, default=DEFAULT_CACHE)
    parser.add_argument("--run", help="folder of the run inside the cache; default: the model's name")
    parser.add_argument("--embeddings", default="embeddings")
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--decay-share", type=float, default=0.4)
    parser.add_argument("--windows", type=int, default=32)
    parser.add_argument("--length", type=int, default=32)
    parser.add_argument("--contrastive", type=float, default=0.0, help="weight of the contrastive term of base")
    parser.add_argument("--cf-guidance", type=float, default=0.15)
    parser.add_argument("--muon-lr", type=float, default=0.01)
    parser.add_argument("--adam-lr", type=float, default=1e-3)
    parser.add_argument("--save-every", type=int, default=100)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)
    documents = ConceptDocuments(arguments.cache / f"{arguments.embeddings}.npz")
    config = LcmConfig(sonar_embed_dim=documents.embeddings.shape[1])
    model: nn.Module = BaseLcm(config) if arguments.model == "base" else TwoTowerLcm(config)
    training_rows = np.repeat(~documents.held_out, documents.ends - documents.starts)
    fit_rows = np.random.default_rng(0).choice(np.flatnonzero(training_rows), 30_000)
    model.normalizer.fit(documents.embeddings[torch.from_numpy(fit_rows)])

    matrices, rest = split_parameters(model)
    optimisers = [
        Muon(matrices, lr=arguments.muon_lr),
        torch.optim.AdamW(rest, lr=arguments.adam_lr, betas=(0.9, 0.95), weight_decay=0.01),
    ]
    for optimiser in optimisers:
        for group in optimiser.param_groups:
            group["initial_lr"] = group["lr"]
    folder = arguments.cache / (arguments.run or arguments.model)
    path = folder / "checkpoint.pt"
    schedule = Schedule(50, int(arguments.steps * (1 - arguments.decay_share)), arguments.steps)
    rng = np.random.default_rng(arguments.seed)
    step, seconds = 0, 0.0
    if path.exists():
        state = load_checkpoint(path, asdict(config))
        model.load_state_dict(state["model"])
        for optimiser, saved in zip(optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(saved)
        step, seconds, schedule = state["step"], state["seconds"], state["schedule"]
        rng.bit_generator.state = state["sampler"]
        torch.set_rng_state(state["rng"])
        print(f"continuing from step {step}", flush=True)

    def loss_of(x: Tensor, is_target: Tensor) -> tuple[Tensor, Tensor]:
        x = model.normalizer.normalize(x)
        if isinstance(model, BaseLcm):
            return base_loss(model, x, is_target, arguments.contrastive)
        return two_tower_loss(model, x, is_target, arguments.cf_guidance if model.training else 0.0)

    def held_out_loss() -> float:
        model.eval()
        state = torch.get_rng_state()
        torch.manual_seed(0)
        with torch.no_grad():
            fixed = np.random.default_rng(0)
            losses = [loss_of(*documents.draw(fixed, 32, arguments.length, held_out=True))[1].item() for _ in range(6)]
        torch.set_rng_state(state)
        model.train()
        return float(np.mean(losses))

    losses, started = [], time.time()
    while step < schedule.steps:
        schedule.poll(folder, step)
        loss, mse = loss_of(*documents.draw(rng, arguments.windows, arguments.length, held_out=False))
        if not math.isfinite(loss.item()):
            raise TrainingStopped(f"step {step}: expected a finite loss, found {loss.item()}; the last checkpoint is kept")
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        set_learning_rate(optimisers, schedule.factor(step))
        for optimiser in optimisers:
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
        losses.append(mse.item())
        step += 1
        if step % arguments.save_every == 0 or step == schedule.steps:
            seconds += time.time() - started
            started = time.time()
            print(f"step {step} loss {np.mean(losses):.4f} held-out {held_out_loss():.4f} after {seconds:.0f} s", flush=True)
            losses.clear()
            save_checkpoint(path, {
                "config": asdict(config), "model": model.state_dict(), "step": step, "seconds": seconds,
                "optimisers": [optimiser.state_dict() for optimiser in optimisers], "schedule": schedule,
                "sampler": rng.bit_generator.state, "rng": torch.get_rng_state(),
            })  # fmt: skip


if __name__ == "__main__":
    try:
        main()
    except (TrainingStopped, CorpusMissingError) as stopped:
        sys.exit(str(stopped))
