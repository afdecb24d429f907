"""
Learns directions of the concept space from the corpus: what makes a sentence shorter, plainer, …

  d = Σ_c w_c (mean of x̃ in class + of cell c − mean of x̃ in class − of cell c),  w_c ∝ min(n₊, n₋),  ‖d‖ = 1

x̃ is a concept in normalised space. Classes are told by what can be measured of a sentence. Cells hold
the same what must not tell them apart: the source always, the length, for concreteness the
frequency of words; and all directions but shorter and longer are made orthogonal to the length.
The classes of the arguments (continue, example, conclude) are sentences that begin with a cue
phrase, against the sentences right before and after them.

`python -m training.directions`, after embed.py and export.py; it writes `directions.safetensors` into
the model, names it in config.json, and prints how well each direction tells held-out sentences apart
and how much of it another half of the corpus agrees with.
"""

from __future__ import annotations

import argparse
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from training.concept_documents import ConceptDocuments
from training.corpus import DEFAULT_CACHE, Corpus, load_corpus
from training.evaluation.words import words_of
from training.export import DEFAULT_OUT, load_exported_models
from training.lcm import BaseLcm
from training.run import run_main
from training.safetensors_file import write_safetensors
from training.vocabulary import Vocabulary

FILE = "directions.safetensors"
MIN_PIECES, MAX_PIECES = 4, 30
QUANTILE = 0.25  # The classes of a measured property: its lowest and its highest quarter.

CUES = {
    "continue": r"(Therefore|Thus|Hence|Consequently|Moreover|Furthermore|In addition|Additionally|As a result|"
    r"For this reason|Similarly|Likewise|This means|That means|That is why|Accordingly)\b",
    "example": r"(For example|For instance|As an example|One example|An example|Consider|Suppose|Imagine)\b",
    "conclude": r"(In conclusion|To conclude|In summary|To summari[sz]e|In short|Overall|In the end|All in all|Finally|"
    r"Ultimately|On the whole|The moral)\b",
}  # fmt: skip
ANY_CUE = re.compile("|".join(CUES.values()))

# Nouns made of verbs and adjectives, which name what nobody can touch; Biber 1988 counts them so.
ABSTRACT = re.compile(r"\w{2,}(tion|sion|ment|ness|ity|ism|ance|ence|ship|hood|ency|ancy)s?$")
# Where things are among other things.
PLACE = re.compile(
    r"\b(on|under|into|behind|over|through|across|beside|inside|onto|near|above|beneath|around|against) "
    r"(the|a|an|his|her|its|their|my|your) \w",
    re.IGNORECASE,
)


def abstractness(text: str) -> float:
    """Returns the share of words that are abstract nouns by their endings."""
    words = words_of(text)
    return sum(ABSTRACT.match(word) is not None for word in words) / max(1, len(words))


@dataclass
class Sentences:
    """Sentences of the corpus with their concepts, in document order; column by column."""

    texts: list[str]
    concepts: np.ndarray  # x̃, [M, E] float32
    pieces: np.ndarray
    document: np.ndarray
    source: np.ndarray
    held_out: np.ndarray
    usable: np.ndarray  # Prose of MIN_PIECES to MAX_PIECES.
    rarity: np.ndarray  # Mean of − log p of the words.


@dataclass
class Classes:
    """Rows of both classes, and the cell of each: only rows of one cell are compared."""

    positive: np.ndarray
    negative: np.ndarray
    positive_cell: np.ndarray
    negative_cell: np.ndarray

    def among(self, rows: np.ndarray) -> Classes:
        """Returns those of the rows that a mask, [M], has."""
        p, n = rows[self.positive], rows[self.negative]
        return Classes(self.positive[p], self.negative[n], self.positive_cell[p], self.negative_cell[n])

    def cells(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yields the rows of both classes in each cell that has some of both."""
        for cell in np.intersect1d(self.positive_cell, self.negative_cell):
            yield self.positive[self.positive_cell == cell], self.negative[self.negative_cell == cell]


def mean_rarity(texts: list[str], counts: Counter[str]) -> np.ndarray:
    """Returns the mean of − log p of the words of each text, words of one occurrence as rare as any unknown."""
    total = sum(counts.values())
    rare = {word: -np.log(count / total) for word, count in counts.items()}
    unknown = -np.log(1 / total)
    return np.array([np.mean([rare.get(word, unknown) for word in words_of(text)] or [unknown]) for text in texts])


def read_sentences(cache: Path, folder: Path) -> Sentences:
    documents, corpus = ConceptDocuments(cache / "embeddings.npz"), load_corpus(cache)
    vocabulary = Vocabulary(cache / "tokenizer.model")
    places = np.flatnonzero(documents.row >= 0)
    rows = documents.row[places]
    texts = decode_rows(corpus, vocabulary, rows)
    base = next(model for model in load_exported_models(folder).values() if isinstance(model, BaseLcm))
    concepts = base.normalizer.normalize(documents.embeddings[places].float()).numpy()
    held_out = corpus.held_out[rows]
    counts = Counter(word for text, held in zip(texts, held_out, strict=True) if not held for word in words_of(text))
    lengths = corpus.lengths[rows]
    return Sentences(
        texts, concepts, lengths, corpus.document[rows], corpus.source[rows], held_out,
        corpus.prose[rows] & (lengths >= MIN_PIECES) & (lengths <= MAX_PIECES), mean_rarity(texts, counts),
    )  # fmt: skip


def decode_rows(corpus: Corpus, vocabulary: Vocabulary, rows: np.ndarray, batch: int = 20_000) -> list[str]:
    texts: list[str] = []
    for start in range(0, len(rows), batch):
        pieces = [(corpus.sentence(row).astype(int) - 1).tolist() for row in rows[start : start + batch]]
        texts += vocabulary.processor.decode(pieces)
    return texts


def by_quarters(s: Sentences, values: np.ndarray, cell: np.ndarray) -> Classes:
    """Returns the highest quarter of every cell against its lowest, of the usable rows."""
    positive, negative = [], []
    for name in np.unique(cell[s.usable]):
        rows = np.flatnonzero(s.usable & (cell == name))
        low, high = np.quantile(values[rows], [QUANTILE, 1 - QUANTILE])
        if low < high:
            positive.append(rows[values[rows] >= high])
            negative.append(rows[values[rows] <= low])
    p, n = np.concatenate(positive), np.concatenate(negative)
    return Classes(p, n, cell[p], cell[n])


def by_cue(s: Sentences, cue: str) -> Classes:
    """Returns the sentences that begin with a cue against their neighbours, which begin with none."""
    begins = re.compile(CUES[cue])
    positive, negative, cells = [], [], []
    for row in np.flatnonzero(s.usable):
        if begins.match(s.texts[row]) is None:
            continue
        around = [
            other for other in (row - 1, row + 1)
            if 0 <= other < len(s.texts) and s.usable[other] and s.document[other] == s.document[row]
            and ANY_CUE.match(s.texts[other]) is None
        ]  # fmt: skip
        if around:
            positive.append(row)
            negative += around
            cells += [row] * len(around)
    return Classes(np.array(positive), np.array(negative), np.array(positive), np.array(cells))


def classes_of(s: Sentences) -> dict[str, Classes]:
    length_bin = np.digitize(s.pieces, [8, 12, 16, 20, 25])
    by_source = s.source.astype(int)
    by_length = by_source * 10 + length_bin
    rarity_bin = np.digitize(s.rarity, np.quantile(s.rarity[s.usable], [0.2, 0.4, 0.6, 0.8]))
    by_words = by_length * 10 + rarity_bin

    abstract = np.array([abstractness(text) for text in s.texts])
    is_placed = np.array([PLACE.search(text) is not None for text in s.texts])
    concrete = np.flatnonzero(s.usable & (abstract == 0) & is_placed)
    vague = np.flatnonzero(s.usable & (abstract > 0) & ~is_placed)

    longer = by_quarters(s, s.pieces, by_source)
    return {
        "shorter": Classes(longer.negative, longer.positive, longer.negative_cell, longer.positive_cell),
        "longer": longer,
        "plainer": by_quarters(s, -s.rarity, by_length),
        "concrete": Classes(concrete, vague, by_words[concrete], by_words[vague]),
        **{cue: by_cue(s, cue) for cue in CUES},
    }


def difference(x: np.ndarray, classes: Classes) -> np.ndarray:
    """Returns the difference of the classes' means within cells, [E], of length 1; x [M, E]."""
    total = np.zeros(x.shape[1])
    for positive, negative in classes.cells():
        weight = min(len(positive), len(negative))
        total += weight * (x[positive].mean(axis=0, dtype=np.float64) - x[negative].mean(axis=0, dtype=np.float64))
    return total / np.linalg.norm(total)


def orthogonal(d: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Returns what of d is orthogonal to another direction, of length 1."""
    rest = d - (d @ other) * other
    return rest / np.linalg.norm(rest)


def learn(x: np.ndarray, classes: dict[str, Classes]) -> dict[str, np.ndarray]:
    learnt = {name: difference(x, these) for name, these in classes.items()}
    longer = learnt["longer"]
    return {name: d if name in ("longer", "shorter") else orthogonal(d, longer) for name, d in learnt.items()}


def separation(x: np.ndarray, d: np.ndarray, classes: Classes) -> tuple[float, int]:
    """Returns how often a positive lies farther along d than a negative of its cell, and of how many positives."""
    right = pairs = count = 0
    for positive, negative in classes.cells():
        p, n = x[positive] @ d, x[negative] @ d
        right += (p[:, None] > n[None, :]).sum()
        pairs += len(p) * len(n)
        count += len(p)
    return right / max(1, pairs), count


def report(s: Sentences, classes: dict[str, Classes], directions: dict[str, np.ndarray], seed: int) -> None:
    half = np.random.default_rng(seed).random(s.document.max() + 1) < 0.5
    in_half, training = half[s.document], ~s.held_out
    halves = [learn(s.concepts, {name: c.among(training & which) for name, c in classes.items()}) for which in (in_half, ~in_half)]
    print("direction   sentences  held out  told apart  halves agree")
    for name, d in directions.items():
        told, count = separation(s.concepts, d, classes[name].among(s.held_out))
        agree = float(halves[0][name] @ halves[1][name])
        trained = len(classes[name].among(training).positive)
        print(f"{name:10} {trained:10} {count:9} {told:11.3f} {agree:13.3f}")


def write(directions: dict[str, np.ndarray], folder: Path) -> None:
    """Writes the directions beside the model and names them in its configuration."""
    write_safetensors(folder / FILE, {name: torch.from_numpy(d.astype(np.float32)) for name, d in directions.items()})
    path = folder / "config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps({**config, "directions": list(directions)}, indent=2) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, default=DEFAULT_CACHE)
    parser.add_argument("--model", type=Path, default=DEFAULT_OUT)
    parser.add_argument("--seed", type=int, default=1, help="of the halves that are compared")
    parser.add_argument("--only", nargs="*", help="the names that are written; all when left out")
    arguments = parser.parse_args()

    sentences = read_sentences(arguments.cache, arguments.model)
    classes = classes_of(sentences)
    directions = learn(sentences.concepts, {name: c.among(~sentences.held_out) for name, c in classes.items()})
    report(sentences, classes, directions, arguments.seed)
    write({name: d for name, d in directions.items() if arguments.only is None or name in arguments.only}, arguments.model)


if __name__ == "__main__":
    run_main(main)
