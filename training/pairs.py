"""
Reads the sentence pairs: translations into English, and English paraphrases found through them.

`pairs/<lang>-eng.tsv` holds lines of other language, English, source. Two English sentences that
share a translation are a paraphrase. A pair is held out when the hash of its English sentence says so,
so a held-out sentence is held out in every language.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from training.errors import CorpusMissingError
from training.vocabulary import LANGS, Vocabulary

# How often a pair is drawn, relative to their number. Fragments of manuals teach little.
PAIR_SOURCE_WEIGHTS = {"tatoeba": 1.0, "tldr": 0.1, "kubernetes": 0.5, "opentelemetry": 0.5}
DEFAULT_PAIR_WEIGHT = 1.0
HELD_OUT_PER_MILLE = 40
MAX_PARAPHRASES = 60_000


def is_held_out_pair(english: str) -> bool:
    digest = hashlib.sha1(english.encode()).digest()
    return int.from_bytes(digest[:4], "big") % 1000 < HELD_OUT_PER_MILLE


def read_pairs(folder: Path, lang: str) -> Iterator[tuple[str, str, str]]:
    """Yields (other, English, source) of one language, `fra_Latn` for example; malformed lines are left out."""
    path = folder / f"{lang[:3]}-eng.tsv"
    if not path.exists():
        raise CorpusMissingError(f"{path}: not found; unpack pairs.tar.xz and name its folder with --pairs")
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            fields = line.rstrip("\n").split("\t")
            if len(fields) == 3 and fields[0] and fields[1]:
                yield fields[0], fields[1], fields[2]


def sample_other_languages(folder: Path, out: Path, per_lang: int = 40_000) -> None:
    """Writes sentences of every language but English, those of held-out pairs left out."""
    with out.open("w", encoding="utf-8") as text:
        for lang in LANGS[1:]:
            chosen = [other for other, english, _ in read_pairs(folder, lang) if not is_held_out_pair(english)]
            step = max(1, len(chosen) // per_lang)
            text.writelines(other + "\n" for other in chosen[::step])


def find_paraphrases(folder: Path) -> list[tuple[str, str]]:
    """Returns English sentences that were translated by one and the same sentence of Tatoeba."""
    found: dict[tuple[str, str], None] = {}
    for lang in ("fra_Latn", "deu_Latn", "spa_Latn"):
        by_other: dict[str, list[str]] = defaultdict(list)
        for other, english, source in read_pairs(folder, lang):
            if source == "tatoeba" and english not in by_other[other]:
                by_other[other].append(english)
        for sentences in by_other.values():
            for first, second in zip(sentences, sentences[1:], strict=False):
                found[min(first, second), max(first, second)] = None
    chosen = list(found)
    np.random.default_rng(1).shuffle(chosen)
    return [(first, second) for first, second in chosen[:MAX_PARAPHRASES]]


def tokenise_pairs(folder: Path, vocabulary: Vocabulary) -> dict[str, np.ndarray]:
    """
    Returns all pairs as pieces: the first sides ids_a[offsets_a[i]:offsets_a[i+1]] in the language
    LANGS[lang[i]], the second sides, in English, likewise; weight and held_out of each.
    """
    first: list[str] = []
    second: list[str] = []
    lang: list[int] = []
    weight: list[float] = []
    for name in LANGS[1:]:
        for other, english, source in read_pairs(folder, name):
            first.append(other)
            second.append(english)
            lang.append(LANGS.index(name))
            weight.append(PAIR_SOURCE_WEIGHTS.get(source, DEFAULT_PAIR_WEIGHT))
    for sentence, paraphrase in find_paraphrases(folder):
        first.append(sentence)
        second.append(paraphrase)
        lang.append(0)
        weight.append(1.0)
    held_out = [is_held_out_pair(a) or is_held_out_pair(b) for a, b in zip(first, second, strict=True)]
    columns = {"lang": np.array(lang), "weight": np.array(weight), "held_out": np.array(held_out)}
    for name, sentences in (("a", first), ("b", second)):
        encoded = vocabulary.encode_batch(sentences)
        columns[f"ids_{name}"] = np.concatenate([np.asarray(ids, dtype=np.uint16) for ids in encoded])
        columns[f"offsets_{name}"] = np.concatenate([[0], np.cumsum([len(ids) for ids in encoded])])
    return columns
