"""
Writes what the figures of text are for a few sentences, for their twins in TypeScript.

`python -m training.evaluation.golden > test/golden/evaluation.json`
"""

from __future__ import annotations

import json

from training.evaluation.bleu import bleu
from training.evaluation.chrf import chrf
from training.evaluation.words import goes_in_circles, is_well_formed, words_of

# (hypothesis, reference); one corpus.
PAIRS = [
    ("The cat sat on the mat.", "The cat sat on the mat."),
    ("The cat lay on a mat in the hall.", "A cat lay on the mat in the hall."),
    ("It costs $3.50, not 4-5 [x] & y.", "It costs $3.50, not 4-6 (x) & y!"),
    ("Die Straße führt zum Café.", "Die Strasse führt zum Café."),
    ("猫坐在垫子上。", "猫在垫子上坐着。"),
    ("“Well,” she said, “that’s it.”", "“Well,” he said, “that isn’t it.”"),
    ("", "Nothing came back."),
    ("Words of which none is right", "Entirely different sentences here."),
]  # fmt: skip

KNOWN = ["a", "and", "don't", "it", "mat", "sat", "the", "very", "cat", "on"]
TEXTS = [
    "The cat sat on the mat.", "The cat sat on the mat", "The katze sat.", "It sat very very on the mat.",
    "It sat very very very on the mat.", "The cat and the cat and the mat.", "Don’t sat 12 mat!”", "12.", "", "A cat. …",
    "The mat the mat sat on it.",
]  # fmt: skip


def main() -> None:
    corpora = [PAIRS, PAIRS[:1], PAIRS[1:3], PAIRS[6:7], PAIRS[7:]]
    known = frozenset(KNOWN)
    print(json.dumps({
        "about": "made by training/evaluation/golden.py",
        "overlap": [
            {
                "hypotheses": [h for h, _ in pairs], "references": [r for _, r in pairs],
                "chrf": chrf([h for h, _ in pairs], [r for _, r in pairs]),
                "bleu": bleu([h for h, _ in pairs], [r for _, r in pairs]),
            }
            for pairs in corpora
        ],
        "known": KNOWN,
        "texts": [
            {
                "text": text, "words": words_of(text), "in_circles": goes_in_circles(words_of(text)),
                "well_formed": is_well_formed(text, known),
            }
            for text in TEXTS
        ],
    }, ensure_ascii=False, indent=1))  # fmt: skip


if __name__ == "__main__":
    main()
