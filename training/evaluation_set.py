"""
Writes what the built-in model is measured on: held-out text, and nothing else but a list of words.

`python -m training.evaluation_set --pairs FOLDER` writes `<cache>/evaluation.json`, which
`python -m training.evaluate` reads for the weights in float32 and `npm run evaluate` for the compiled
model, so that both are asked the same. It holds text of the corpus and therefore stays in the cache.

Nothing in it was seen by any training: documents are held out by corpus.py, pairs by pairs.py, and of
those the ones are left out whose other side a training pair has too.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from training.corpus import DEFAULT_CACHE, SOURCES, Corpus, load_corpus
from training.errors import CorpusMissingError
from training.evaluation.words import known_words
from training.pairs import find_paraphrases, is_held_out_pair, read_pairs
from training.vocabulary import LANGS, Vocabulary

FILE = "evaluation.json"

CANDIDATES = 1000  # Sentences among which a translation is looked for.
MAX_PIECES = 25
MAX_TARGET_PIECES = 30  # Longer sentences are context, but no target of a concept model.
MAX_PARAGRAPHS_PER_SOURCE = 5
WINDOWS, WINDOW_LENGTH = 64, 16
CALIBRATION_WINDOWS = 192  # Confidence is fitted on them, and judged on the others.

NUMBER = re.compile(r"\d(?:[\d.,:]*\d)?")
NAME = re.compile(r"(?<=[a-z,;] )[A-Z][a-z]+(?![A-Za-z])(?:[ -][A-Z][a-z]+(?![A-Za-z]))*")


class HeldOutText:
    """The held-out documents, as text."""

    def __init__(self, corpus: Corpus, vocabulary: Vocabulary) -> None:
        self.corpus, self.vocabulary = corpus, vocabulary

    def text(self, row: int) -> str:
        return self.vocabulary.decode(self.corpus.sentence(row).tolist())

    def source(self, row: int) -> str:
        return SOURCES[self.corpus.source[row]]

    def documents(self) -> list[np.ndarray]:
        """Returns the rows of each document."""
        rows = np.flatnonzero(self.corpus.held_out)
        return np.split(rows, np.flatnonzero(np.diff(self.corpus.document[rows])) + 1)

    def prose_rows(self, seed: int) -> np.ndarray:
        """Returns prose of 3 to MAX_PIECES pieces, in random order."""
        c = self.corpus
        rows = np.flatnonzero(c.held_out & c.prose & (c.lengths <= MAX_PIECES) & (c.lengths >= 3))
        return np.random.default_rng(seed).permutation(rows)

    def sentences(self, count: int) -> list[dict]:
        return [
            {"text": self.text(row), "source": self.source(row), "pieces": int(self.corpus.lengths[row])}
            for row in self.prose_rows(1)[:count]
        ]

    def neighbours(self, count: int) -> list[list[str]]:
        """Returns pairs of sentences that follow one another in a document."""
        rows = self.prose_rows(2)
        follows = np.isin(rows + 1, rows) & (self.corpus.document[rows] == self.corpus.document[(rows + 1) % len(self.corpus.document)])
        return [[self.text(row), self.text(row + 1)] for row in rows[follows][:count]]

    def windows(self, count: int, length: int, skipped: int = 0) -> list[dict]:
        """
        Returns the parts of documents on which next concepts are foretold, with what may be a target.

        What comes after the `skipped` first documents shares none with them.
        """
        documents = [rows for rows in self.documents() if len(rows) >= length]
        order = np.random.default_rng(1).permutation(len(documents))
        rng = np.random.default_rng(1 + skipped)
        rng.permutation(len(documents))  # The places of the first windows were drawn after the order.
        windows = []
        for document in [documents[i] for i in order[skipped : skipped + count]]:
            start = rng.integers(0, len(document) - length + 1)
            rows = document[start : start + length]
            is_target = self.corpus.prose[rows] & (self.corpus.lengths[rows] <= MAX_TARGET_PIECES)
            is_target[0] = False
            windows.append({
                "source": self.source(rows[0]),
                "sentences": [self.text(row) for row in rows],
                "is_target": is_target.tolist(),
            })  # fmt: skip
        return windows

    def paragraphs(self, count: int, context: int) -> list[dict]:
        """Returns beginnings of paragraphs and the sentence that follows; few of one source, so that all have some."""
        c = self.corpus
        usable = c.prose & (c.lengths <= MAX_TARGET_PIECES)
        found = []
        for rows in self.documents():
            paragraphs = np.split(rows, np.flatnonzero(c.opens[rows])[1:])
            found += [p[: context + 1] for p in paragraphs if len(p) > context and usable[p[: context + 1]].all()]
        left = dict.fromkeys(SOURCES, MAX_PARAGRAPHS_PER_SOURCE)
        chosen: list[dict] = []
        for i in np.random.default_rng(1).permutation(len(found)):
            source = self.source(found[i][0])
            if left[source] > 0 and len(chosen) < count:
                left[source] -= 1
                *before, following = (self.text(row) for row in found[i])
                chosen.append({"source": source, "context": before, "next": following})
        return chosen

    def fragile(self, count: int) -> list[dict]:
        """Returns sentences with the numbers and names in them."""
        found: list[dict] = []
        for row in self.prose_rows(3):
            text = self.text(row)
            spans = [match.group() for pattern in (NUMBER, NAME) for match in pattern.finditer(text)]
            if spans:
                found.append({"text": text, "spans": spans})
            if len(found) == count:
                break
        return found


def training_texts(corpus: Corpus, vocabulary: Vocabulary, batch: int = 20_000) -> Iterator[str]:
    rows = np.flatnonzero(~corpus.held_out)
    for start in range(0, len(rows), batch):
        pieces = [(corpus.sentence(row).astype(int) - 1).tolist() for row in rows[start : start + batch]]
        yield from vocabulary.processor.decode(pieces)


def held_out_translations(folder: Path, lang: str) -> list[tuple[str, str]]:
    """Returns the pairs (other, English) of which no side was seen in training; no side comes twice."""
    pairs = [(other, english) for other, english, source in read_pairs(folder, lang) if source != "tldr"]
    seen = {other for other, english in pairs if not is_held_out_pair(english)}
    chosen = []
    for i in np.random.default_rng(1).permutation(len(pairs)):
        other, english = pairs[i]
        if is_held_out_pair(english) and other not in seen and english not in seen:
            chosen.append((other, english))
            seen |= {other, english}
    return chosen


def translations(folder: Path) -> dict[str, dict]:
    """Returns per language up to CANDIDATES pairs, and English sentences that fill them up to that number."""
    pairs = {lang: held_out_translations(folder, lang)[:CANDIDATES] for lang in LANGS[1:]}
    english = [sentence for chosen in pairs.values() for _, sentence in chosen]
    result = {}
    for lang, chosen in pairs.items():
        own = {sentence for _, sentence in chosen}
        others = [sentence for sentence in dict.fromkeys(english) if sentence not in own]
        result[lang] = {"pairs": [list(pair) for pair in chosen], "fill": others[: CANDIDATES - len(chosen)]}
    return result


def held_out_paraphrases(folder: Path, count: int) -> list[list[str]]:
    """Returns pairs of paraphrases of which one was never seen in training, and so the pair was not either."""
    found = find_paraphrases(folder)
    return [[a, b] for a, b in found if is_held_out_pair(a) or is_held_out_pair(b)][:count]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, default=DEFAULT_CACHE)
    parser.add_argument("--pairs", type=Path, required=True, help="the unpacked folder of <lang>-eng.tsv")
    arguments = parser.parse_args()
    vocabulary = Vocabulary(arguments.cache / "tokenizer.model")
    corpus = load_corpus(arguments.cache)
    held_out = HeldOutText(corpus, vocabulary)
    content = {
        "sentences": held_out.sentences(1000),
        "neighbours": held_out.neighbours(1000),
        "paraphrases": held_out_paraphrases(arguments.pairs, 1000),
        "translations": translations(arguments.pairs),
        "windows": held_out.windows(WINDOWS, WINDOW_LENGTH),
        "calibration": held_out.windows(CALIBRATION_WINDOWS, WINDOW_LENGTH, skipped=WINDOWS),
        "paragraphs": held_out.paragraphs(30, context=4),
        "fragile": held_out.fragile(300),
        "words": known_words(training_texts(corpus, vocabulary)),
    }
    path = arguments.cache / FILE
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(content, ensure_ascii=False, indent=0), encoding="utf-8")
    partial.replace(path)
    for name, part in content.items():
        print(f"{name}: {len(part)}")
    for lang, part in content["translations"].items():
        print(f"{lang}: {len(part['pairs'])} pairs, {len(part['fill'])} more English sentences")


def load_evaluation_set(cache: Path) -> dict:
    path = cache / FILE
    if not path.exists():
        raise CorpusMissingError(f"{path}: not found; run `python -m training.evaluation_set --pairs FOLDER` first")
    return json.loads(path.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
