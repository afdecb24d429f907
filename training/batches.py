"""
Micro-batches without padding: sentences of one length, and pairs of sentences of two lengths.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from training.corpus import SOURCES, Corpus
from training.errors import CorpusMissingError
from training.vocabulary import EOS, Vocabulary, check_vocabulary

MIN_PIECES, MAX_PIECES = 3, 30

# How often a sentence of a source is drawn, relative to its number; prose is preferred to manuals.
SOURCE_WEIGHTS = {
    "tinystories": 1.5, "african-storybook": 2.0, "masc": 2.0, "novels": 1.2, "standard-ebooks": 1.2,
    "us-presidential-speeches": 1.2, "learning-statistics-r": 1.5, "blogs-handbooks": 1.0,
    "prog-books": 0.7, "gov-plain": 0.7, "mdn": 0.4, "kubernetes": 0.4, "opentelemetry": 0.4,
    "powershell": 0.2, "python-peps": 0.5, "rust-rfcs": 0.4, "swift-evolution": 0.4, "eips": 0.3,
}  # fmt: skip

# A language with few pairs is drawn more often than its number says.
LANG_WEIGHTS = {"ita_Latn": 3.0, "por_Latn": 2.0, "zho_Hans": 1.5, "eng_Latn": 1.0}

MIN_BUCKET = 128


def source_weights(corpus: Corpus) -> np.ndarray:
    """Returns the weight of every sentence."""
    return np.array([SOURCE_WEIGHTS.get(name, 1.0) for name in SOURCES])[corpus.source]


def frame(sentences: list[np.ndarray], lang: np.ndarray) -> np.ndarray:
    """Returns [N, S] ids `[lang] pieces [</s>]` of sentences of one length."""
    pieces = np.stack(sentences).astype(np.int64)
    return np.concatenate([lang[:, None], pieces, np.full((len(lang), 1), EOS)], axis=1)


class SentenceSampler:
    """Draws micro-batches of English sentences of one length, by the weights of their sources."""

    def __init__(self, corpus: Corpus, vocabulary: Vocabulary, held_out: bool, seed: int) -> None:
        self.corpus, self.vocabulary = corpus, vocabulary
        self.rng = np.random.default_rng(seed)
        weight = source_weights(corpus)
        eligible = corpus.prose & (corpus.held_out == held_out)
        self.rows: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        for length in range(MIN_PIECES, MAX_PIECES + 1):
            rows = np.flatnonzero(eligible & (corpus.lengths == length))
            if len(rows):
                self.rows[length] = (rows, np.cumsum(weight[rows]))

    def draw(self, tokens: int) -> np.ndarray:
        """Returns [N, S] ids `[lang] pieces [</s>]` with N·S ≈ tokens."""
        lengths = list(self.rows)
        mass = np.array([self.rows[length][1][-1] * length for length in lengths])
        length = int(self.rng.choice(lengths, p=mass / mass.sum()))
        rows, cumulative = self.rows[length]
        drawn = rows[np.searchsorted(cumulative, self.rng.random(tokens // (length + 2)) * cumulative[-1])]
        lang = np.full(len(drawn), self.vocabulary.lang)
        return frame([self.corpus.sentence(row) for row in drawn], lang)


@dataclass
class Pairs:
    """
    Pairs of sentences: side x of pair i is ids_x[start_x[i] : start_x[i] + length_x[i]].

    lang_a [M] holds the language's id of the first side; the second is always English, lang_b.
    """

    ids_a: np.ndarray
    start_a: np.ndarray
    length_a: np.ndarray
    lang_a: np.ndarray
    ids_b: np.ndarray
    start_b: np.ndarray
    length_b: np.ndarray
    lang_b: int
    weight: np.ndarray


def neighbour_pairs(corpus: Corpus, vocabulary: Vocabulary, held_out: bool) -> Pairs:
    """Returns the neighbouring sentences of all documents."""
    usable = corpus.prose & (corpus.held_out == held_out)
    first = np.flatnonzero(usable[:-1] & usable[1:] & (corpus.document[:-1] == corpus.document[1:]))
    return Pairs(
        corpus.ids, corpus.offsets[first], corpus.lengths[first], np.full(len(first), vocabulary.lang),
        corpus.ids, corpus.offsets[first + 1], corpus.lengths[first + 1], vocabulary.lang,
        source_weights(corpus)[first],
    )  # fmt: skip


def translation_pairs(cache: Path, vocabulary: Vocabulary, held_out: bool, lang: int | None = None) -> Pairs:
    """Returns translations into English and English paraphrases, of one index of LANGS or of all."""
    path = cache / "pairs.npz"
    if not path.exists():
        raise CorpusMissingError(f"{path}: not found; run `python -m training.corpus --pairs FOLDER` first")
    with np.load(path) as file:
        check_vocabulary(path, file, cache / "tokenizer.model")
        arrays = dict(file)
    rows = np.flatnonzero((arrays["held_out"] == held_out) & ((arrays["lang"] == lang) | (lang is None)))
    weight_of = np.array([LANG_WEIGHTS.get(name, 1.0) for name in vocabulary.langs])
    return Pairs(
        arrays["ids_a"], arrays["offsets_a"][rows], np.diff(arrays["offsets_a"])[rows],
        vocabulary.lang + arrays["lang"][rows],
        arrays["ids_b"], arrays["offsets_b"][rows], np.diff(arrays["offsets_b"])[rows],
        vocabulary.lang, (arrays["weight"] * weight_of[arrays["lang"]])[rows],
    )  # fmt: skip


class PairSampler:
    """Draws micro-batches of pairs whose first sides have one length and whose second sides have one."""

    def __init__(self, pairs: Pairs, rng: np.random.Generator) -> None:
        self.pairs, self.rng = pairs, rng
        fits = (pairs.length_a >= MIN_PIECES) & (pairs.length_a <= MAX_PIECES)
        fits &= (pairs.length_b >= MIN_PIECES) & (pairs.length_b <= MAX_PIECES)
        rows = np.flatnonzero(fits)
        key = pairs.length_a[rows] * (MAX_PIECES + 1) + pairs.length_b[rows]
        order = np.argsort(key, kind="stable")
        rows, key = rows[order], key[order]
        buckets = np.split(rows, np.flatnonzero(np.diff(key)) + 1)
        self.buckets = [bucket for bucket in buckets if len(bucket) >= MIN_BUCKET]
        self.cumulative = [np.cumsum(pairs.weight[bucket]) for bucket in self.buckets]
        lengths = np.array([(pairs.length_a[bucket[0]], pairs.length_b[bucket[0]]) for bucket in self.buckets])
        self.longest, self.total = lengths.max(axis=1), lengths.sum(axis=1)
        self.mass = np.array([cumulative[-1] for cumulative in self.cumulative]) * self.total

    def draw(self, tokens: int, max_pieces: int = MAX_PIECES, max_rows: int = 1000) -> tuple[np.ndarray, np.ndarray]:
        """Returns both sides, [N, S] and [N, T] ids `[lang] pieces [</s>]` with N·(S + T) ≈ tokens; no pair comes twice."""
        mass = np.where(self.longest <= max_pieces, self.mass, 0.0)
        chosen = int(self.rng.choice(len(mass), p=mass / mass.sum()))
        bucket, cumulative = self.buckets[chosen], self.cumulative[chosen]
        count = min(max_rows, tokens // (int(self.total[chosen]) + 4))
        rows = np.unique(bucket[np.searchsorted(cumulative, self.rng.random(count) * cumulative[-1])])
        p = self.pairs
        a = [p.ids_a[p.start_a[row] : p.start_a[row] + p.length_a[row]] for row in rows]
        b = [p.ids_b[p.start_b[row] : p.start_b[row] + p.length_b[row]] for row in rows]
        return frame(a, p.lang_a[rows]), frame(b, np.full(len(rows), p.lang_b))
