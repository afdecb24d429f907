"""
Writes the trained networks in the layout of the official ones, as the built-in model.

`python -m training.export` fills `models/builtin`: float16 safetensors with the official names, the
vocabulary, config.json with the field names of the reference's dataclasses, and golden.json with
what PyTorch computes in float32 from the very weights that were written.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

import torch
from torch import Tensor

from training.checkpoint import load_checkpoint
from training.codec import Codec
from training.corpus import DEFAULT_CACHE, END_OF_TEXT
from training.entropy import EntropyConfig
from training.lcm import BaseLcm, LcmConfig
from training.layout import (
    ConceptModel, decoder_tensors, encoder_tensors, lcm_config, open_concept_model, sonar_configs, sonar_llm_config,
)  # fmt: skip
from training.product_random import ProductRandom
from training.safetensors_file import read_safetensors, write_safetensors
from training.sampling import next_units, sample_next
from training.slot_lcm import QuantLcm
from training.sonar import SonarAutoencoder, SonarConfig
from training.sonar_llm import SonarLlm, SonarLlmConfig
from training.vocabulary import LANGS, Vocabulary

DEFAULT_OUT = Path("models/builtin")

GOLDEN_SENTENCES = [
    "The cat sat on the mat.",
    "She opened the door and looked into the dark room.",
    "The committee will publish its report next week.",
    "Water boils at a lower temperature in the mountains.",
    "Why did nobody tell me about it?",
    "",
]
GOLDEN_CONTEXT = [
    "Once upon a time, there was a little girl named Lily.",
    "She lived in a small house near the forest.",
    "One day, she went into the forest to look for berries.",
    "The sun was warm and the birds were singing.",
    "Suddenly she heard a strange sound behind a tree.",
    "It was a small dog, and it was very hungry.",
]
GOLDEN_SAMPLING = {
    "inference_timesteps": 10, "guidance_scale": 1.5, "guidance_rescale": 0.7, "initial_noise_scale": 0.6,
}  # fmt: skip
GOLDEN_TRANSLATIONS = {
    "fra_Latn": "Le chat est assis sur le tapis.",
    "deu_Latn": "Die Katze sitzt auf der Matte.",
    "spa_Latn": "El gato está sentado en la alfombra.",
    "zho_Hans": "猫坐在垫子上。",
}

# What the extension samples with where the writer has set nothing; chosen with evaluate.py, see RUNS.md.
SAMPLING: dict[str, dict[str, float]] = {
    "two-tower": {"inference_timesteps": 10, "guidance_scale": 3.0, "initial_noise_scale": 0.6},
    "one-tower": {"inference_timesteps": 10, "guidance_scale": 3.0, "initial_noise_scale": 0.6},
    "quant": {"guidance_scale": 1.5, "temperature": 1.0, "top_k": 3},
}


def load_exported_codec(folder: Path) -> Codec:
    """Reads the autoencoder of models/builtin back: the float16 weights in float32 networks."""
    config = json.loads((folder / "config.json").read_text())
    encoder, decoder = (read_safetensors(folder / f"{name}.safetensors") for name in ("encoder", "decoder"))
    autoencoder = SonarAutoencoder(SonarConfig(
        vocab_size=config["encoder"]["vocab_info"]["size"], model_dim=config["encoder"]["model_dim"],
        num_layers=config["encoder"]["num_encoder_layers"], num_heads=config["encoder"]["num_encoder_attn_heads"],
        ffn_inner_dim=config["encoder"]["ffn_inner_dim"],
    ))  # fmt: skip
    state = {"embed.weight": encoder["encoder_frontend.embed.weight"]} | encoder | decoder
    autoencoder.load_state_dict({name: state[name] for name in autoencoder.state_dict()})
    return Codec(autoencoder, Vocabulary(folder / "tokenizer.model"))


def load_exported_models(folder: Path) -> dict[str, ConceptModel]:
    """Reads the concept models of models/builtin back, in the order of its configuration."""
    entries = json.loads((folder / "config.json").read_text())["lcm"]
    return {name: open_concept_model(entry, folder / f"{name}.safetensors") for name, entry in entries.items()}


def rounded(tensor: Tensor) -> list:
    """Returns nested lists with 7 significant digits, float32's own."""
    return json.loads(json.dumps(tensor.tolist()), parse_float=lambda digits: float(f"{float(digits):.7g}"))


@torch.no_grad()
def golden(folder: Path) -> dict:
    """Returns the values that another implementation has to meet."""
    codec, models = load_exported_codec(folder), load_exported_models(folder)
    embeddings = codec.encode(GOLDEN_SENTENCES)
    decoded = codec.decode(embeddings)
    context = codec.encode(GOLDEN_CONTEXT).unsqueeze(0)  # [1, T, E]
    return {
        "about": "float32 results of PyTorch with the float16 weights of this folder; made by training/export.py",
        "sentences": [
            {
                "text": text,
                "input_ids": [codec.vocabulary.lang, *codec.vocabulary.encode(text), 3],
                "embedding": rounded(embeddings[index]),
                "greedy_ids": decoded[index],
                "greedy_text": codec.vocabulary.decode(decoded[index]),
            }
            for index, text in enumerate(GOLDEN_SENTENCES)
        ],
        "translations": [
            {"lang": lang, "text": text, "embedding": rounded(codec.encode([text], lang)[0])}
            for lang, text in GOLDEN_TRANSLATIONS.items()
        ],
        "context": GOLDEN_CONTEXT,
        "sampling": GOLDEN_SAMPLING,
        "predictions": {name: rounded(golden_prediction(model, context)) for name, model in models.items()},
    }


def golden_prediction(model: ConceptModel, context: Tensor) -> Tensor:
    """Returns the raw concept, [E], that the extension's first candidate has with seed 1: context [1, T, E]."""
    if isinstance(model, SonarLlm):
        return model(context)[0, -1]
    x = model.normalizer.normalize(context)
    if isinstance(model, BaseLcm):
        predicted = model(x)[:, -1]
    elif isinstance(model, QuantLcm):
        predicted = next_units(model, x, guidance_scale=GOLDEN_SAMPLING["guidance_scale"])[1]
    else:
        noise = ProductRandom(1).gaussians(x.shape[2]).view(1, 1, -1)
        predicted = sample_next(model, x, noise, **GOLDEN_SAMPLING)
    return model.normalizer.denormalize(predicted)[0]


def export_entropy(cache: Path, out: Path, run: str = "entropy") -> dict:
    """Writes the byte entropy model; returns its configuration, under the field names of the compiler."""
    state = load_checkpoint(cache / run / "checkpoint.pt")
    write_safetensors(out / "entropy.safetensors", state["model"])
    config = EntropyConfig(**state["config"])
    return {
        "vocab_size": config.vocab_size, "model_dim": config.model_dim, "num_layers": config.num_layers,
        "num_attn_heads": config.num_heads, "ffn_inner_dim": config.ffn_inner_dim,
        "max_seq_len": config.max_seq_len, "rope_theta": config.rope_theta,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, default=DEFAULT_CACHE)
    parser.add_argument("--out", type=Path, default=DEFAULT_OUT)
    parser.add_argument("--autoencoder", default="autoencoder", help="folder of the run inside the cache")
    parser.add_argument(
        "--lcm", nargs="*", default=["sonar-llm", "base", "two-tower", "one-tower", "quant"],
        help="the runs of the concept models, the best first: it is what the extension takes",
    )  # fmt: skip
    parser.add_argument("--name", default="thoughtline-1")
    arguments = parser.parse_args()

    autoencoder = load_checkpoint(arguments.cache / arguments.autoencoder / "checkpoint.pt")
    sonar = SonarConfig(**autoencoder["config"])
    arguments.out.mkdir(parents=True, exist_ok=True)
    write_safetensors(arguments.out / "encoder.safetensors", encoder_tensors(autoencoder["model"]))
    write_safetensors(arguments.out / "decoder.safetensors", decoder_tensors(autoencoder["model"], sonar))
    entries = {}
    for name in arguments.lcm:
        state = load_checkpoint(arguments.cache / name / "checkpoint.pt")
        write_safetensors(arguments.out / f"{name}.safetensors", state["model"])
        if name == "sonar-llm":
            entries[name] = sonar_llm_config(SonarLlmConfig(**state["config"]), END_OF_TEXT)
        else:
            entries[name] = lcm_config(name, LcmConfig(**state["config"]), arguments.name)
        entries[name] |= {"sampling": SAMPLING[name]} if name in SAMPLING else {}
    shutil.copyfile(arguments.cache / "tokenizer.model", arguments.out / "tokenizer.model")
    config = {
        "name": arguments.name,
        "tokenizer": {"langs": LANGS, "default_lang": LANGS[0]},
        **sonar_configs(sonar),
        "entropy": export_entropy(arguments.cache, arguments.out),
        "lcm": entries,
    }
    (arguments.out / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    (arguments.out / "golden.json").write_text(json.dumps(golden(arguments.out)) + "\n")
    total = sum(file.stat().st_size for file in arguments.out.iterdir())
    print(f"{arguments.out}: {total / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
