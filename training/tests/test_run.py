"""A run continues bit for bit, and keeps what is good when it has to stop: `python -m unittest discover training/tests -t .`"""

from __future__ import annotations

import tempfile
import unittest
from pathlib import Path

import numpy as np
import torch
from torch import nn

from training.errors import TrainingStopped
from training.run import Run
from training.schedule import Schedule


class Tiny(nn.Module):
    """A matrix for Muon, inside `layers`, and the rest for AdamW."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = nn.Module()
        self.stack.layers = nn.ModuleList([nn.Linear(6, 4), nn.Linear(4, 2)])


def open_run(folder: Path, seed: int = 1, config: dict | None = None) -> Run:
    torch.manual_seed(seed)
    extra = {"mean": torch.zeros(6), "relation": nn.Parameter(torch.eye(6))}
    return Run(
        folder, config or {"dim": 6}, Tiny(), Schedule(2, 4, 8), np.random.default_rng(seed),
        muon_lr=0.02, adam_lr=0.01, extra=extra,
    )  # fmt: skip


def train(run: Run, until: int, bad: int = -1) -> None:
    first, second = run.model.stack.layers
    for step in run.steps():
        if step >= until:
            return
        x = torch.from_numpy(run.rng.standard_normal((5, 6))).float() + 0.1 * torch.randn(5, 6)
        loss = second(torch.relu(first(x @ run.extra["relation"]))).square().mean()
        run.check(float("nan") if step == bad else loss.item())
        loss.backward()
        run.extra["mean"].lerp_(x.mean(dim=0), 0.1)
        run.update()


def state(run: Run) -> list[torch.Tensor]:
    return [*run.model.state_dict().values(), *(tensor.detach() for tensor in run.extra.values())]


class RunTest(unittest.TestCase):
    def setUp(self) -> None:
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)

    def test_continues_bit_for_bit(self) -> None:
        whole = open_run(self.folder / "whole")
        train(whole, 8)
        begun = open_run(self.folder / "parts")
        train(begun, 3)
        begun.save()
        continued = open_run(self.folder / "parts", seed=7)
        self.assertTrue(continued.resume())
        train(continued, 8)
        self.assertEqual((continued.step, whole.step), (8, 8))
        for ours, theirs in zip(state(continued), state(whole), strict=True):
            self.assertTrue(torch.equal(ours, theirs))

    def test_saves_before_it_stops_at_a_loss_that_is_not_finite(self) -> None:
        run = open_run(self.folder)
        with self.assertRaisesRegex(TrainingStopped, "step 5: expected finite losses, found nan; the run is saved"):
            train(run, 8, bad=5)
        again = open_run(self.folder, seed=3)
        self.assertTrue(again.resume())
        self.assertEqual(again.step, 5)
        for ours, theirs in zip(state(again), state(run), strict=True):
            self.assertTrue(torch.equal(ours, theirs))

    def test_keeps_the_last_checkpoint_when_the_weights_are_lost(self) -> None:
        run = open_run(self.folder)
        run.model.stack.layers[0].bias.data.fill_(float("inf"))
        with self.assertRaisesRegex(TrainingStopped, "the last checkpoint is kept"):
            run.check(float("inf"))
        self.assertFalse(open_run(self.folder).resume())

    def test_refuses_a_checkpoint_of_another_configuration(self) -> None:
        open_run(self.folder).save()
        with self.assertRaisesRegex(TrainingStopped, "expected and found configurations differ"):
            open_run(self.folder, config={"dim": 7}).resume()


if __name__ == "__main__":
    unittest.main()
