"""`python -m unittest training.tests.test_directions`: what learns directions, on planted ones."""

from __future__ import annotations

import unittest

import numpy as np

from training.directions import Classes, difference, learn, separation


class DirectionsTest(unittest.TestCase):
    def setUp(self) -> None:
        rng = np.random.default_rng(0)
        self.cell = rng.integers(0, 4, 4000)
        # What the cells share is confounded with the class, and far larger than the class itself.
        self.is_positive = rng.random(4000) < 0.2 + 0.2 * self.cell
        self.x = rng.normal(size=(4000, 8)).astype(np.float32)
        self.x[:, 0] += 2 * self.is_positive
        self.x[:, 1] += 10 * self.cell
        p, n = np.flatnonzero(self.is_positive), np.flatnonzero(~self.is_positive)
        self.classes = Classes(p, n, self.cell[p], self.cell[n])

    def test_cells_keep_out_what_they_share(self) -> None:
        d = difference(self.x, self.classes)
        self.assertAlmostEqual(float(np.linalg.norm(d)), 1.0, places=6)
        self.assertGreater(d[0], 0.99)
        self.assertLess(abs(d[1]), 0.1)

    def test_a_direction_tells_the_classes_apart_and_its_opposite_does_not(self) -> None:
        d = difference(self.x, self.classes)
        told, count = separation(self.x, d, self.classes)
        self.assertGreater(told, 0.9)
        self.assertEqual(count, self.is_positive.sum())
        self.assertAlmostEqual(separation(self.x, -d, self.classes)[0], 1 - told, places=6)

    def test_a_mask_leaves_the_rest_out(self) -> None:
        first = np.arange(4000) < 2000
        kept = self.classes.among(first)
        self.assertEqual(len(kept.positive) + len(kept.negative), 2000)
        self.assertTrue((kept.positive < 2000).all() and self.is_positive[kept.positive].all())
        self.assertTrue((self.cell[kept.negative] == kept.negative_cell).all())

    def test_all_but_the_lengths_are_orthogonal_to_the_length(self) -> None:
        by_length = np.argsort(self.x[:, 2])
        short, long = by_length[:1000], by_length[-1000:]
        longer = Classes(long, short, np.zeros(1000, int), np.zeros(1000, int))
        shorter = Classes(short, long, np.zeros(1000, int), np.zeros(1000, int))
        learnt = learn(self.x, {"shorter": shorter, "longer": longer, "plainer": self.classes})
        np.testing.assert_allclose(learnt["shorter"], -learnt["longer"])
        self.assertAlmostEqual(float(learnt["plainer"] @ learnt["longer"]), 0.0, places=6)


if __name__ == "__main__":
    unittest.main()
