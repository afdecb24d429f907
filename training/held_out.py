"""
Prints held-out sentences, one a line, for measuring the compiled model.

`python -m training.held_out --count 1000 > FILE`, then `THOUGHTLINE_SENTENCES=FILE npm run bench`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from training.corpus import DEFAULT_CACHE, load_corpus
from training.vocabulary import Vocabulary


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, default=DEFAULT_CACHE)
    parser.add_argument("--count", type=int, default=1000)
    args = parser.parse_args()
    corpus = load_corpus(args.cache)
    vocabulary = Vocabulary(args.cache / "tokenizer.model")
    rows = np.flatnonzero(corpus.held_out & corpus.prose)
    for row in np.random.default_rng(1).permutation(rows)[: args.count]:
        print(vocabulary.decode(corpus.sentence(row).tolist()))


if __name__ == "__main__":
    main()
