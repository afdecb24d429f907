"""
One training run: its step, schedule, optimisers and random states, saved together and continued bit
for bit.

A run stops with TrainingStopped when a loss is not finite. What is still good is saved first, as it
was before the bad step, so that the next call goes on with the data after it.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from training.checkpoint import load_checkpoint, save_checkpoint
from training.corpus import DEFAULT_CACHE
from training.errors import CorpusMissingError, TrainingStopped
from training.linear import Linear
from training.muon import Muon, split_parameters
from training.schedule import Schedule, set_learning_rate


def run_parser(
    description: str | None, *, run: str | None, muon_lr: float, adam_lr: float, save_every: int = 100, threads: int = 2
) -> argparse.ArgumentParser:
    """Returns a parser with the options that every training has."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, default=DEFAULT_CACHE)
    parser.add_argument("--run", default=run, help="folder of the run inside the cache; the model's name when left out")
    parser.add_argument("--muon-lr", type=float, default=muon_lr)
    parser.add_argument("--adam-lr", type=float, default=adam_lr)
    parser.add_argument("--products", choices=["float32", "bfloat16"], default="bfloat16", help="see linear.py")
    parser.add_argument("--save-every", type=int, default=save_every)
    parser.add_argument("--threads", type=int, default=threads)
    parser.add_argument("--seed", type=int, default=1)
    return parser


def begin(arguments: argparse.Namespace) -> np.random.Generator:
    """Sets what those options say; returns the generator that draws the data."""
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)
    Linear.rounds = arguments.products == "bfloat16"
    return np.random.default_rng(arguments.seed)


def run_main(main: Callable[[], None]) -> None:
    """Runs a training from the command line: what stops it is said in one sentence."""
    try:
        main()
    except (TrainingStopped, CorpusMissingError) as stopped:
        sys.exit(str(stopped))


class Run:
    def __init__(
        self,
        folder: Path,
        config: dict,
        model: nn.Module,
        schedule: Schedule,
        rng: np.random.Generator,
        *,
        muon_lr: float,
        adam_lr: float,
        betas: tuple[float, float] = (0.9, 0.95),
        weight_decay: float = 0.0,
        extra: dict[str, Tensor] | None = None,
    ) -> None:
        """`extra` holds tensors that belong to the run; those that are parameters are trained by AdamW."""
        self.path, self.config, self.model, self.schedule, self.rng = folder / "checkpoint.pt", config, model, schedule, rng
        self.extra = extra or {}
        matrices, rest = split_parameters(model)
        rest += [tensor for tensor in self.extra.values() if isinstance(tensor, nn.Parameter)]
        self.trained = [*matrices, *rest]
        self.optimisers: list[torch.optim.Optimizer] = [
            Muon(matrices, lr=muon_lr),
            torch.optim.AdamW(rest, lr=adam_lr, betas=betas, weight_decay=weight_decay, fused=True),
        ]
        for optimiser in self.optimisers:
            for group in optimiser.param_groups:
                group["initial_lr"] = group["lr"]
        self.step, self.tokens, self.seconds = 0, 0, 0.0
        self.last_tokens, self.last_time = 0, time.time()

    def resume(self) -> bool:
        """Continues from the last checkpoint, if there is one."""
        if not self.path.exists():
            return False
        state = load_checkpoint(self.path, self.config)
        self.model.load_state_dict(state["model"])
        for optimiser, saved in zip(self.optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(saved)
        for name, tensor in self.extra.items():
            tensor.data.copy_(state["extra"][name])
        self.step, self.tokens, self.seconds = state["step"], state["tokens"], state["seconds"]
        self.schedule, self.last_tokens = state["schedule"], state["tokens"]
        self.rng.bit_generator.state = state["sampler"]
        torch.set_rng_state(state["rng"])
        print(f"continuing from step {self.step}", flush=True)
        return True

    def save(self) -> None:
        save_checkpoint(self.path, {
            "config": self.config, "model": self.model.state_dict(),
            "optimisers": [optimiser.state_dict() for optimiser in self.optimisers],
            "extra": {name: tensor.data for name, tensor in self.extra.items()},
            "step": self.step, "tokens": self.tokens, "seconds": self.seconds, "schedule": self.schedule,
            "sampler": self.rng.bit_generator.state, "rng": torch.get_rng_state(),
        })  # fmt: skip

    def steps(self) -> Iterator[int]:
        """Yields the steps that are left; whoever takes one adds gradients and calls `update`."""
        self.last_time = time.time()
        while self.step < self.schedule.steps:
            self.schedule.poll(self.path.parent, self.step)
            if self.step >= self.schedule.steps:
                return
            yield self.step

    def check(self, *losses: float) -> None:
        """Raises TrainingStopped when a loss is not finite, before the step is taken."""
        if all(math.isfinite(loss) for loss in losses):
            return
        tensors = [*self.model.state_dict().values(), *self.extra.values()]
        is_good = all(bool(tensor.isfinite().all()) for tensor in tensors)
        if is_good:
            self.save()
        kept = "the run is saved as it was before this step" if is_good else "the last checkpoint is kept"
        raise TrainingStopped(f"step {self.step}: expected finite losses, found {', '.join(map(str, losses))}; {kept}")

    def update(self, clip: float = 1.0) -> None:
        """Takes one step along the gradients."""
        torch.nn.utils.clip_grad_norm_(self.trained, clip)
        set_learning_rate(self.optimisers, self.schedule.factor(self.step))
        for optimiser in self.optimisers:
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
        self.step += 1

    def is_due(self, every: int) -> bool:
        return self.step % every == 0 or self.step == self.schedule.steps

    def report(self, text: str) -> None:
        """Prints a line with the run's step, tokens, speed and time."""
        now = time.time()
        self.seconds += now - self.last_time
        speed = (self.tokens - self.last_tokens) / max(1e-9, now - self.last_time)
        self.last_tokens, self.last_time = self.tokens, now
        print(f"step {self.step} tokens {self.tokens} {speed:.0f}/s {text} after {self.seconds:.0f} s", flush=True)
