"""
Reads the shared corpus and keeps it, tokenised, in a cache.

The corpus is a folder of `<source>.txt.xz` files: one paragraph per line, a blank line between
documents. `python -m training.corpus` trains the vocabulary, splits every document into
sentences and writes `<cache>/corpus.npz`; everything else reads only that file.

A document is held out when the hash of its beginning says so, hence the split does not depend on
the order of the files or on which of them are present.
"""

from __future__ import annotations

import argparse
import hashlib
import lzma
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from training.errors import CorpusMissingError
from training.pairs import sample_other_languages, tokenise_pairs
from training.vocabulary import Vocabulary, check_vocabulary, extend_vocabulary, train_vocabulary, vocabulary_digest

DEFAULT_DATA = Path("../shared/data")
DEFAULT_CACHE = Path("training/.cache")

SOURCES = [
    "african-storybook", "blogs-handbooks", "eips", "enwiki", "gov-plain", "kubernetes",
    "learning-statistics-r", "masc", "mdn", "novels", "openstax", "opentelemetry", "plos-science",
    "powershell", "prog-books", "python-peps", "rust-rfcs", "standard-ebooks", "swift-evolution",
    "tinystories", "us-presidential-speeches", "wikinews",
]  # fmt: skip

HELD_OUT_PER_MILLE = 10
END_OF_TEXT = "End of text."

ABBREVIATIONS = set(
    "mr mrs ms dr prof st sr jr vs etc e.g i.e cf no vol fig eq inc ltd co corp gen col lt sgt capt "
    "rev hon messrs mme mlle approx dept est al ca jan feb mar apr jun jul aug sep sept oct nov dec".split()
)
BOUNDARY = re.compile(r"""[.!?…]["'”’)\]]*\s+(?=["'“‘(\[]?[A-Z0-9])""")


def split_sentences(paragraph: str) -> list[str]:
    """Splits a paragraph after full stops, not after abbreviations and initials."""
    sentences, start = [], 0
    for match in BOUNDARY.finditer(paragraph):
        if paragraph[match.start()] == ".":
            word = paragraph[start : match.start()].rsplit(None, 1)
            last = word[-1].lstrip("\"'“‘([").lower() if word else ""
            if last in ABBREVIATIONS or (len(last) == 1 and last.isalpha() and last != "i"):
                continue
        sentences.append(paragraph[start : match.end()].strip())
        start = match.end()
    sentences.append(paragraph[start:].strip())
    return [sentence for sentence in sentences if sentence]


def read_documents(path: Path) -> Iterator[list[str]]:
    """Yields the documents of one file, each a list of paragraphs."""
    paragraphs: list[str] = []
    with lzma.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            if line.strip():
                paragraphs.append(line.strip())
            elif paragraphs:
                yield paragraphs
                paragraphs = []
    if paragraphs:
        yield paragraphs


def is_held_out(paragraphs: list[str]) -> bool:
    digest = hashlib.sha1(" ".join(paragraphs)[:300].encode()).digest()
    return int.from_bytes(digest[:4], "big") % 1000 < HELD_OUT_PER_MILLE


def is_prose(sentence: str) -> bool:
    """Whether a sentence is worth learning to write: it begins, ends and reads like prose."""
    letters = sum(character.isalpha() or character == " " for character in sentence)
    return (
        sentence.lstrip("\"'“‘(")[:1].isupper()
        and sentence.rstrip("\"'”’)")[-1:] in {".", "!", "?"}
        and letters >= 0.85 * len(sentence)
        and "  " not in sentence
        and "`" not in sentence
    )


@dataclass
class Corpus:
    """
    Every sentence as its pieces, in document order.

    Sentence i has ids[offsets[i]:offsets[i+1]] (fairseq2 ids, without language and </s>), belongs to
    document[i] of SOURCES[source[i]], opens a paragraph if opens[i], is prose if prose[i].
    """

    ids: np.ndarray
    offsets: np.ndarray
    document: np.ndarray
    source: np.ndarray
    opens: np.ndarray
    prose: np.ndarray
    held_out: np.ndarray

    @property
    def lengths(self) -> np.ndarray:
        return np.diff(self.offsets)

    def sentence(self, index: int) -> np.ndarray:
        return self.ids[self.offsets[index] : self.offsets[index + 1]]


def load_corpus(cache: Path) -> Corpus:
    path = cache / "corpus.npz"
    if not path.exists():
        raise CorpusMissingError(f"{path}: not found; run `python -m training.corpus` first")
    with np.load(path) as arrays:
        check_vocabulary(path, arrays, cache / "tokenizer.model")
        return Corpus(**{name: arrays[name] for name in Corpus.__dataclass_fields__})


def find_sources(data: Path) -> dict[str, Path]:
    found = {source: data / f"{source}.txt.xz" for source in SOURCES if (data / f"{source}.txt.xz").exists()}
    if not found:
        raise CorpusMissingError(f"{data}: expected the files <source>.txt.xz of the corpus, found none")
    return found


def sample_for_vocabulary(paths: dict[str, Path], out: Path, megabytes_per_source: float) -> None:
    """Writes a text with equal shares of the sources, up to what each has, held-out documents left out."""
    with out.open("w", encoding="utf-8") as text:
        for path in paths.values():
            budget = megabytes_per_source * 1e6
            for paragraphs in read_documents(path):
                if budget < 0:
                    break
                if is_held_out(paragraphs):
                    continue
                for sentence in (s for p in paragraphs for s in split_sentences(p) if is_prose(s)):
                    text.write(sentence + "\n")
                    budget -= len(sentence)


def tokenise(paths: dict[str, Path], vocabulary: Vocabulary) -> Corpus:
    sentences: list[str] = []
    columns: dict[str, list[int]] = {"document": [], "source": [], "opens": [], "held_out": []}
    pieces: list[np.ndarray] = []
    lengths: list[int] = []
    prose: list[bool] = []

    def flush() -> None:
        for encoded in vocabulary.encode_batch(sentences):
            pieces.append(np.asarray(encoded, dtype=np.uint16))
            lengths.append(len(encoded))
        prose.extend(is_prose(sentence) for sentence in sentences)
        sentences.clear()

    document = 0
    for source, path in paths.items():
        for paragraphs in read_documents(path):
            held_out = is_held_out(paragraphs)
            for paragraph in paragraphs:
                for index, sentence in enumerate(split_sentences(paragraph)):
                    sentences.append(sentence)
                    columns["document"].append(document)
                    columns["source"].append(SOURCES.index(source))
                    columns["opens"].append(index == 0)
                    columns["held_out"].append(held_out)
            document += 1
            if len(sentences) > 50_000:
                flush()
        print(f"{source}: {document} documents, {len(columns['document'])} sentences so far", flush=True)
    flush()
    return Corpus(
        ids=np.concatenate(pieces),
        offsets=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        document=np.asarray(columns["document"], dtype=np.int32),
        source=np.asarray(columns["source"], dtype=np.uint8),
        opens=np.asarray(columns["opens"], dtype=bool),
        prose=np.asarray(prose, dtype=bool),
        held_out=np.asarray(columns["held_out"], dtype=bool),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DEFAULT_DATA)
    parser.add_argument("--cache", type=Path, default=DEFAULT_CACHE)
    parser.add_argument("--vocab-pieces", type=int, default=8000)
    parser.add_argument("--extend-vocabulary", type=Path, help="a tokenizer.model to extend instead of a new vocabulary")
    parser.add_argument("--pairs", type=Path, help="the unpacked folder of <lang>-eng.tsv, whose languages extend it too")
    parser.add_argument("--other-pieces", type=int, default=3000, help="pieces added for the other languages")
    parser.add_argument("--han-characters", type=int, default=1200)
    parser.add_argument("--vocab-megabytes", type=float, default=2.0, help="text per source for the vocabulary")
    arguments = parser.parse_args()

    started = time.time()
    paths = find_sources(arguments.data)
    arguments.cache.mkdir(parents=True, exist_ok=True)
    model = arguments.cache / "tokenizer.model"
    if arguments.extend_vocabulary is not None:
        others = None
        if arguments.pairs is not None:
            others = arguments.cache / "others.txt"
            sample_other_languages(arguments.pairs, others)
        added = extend_vocabulary(
            arguments.extend_vocabulary, model, others, arguments.other_pieces, arguments.han_characters
        )
        print(f"{added} pieces added", flush=True)
    elif not model.exists():
        sample = arguments.cache / "vocabulary-sample.txt"
        sample_for_vocabulary(paths, sample, arguments.vocab_megabytes)
        train_vocabulary(sample, model, arguments.vocab_pieces)
        sample.unlink()
        print(f"vocabulary trained after {time.time() - started:.0f} s", flush=True)
    vocabulary = Vocabulary(model)
    if arguments.pairs is not None:
        pairs = tokenise_pairs(arguments.pairs, vocabulary)
        np.savez(arguments.cache / "pairs.npz", **pairs, vocabulary=vocabulary_digest(model))
        print(f"{len(pairs['lang'])} pairs after {time.time() - started:.0f} s", flush=True)
    corpus = tokenise(paths, vocabulary)
    columns = {name: getattr(corpus, name) for name in Corpus.__dataclass_fields__}
    np.savez(arguments.cache / "corpus.npz", **columns, vocabulary=vocabulary_digest(model))
    print(
        f"{len(corpus.document)} sentences ({corpus.prose.sum()} prose, {corpus.held_out.sum()} held out), "
        f"{len(corpus.ids)} pieces, {time.time() - started:.0f} s"
    )


if __name__ == "__main__":
    main()
