"""
The vocabulary: SentencePiece BPE pieces under fairseq2's ids.

  0 <pad>, 1 <unk>, 2 <s>, 3 </s>, then SentencePiece id + 1, then the languages, then three data tags

as the official SONAR checkpoints number theirs (reference: fairseq2 NllbTokenizer).
"""

from __future__ import annotations

from pathlib import Path

import sentencepiece

PAD, UNK, BOS, EOS = 0, 1, 2, 3
LANGS = ["eng_Latn"]
DATA_TAGS = ["<MINED_DATA>", "<MMT_BT_DATA>", "<SMT_BT_DATA>"]

# Rare in prose, so that coverage alone loses them, and missed at once when they are written as <unk>.
REQUIRED_CHARACTERS = "".join(map(chr, range(33, 127))) + "“”‘’–—…•·§©°×€£éèàçñüöäßêôîâëïûùóáíúÉ"


def train_vocabulary(text: Path, model: Path, num_pieces: int) -> None:
    """Trains `num_pieces` BPE pieces with the settings of NLLB's SentencePiece model."""
    sentencepiece.SentencePieceTrainer.train(
        input=str(text),
        model_prefix=str(model.with_suffix("")),
        vocab_size=num_pieces,
        model_type="bpe",
        character_coverage=0.9995,
        required_chars=REQUIRED_CHARACTERS,
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


def extend_vocabulary(model: Path, out: Path) -> int:
    """
    Writes a copy of a SentencePiece model with the required characters that it lacks.

    They come last, as pieces of the lowest scores, so that every other piece keeps its id and no
    text is cut differently but for the characters that were unknown. Returns how many were added.
    """
    from sentencepiece import sentencepiece_model_pb2  # Needs protobuf, which training alone does not.

    proto = sentencepiece_model_pb2.ModelProto()
    proto.ParseFromString(model.read_bytes())
    known = {piece.piece for piece in proto.pieces}
    lowest = min(piece.score for piece in proto.pieces)
    missing = [character for character in REQUIRED_CHARACTERS if character not in known]
    for index, character in enumerate(missing):
        proto.pieces.add(piece=character, score=lowest - 1 - index)
    proto.trainer_spec.vocab_size = len(proto.pieces)
    out.write_bytes(proto.SerializeToString())
    return len(missing)


class Vocabulary:
    """Turns sentences into ids and back."""

    def __init__(self, model: Path) -> None:
        self.processor = sentencepiece.SentencePieceProcessor(model_file=str(model))
        self.num_pieces: int = self.processor.get_piece_size()
        self.lang = self.num_pieces + 1  # The only language, eng_Latn.
        self.size = self.num_pieces + 1 + len(LANGS) + len(DATA_TAGS)

    def encode(self, sentence: str) -> list[int]:
        return [piece + 1 for piece in self.processor.encode(sentence)]

    def encode_batch(self, sentences: list[str]) -> list[list[int]]:
        return [[piece + 1 for piece in pieces] for pieces in self.processor.encode(sentences, num_threads=2)]

    def decode(self, ids: list[int]) -> str:
        """Joins the pieces; control symbols decode to nothing."""
        return self.processor.decode([int(i) - 1 for i in ids if UNK <= i <= self.num_pieces and i not in (BOS, EOS)])
