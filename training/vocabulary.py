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


def train_vocabulary(text: Path, model: Path, num_pieces: int) -> None:
    """Trains `num_pieces` BPE pieces with the settings of NLLB's SentencePiece model."""
    sentencepiece.SentencePieceTrainer.train(
        input=str(text),
        model_prefix=str(model.with_suffix("")),
        vocab_size=num_pieces,
        model_type="bpe",
        character_coverage=0.9995,
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
