"""`python -m unittest training.tests.test_card`: what writes the model card; needs no package."""

from __future__ import annotations

import unittest

from training.card import CardError, write_figures
from training.evaluation.card_sections import SECTIONS, Measured, escape

CARD = "# Card\n\nBy hand.\n\n" + "\n".join(
    f"<!-- figures: {name} -->\nold\n<!-- /figures -->\nProse of {name}." for name in SECTIONS
)
EXACT = {
    "autoencoder": {"chrf": 81.25, "exact_match": 0.5, "by_length": {"1-5": {"sentences": 12, "chrf": 90.0}}},
    "continuations": [{"source": "novels", "context": ["One * two.", "Three."], "next": "Four.", "written": {"base": []}}],
}


class CardTest(unittest.TestCase):
    def test_writing_twice_is_writing_once(self) -> None:
        once = write_figures(CARD, Measured(EXACT, {}))
        self.assertEqual(write_figures(once, Measured(EXACT, {})), once)

    def test_prose_stays_and_old_figures_go(self) -> None:
        written = write_figures(CARD, Measured(EXACT, {}))
        self.assertIn("By hand.", written)
        self.assertIn("Prose of rival.", written)
        self.assertNotIn("\nold\n", written)

    def test_figures_of_both_stand_side_by_side(self) -> None:
        written = write_figures(CARD, Measured(EXACT, {"autoencoder": {"chrf": 80.04}}))
        self.assertIn("| chrF | 81.2 | 80.0 |", written)
        self.assertIn("| exact match | 50.0 % | — |", written)

    def test_what_was_not_measured_says_so(self) -> None:
        self.assertIn("<!-- figures: rival -->\nNot measured.\n", write_figures(CARD, Measured({}, {})))

    def test_text_is_shown_as_it_is(self) -> None:
        self.assertEqual(escape("a|b *c* <d>"), r"a\|b \*c\* \<d\>")
        self.assertIn(r"> One \* two. Three.", write_figures(CARD, Measured(EXACT, {})))

    def test_a_card_without_a_section_is_refused(self) -> None:
        for card in ("# Card", CARD + "\n<!-- figures: rival -->\n<!-- /figures -->"):
            with self.assertRaises(CardError):
                write_figures(card, Measured({}, {}))


if __name__ == "__main__":
    unittest.main()
