"""Sentences to concepts and back with a trained autoencoder, in batches."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from training.checkpoint import load_checkpoint
from training.decoding import greedy_decode
from training.sonar import SonarAutoencoder, SonarConfig
from training.vocabulary import EOS, LANGS, PAD, Vocabulary

MAX_ENCODED_PIECES = 48  # Longer sentences lose their tail; the encoder is trained on shorter ones.


class Codec:
    def __init__(self, model: SonarAutoencoder, vocabulary: Vocabulary) -> None:
        self.model, self.vocabulary = model.eval(), vocabulary

    def encode(self, sentences: list[str], lang: str = LANGS[0]) -> Tensor:
        """Returns the embeddings, [N, E]."""
        pieces = [np.asarray(pieces, dtype=np.int64) for pieces in self.vocabulary.encode_batch(sentences)]
        return self.encode_pieces(pieces, lang=lang)

    @torch.no_grad()
    def encode_pieces(self, sentences: list[np.ndarray], batch: int = 256, lang: str = LANGS[0]) -> Tensor:
        """Returns the embeddings, [N, E], of sentences given as ids; sorted by length inside, for speed."""
        order = sorted(range(len(sentences)), key=lambda i: len(sentences[i]))
        result = torch.empty(len(sentences), self.model.config.model_dim)
        for start in range(0, len(order), batch):
            rows = order[start : start + batch]
            pieces = [sentences[row][:MAX_ENCODED_PIECES] for row in rows]
            ids = torch.full((len(rows), max(map(len, pieces)) + 2), PAD)
            ids[:, 0] = self.vocabulary.lang_id(lang)
            for index, row in enumerate(pieces):
                ids[index, 1 : len(row) + 1] = torch.from_numpy(row.astype(np.int64))
                ids[index, len(row) + 1] = EOS
            result[rows] = self.model.encode(ids)
        return result

    def decode(self, embeddings: Tensor, max_pieces: int = 48) -> list[list[int]]:
        """Returns the greedy decodings as ids, without prompt and `</s>`; `<unk>` is never chosen."""
        return greedy_decode(self.model, embeddings, self.vocabulary.lang, max_pieces)

    def decode_text(self, embeddings: Tensor, batch: int = 128) -> list[str]:
        texts = []
        for start in range(0, len(embeddings), batch):
            texts += [self.vocabulary.decode(ids) for ids in self.decode(embeddings[start : start + batch])]
        return texts


def load_codec(cache: Path, run: str = "autoencoder") -> Codec:
    state = load_checkpoint(cache / run / "checkpoint.pt")
    model = SonarAutoencoder(SonarConfig(**state["config"]))
    model.load_state_dict(state["model"])
    return Codec(model, Vocabulary(cache / "tokenizer.model"))
