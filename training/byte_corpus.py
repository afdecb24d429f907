"""
The text that the entropy model learns: paragraphs of the corpus and sentences of the pairs, as bytes.

`python -m training.byte_corpus` writes `<cache>/bytes.npz`: two streams of ids, one for training and
one held out by the same hashes as everywhere else, each text behind one BOS.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from training.corpus import DEFAULT_CACHE, DEFAULT_DATA, find_sources, is_held_out, read_documents
from training.entropy import BOS, OFFSET
from training.errors import CorpusMissingError
from training.pairs import is_held_out_pair, read_pairs
from training.vocabulary import LANGS

ENGLISH_BYTES, OTHER_BYTES = 600_000, 500_000
"""Of one source of the corpus, and of one other language of the pairs."""

HELD_OUT_BYTES = 16_384
"""Of one source or language."""


@dataclass
class ByteCorpus:
    """
    Ids of texts one after another, [M] uint16 each, and where texts begin, [K] int64 each.

    Held-out texts of origin i begin at the entries of held_out_starts whose origin is i.
    """

    train: np.ndarray
    train_starts: np.ndarray
    held_out: np.ndarray
    held_out_starts: np.ndarray
    held_out_origin: np.ndarray


def load_bytes(cache: Path) -> ByteCorpus:
    path = cache / "bytes.npz"
    if not path.exists():
        raise CorpusMissingError(f"{path}: not found; run `python -m training.byte_corpus` first")
    with np.load(path) as arrays:
        return ByteCorpus(**{name: arrays[name] for name in ByteCorpus.__dataclass_fields__})


def paragraphs_of(path: Path) -> Iterator[tuple[str, bool]]:
    for paragraphs in read_documents(path):
        held_out = is_held_out(paragraphs)
        for paragraph in paragraphs:
            yield paragraph, held_out


def sentences_of(folder: Path, lang: str) -> Iterator[tuple[str, bool]]:
    """Every third pair, because a file begins with its shortest sentences."""
    for index, (other, english, _) in enumerate(read_pairs(folder, lang)):
        if index % 3 == 0:
            yield other, is_held_out_pair(english)


def take(texts: Iterator[tuple[str, bool]], budgets: dict[bool, int]) -> dict[bool, list[bytes]]:
    """Returns the first texts of each kind until their bytes are enough."""
    taken: dict[bool, list[bytes]] = {False: [], True: []}
    left = dict(budgets)
    for text, held_out in texts:
        if left[held_out] > 0:
            data = text.encode()
            taken[held_out].append(data)
            left[held_out] -= len(data)
        elif max(left.values()) <= 0:
            break
    return taken


def as_ids(texts: list[bytes]) -> tuple[np.ndarray, np.ndarray]:
    """Returns the ids of all texts, and where each begins, with its BOS."""
    parts = []
    for text in texts:
        parts.append(np.array([BOS], dtype=np.uint16))
        parts.append(np.frombuffer(text, dtype=np.uint8).astype(np.uint16) + OFFSET)
    starts = np.concatenate([[0], np.cumsum([len(text) + 1 for text in texts])[:-1]]).astype(np.int64)
    return np.concatenate(parts), starts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DEFAULT_DATA)
    parser.add_argument("--pairs", type=Path, help="the unpacked folder of <lang>-eng.tsv; without it, English only")
    parser.add_argument("--cache", type=Path, default=DEFAULT_CACHE)
    arguments = parser.parse_args()

    origins = {name: (paragraphs_of(path), ENGLISH_BYTES) for name, path in find_sources(arguments.data).items()}
    if arguments.pairs is not None:
        origins |= {lang: (sentences_of(arguments.pairs, lang), OTHER_BYTES) for lang in LANGS[1:]}
    train: list[bytes] = []
    held_out: list[bytes] = []
    origin: list[int] = []
    for index, (name, (texts, budget)) in enumerate(origins.items()):
        taken = take(texts, {False: budget, True: HELD_OUT_BYTES})
        train += taken[False]
        held_out += taken[True]
        origin += [index] * len(taken[True])
        sizes = [sum(map(len, taken[kind])) for kind in (False, True)]
        print(f"{name}: {sizes[0]} bytes, {sizes[1]} held out", flush=True)
    (train_ids, train_starts), (held_out_ids, held_out_starts) = as_ids(train), as_ids(held_out)
    arguments.cache.mkdir(parents=True, exist_ok=True)
    np.savez(
        arguments.cache / "bytes.npz", train=train_ids, train_starts=train_starts,
        held_out=held_out_ids, held_out_starts=held_out_starts, held_out_origin=np.array(origin),
    )  # fmt: skip


if __name__ == "__main__":
    try:
        main()
    except CorpusMissingError as missing:
        sys.exit(str(missing))
