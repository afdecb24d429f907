"""`python -m unittest training.tests.test_confidence`: what takes coefficients over; needs no package."""

from __future__ import annotations

import unittest

from training.confidence import write_confidence

CONFIG = {"name": "m", "lcm": {"a": {"model_dim": 8, "confidence": {"bias": 9}}, "b": {"model_dim": 8}}}


class ConfidenceTest(unittest.TestCase):
    def test_what_was_measured_is_written_under_the_names_of_configurations(self) -> None:
        figures = {"confidence": {"a": {"auc": 0.8, "coefficients": {"langs": ["eng_Latn"], "bias": 1, "logLength": 2}}}}
        written = write_confidence(CONFIG, figures)
        self.assertEqual(written["lcm"]["a"]["confidence"], {"langs": ["eng_Latn"], "bias": 1, "log_length": 2})
        self.assertEqual(written["lcm"]["b"], CONFIG["lcm"]["b"])

    def test_without_figures_nothing_changes(self) -> None:
        self.assertEqual(write_confidence(CONFIG, {}), CONFIG)


if __name__ == "__main__":
    unittest.main()
