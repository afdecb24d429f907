"""
Warm-up, stable, decay: the learning rate's three parts, and the file that starts the last one.

Writing a number of steps into a file named DECAY next to the checkpoint begins the decay at once,
so a run can be ended by the clock without knowing its length beforehand. A second DECAY replaces the
first from where it stands.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass
class Schedule:
    warmup_steps: int
    decay_from: int
    steps: int
    peak: float = 1.0
    """The factor that the decay starts from; below 1 once a decay was replaced by another."""

    def factor(self, step: int) -> float:
        """Returns what the learning rates are multiplied with at `step`."""
        warmup = min(1.0, (step + 1) / max(1, self.warmup_steps))
        if step < self.decay_from:
            return warmup
        return warmup * self.peak * max(0.0, (self.steps - step) / max(1, self.steps - self.decay_from))

    def poll(self, folder: Path, step: int) -> None:
        """Begins the decay if the DECAY file asks for it."""
        request = folder / "DECAY"
        if request.exists():
            self.peak = self.factor(step)
            self.decay_from, self.steps = step, step + int(request.read_text().strip())
            request.unlink()
            print(f"decay from step {self.decay_from} to {self.steps}", flush=True)


def set_learning_rate(optimisers: list, factor: float) -> None:
    for optimiser in optimisers:
        for group in optimiser.param_groups:
            group["lr"] = group["initial_lr"] * factor
