"""
The vocabulary: SentencePiece BPE pieces under fairseq2's ids.

  0 <pad>, 1 <unk>, 2 <s>, 3 </s>, then SentencePiece id + 1, then the languages, then three data tags

as the official SONAR checkpoints number theirs (reference: fairseq2 NllbTokenizer).
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import sentencepiece

from training.errors import TrainingStopped

PAD, UNK, BOS, EOS = 0, 1, 2, 3
LANGS = ["eng_Latn", "fra_Latn", "deu_Latn", "spa_Latn", "ita_Latn", "por_Latn", "zho_Hans"]
DATA_TAGS = ["<MINED_DATA>", "<MMT_BT_DATA>", "<SMT_BT_DATA>"]

# Rare in prose, so that coverage alone loses them, and missed at once when they are written as <unk>.
REQUIRED_CHARACTERS = "".join(map(chr, range(33, 127))) + "“”‘’–—…•·§©°×€£éèàçñüöäßêôîâëïûùóáíúÉ"


def train_vocabulary(text: Path, model: Path, num_pieces: int, required: str = REQUIRED_CHARACTERS) -> None:
    """Trains `num_pieces` BPE pieces with the settings of NLLB's SentencePiece model."""
    sentencepiece.SentencePieceTrainer.train(
        input=str(text),
        model_prefix=str(model.with_suffix("")),
        vocab_size=num_pieces,
        model_type="bpe",
        character_coverage=0.9995,
        required_chars=required,
        normalization_rule_name="nmt_nfkc",
        byte_fallback=False,
        unk_id=0,
        bos_id=1,
        eos_id=2,
        pad_id=-1,
        num_threads=2,
        minloglevel=1,
    )
    model.with_suffix(".vocab").unlink()


def extend_vocabulary(model: Path, out: Path, others: Path | None = None, num_pieces: int = 0, num_han: int = 0) -> int:
    """
    Writes a copy of a SentencePiece model with more pieces: the required characters that it lacks and,
    when `others` names a text of other languages, the first `num_pieces` BPE pieces learnt on it
    and its `num_han` most frequent Han characters.

    They come last, with the lowest scores, so that every old piece keeps its id and is merged first.
    Returns how many were added.
    """
    from sentencepiece import sentencepiece_model_pb2  # Needs protobuf, which training alone does not.

    proto = sentencepiece_model_pb2.ModelProto()
    proto.ParseFromString(model.read_bytes())
    candidates = list(REQUIRED_CHARACTERS)
    if others is not None:
        han = Counter(c for c in others.read_text(encoding="utf-8") if "\u4e00" <= c <= "\u9fff")
        candidates += list("。，、！？：；「」《》（）") + [character for character, _ in han.most_common(num_han)]
        candidates += learn_pieces(others, {piece.piece for piece in proto.pieces} | set(candidates), num_pieces)
    known = {piece.piece for piece in proto.pieces}
    lowest = min(piece.score for piece in proto.pieces)
    added = [piece for piece in dict.fromkeys(candidates) if piece not in known]
    for index, piece in enumerate(added):
        proto.pieces.add(piece=piece, score=lowest - 1 - index)
    proto.trainer_spec.vocab_size = len(proto.pieces)
    out.write_bytes(proto.SerializeToString())
    return len(added)


def learn_pieces(text: Path, known: set[str], count: int) -> list[str]:
    """Returns the first `count` BPE pieces of a text, in the order of their merges, that are not known."""
    from sentencepiece import sentencepiece_model_pb2

    latin = text.with_suffix(".latin")
    with latin.open("w", encoding="utf-8") as out, text.open(encoding="utf-8") as lines:
        out.writelines(line for line in lines if not any("\u4e00" <= c <= "\u9fff" for c in line))
    learnt = latin.with_suffix(".model")
    train_vocabulary(latin, learnt, num_pieces=max(1000, 3 * count), required="")
    proto = sentencepiece_model_pb2.ModelProto()
    proto.ParseFromString(learnt.read_bytes())
    latin.unlink()
    learnt.unlink()
    return [piece.piece for piece in proto.pieces if piece.type == 1 and piece.piece not in known][:count]


def vocabulary_digest(model: Path) -> np.ndarray:
    """Returns what tells one vocabulary from another, [32] bytes."""
    return np.frombuffer(hashlib.sha256(model.read_bytes()).digest(), dtype=np.uint8)


def check_vocabulary(path: Path, arrays: Mapping[str, np.ndarray], model: Path) -> None:
    """Raises TrainingStopped when the pieces of a file were made with another vocabulary."""
    if not np.array_equal(arrays["vocabulary"], vocabulary_digest(model)):
        raise TrainingStopped(f"{path}: expected pieces of {model}, found those of another vocabulary; run `training.corpus` again")


class Vocabulary:
    """Turns sentences into ids and back."""

    def __init__(self, model: Path) -> None:
        self.processor = sentencepiece.SentencePieceProcessor(model_file=str(model))
        self.num_pieces: int = self.processor.get_piece_size()
        self.langs = LANGS
        self.lang = self.num_pieces + 1  # eng_Latn, the first of them.
        self.size = self.num_pieces + 1 + len(LANGS) + len(DATA_TAGS)

    def lang_id(self, lang: str) -> int:
        return self.lang + LANGS.index(lang)

    def encode(self, sentence: str) -> list[int]:
        return [piece + 1 for piece in self.processor.encode(sentence)]

    def encode_batch(self, sentences: list[str]) -> list[list[int]]:
        return [[piece + 1 for piece in pieces] for pieces in self.processor.encode(sentences, num_threads=2)]

    def decode(self, ids: list[int]) -> str:
        """Joins the pieces; control symbols decode to nothing."""
        return self.processor.decode([int(i) - 1 for i in ids if UNK <= i <= self.num_pieces and i not in (BOS, EOS)])
