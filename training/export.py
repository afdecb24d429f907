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
from training.corpus import DEFAULT_CACHE
from training.diffusion import TRAIN_STEPS
from training.lcm import BaseLcm, LcmConfig
from training.two_tower import TwoTowerLcm
from training.safetensors_file import read_safetensors, write_safetensors
from training.sonar import SonarAutoencoder, SonarConfig
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
GOLDEN_TIMESTEPS = [99, 40]


def encoder_tensors(state: dict[str, Tensor]) -> dict[str, Tensor]:
    tensors = {name: value for name, value in state.items() if name.startswith(("encoder.", "layer_norm."))}
    return tensors | {"encoder_frontend.embed.weight": state["embed.weight"]}


def decoder_tensors(state: dict[str, Tensor], config: SonarConfig) -> dict[str, Tensor]:
    """
    Adds the tensors that have no effect over a single position, so that the layout is the official one.

    `final_proj.weight` is left out: it is the embedding table.
    """
    tensors = {name: value for name, value in state.items() if name.startswith("decoder.")}
    tensors["decoder_frontend.embed.weight"] = state["embed.weight"]
    dim = config.model_dim
    for layer in range(config.num_layers):
        prefix = f"decoder.layers.{layer}.encoder_decoder_attn"
        tensors[f"{prefix}_layer_norm.weight"] = torch.ones(dim)
        tensors[f"{prefix}_layer_norm.bias"] = torch.zeros(dim)
        for name in ("q_proj", "k_proj"):
            tensors[f"{prefix}.{name}.weight"] = torch.zeros(dim, dim)
            tensors[f"{prefix}.{name}.bias"] = torch.zeros(dim)
    return tensors


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


def load_exported(folder: Path) -> tuple[Codec, BaseLcm, TwoTowerLcm]:
    """Reads models/builtin back."""
    base, two_tower = BaseLcm(LcmConfig()).eval(), TwoTowerLcm(LcmConfig()).eval()
    base.load_state_dict(read_safetensors(folder / "base.safetensors"))
    two_tower.load_state_dict(read_safetensors(folder / "two-tower.safetensors"))
    return load_exported_codec(folder), base, two_tower


def sonar_configs(config: SonarConfig) -> dict[str, dict]:
    """Field names: sonar.models.sonar_text.config, SonarTextEncoderConfig and SonarTextDecoderConfig."""
    shared = {
        "model_dim": config.model_dim,
        "max_seq_len": config.max_seq_len,
        "vocab_info": {"size": config.vocab_size, "unk_idx": 1, "bos_idx": 2, "eos_idx": 3, "pad_idx": 1},
        "num_encoder_layers": config.num_layers,
        "num_decoder_layers": config.num_layers,
        "num_encoder_attn_heads": config.num_heads,
        "num_decoder_attn_heads": config.num_heads,
        "ffn_inner_dim": config.ffn_inner_dim,
        "activation_fn": "ReLU",
        "layernorm_embedding": False,
        "no_scale_embedding": False,
        "no_token_positional_embeddings": False,
        "learned_pos": False,
    }
    return {
        "encoder": shared | {"pooling": "mean", "normalize_before": False, "_from_fairseq": True},
        "decoder": shared | {"normalize_before": True, "input_dim": None},
    }


def lcm_configs(config: LcmConfig) -> dict[str, dict]:
    """Field names: lcm.models.base_lcm.builder and lcm.models.two_tower_diffusion_lcm.builder."""

    def transformer(num_layers: int, positions: str) -> dict:
        return {
            "num_layers": num_layers,
            "num_attn_heads": config.num_heads,
            "ffn_inner_dim": config.ffn_inner_dim,
            "use_swiglu": True,
            "ffn_inner_activation_name": "relu",
            "pos_embedding_style": positions,
            "rope_theta": 10000.0,
            "layer_normalization_style": "rms",
            "norm_order_style": "pre",
            "mha_output_proj_bias": True,
        }

    shared = {
        "max_seq_len": config.max_seq_len,
        "model_dim": config.model_dim,
        "sonar_embed_dim": config.sonar_embed_dim,
        "sonar_normalizer_name": "thoughtline",
        "frontend": {},
    }
    return {
        "base": {"model_type": "base_lcm"} | shared | {"lcm": transformer(config.num_layers, "rope"), "postnet": {}},
        "two-tower": {"model_type": "two_tower_diffusion_lcm"} | shared | {
            "context_encoder": transformer(config.num_context_layers, "rope"),
            "denoiser": transformer(config.num_denoiser_layers, "none")
            | {"timestep_embed_dim": config.timestep_embed_dim},
            "noise_scheduler": {
                "num_diffusion_train_steps": TRAIN_STEPS,
                "beta_schedule": "squaredcos_cap_v2",
                "prediction_type": "sample",
                "rescale_betas_zero_snr": True,
                "timestep_spacing": "trailing",
                "set_alpha_to_one": True,
            },
            "trained_with_cf_guidance": True,
        },
    }  # fmt: skip


def rounded(tensor: Tensor) -> list:
    """Returns nested lists with 7 significant digits, float32's own."""
    return json.loads(json.dumps(tensor.tolist()), parse_float=lambda digits: float(f"{float(digits):.7g}"))


@torch.no_grad()
def golden(folder: Path) -> dict:
    """Returns the values that another implementation has to meet."""
    codec, base, two_tower = load_exported(folder)
    embeddings = codec.encode(GOLDEN_SENTENCES)
    decoded = codec.decode(embeddings)
    context = codec.encode(GOLDEN_CONTEXT).unsqueeze(0)  # [1, S, E]
    prediction = base.normalizer.denormalize(base(base.normalizer.normalize(context)))[0, -1]
    tower = two_tower.encode_context(two_tower.normalizer.normalize(context))
    latent = torch.randn(1, 1, context.shape[2], generator=torch.Generator().manual_seed(1))
    denoised = [
        {
            "timestep": t,
            "conditional": rounded(two_tower.denoiser(latent, torch.tensor([[t]]), tower)[0, 0]),
            "unconditional": rounded(two_tower.denoiser(latent, torch.tensor([[t]]), torch.zeros_like(tower))[0, 0]),
        }
        for t in GOLDEN_TIMESTEPS
    ]
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
        "context": GOLDEN_CONTEXT,
        "base_prediction": rounded(prediction),
        "two_tower": {"latents": rounded(latent[0, 0]), "denoised_normalized": denoised},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, default=DEFAULT_CACHE)
    parser.add_argument("--out", type=Path, default=DEFAULT_OUT)
    parser.add_argument("--autoencoder", default="autoencoder", help="folder of the run inside the cache")
    parser.add_argument("--base", default="base")
    parser.add_argument("--two-tower", default="two-tower")
    parser.add_argument("--name", default="thoughtline-1")
    arguments = parser.parse_args()

    states = {
        name: load_checkpoint(arguments.cache / run / "checkpoint.pt")
        for name, run in [
            ("autoencoder", arguments.autoencoder), ("base", arguments.base), ("two-tower", arguments.two_tower),
        ]
    }  # fmt: skip
    sonar = SonarConfig(**states["autoencoder"]["config"])
    lcm = LcmConfig(**states["base"]["config"])
    arguments.out.mkdir(parents=True, exist_ok=True)
    write_safetensors(arguments.out / "encoder.safetensors", encoder_tensors(states["autoencoder"]["model"]))
    write_safetensors(arguments.out / "decoder.safetensors", decoder_tensors(states["autoencoder"]["model"], sonar))
    for name in ("base", "two-tower"):
        write_safetensors(arguments.out / f"{name}.safetensors", states[name]["model"])
    shutil.copyfile(arguments.cache / "tokenizer.model", arguments.out / "tokenizer.model")
    config = {
        "name": arguments.name,
        "tokenizer": {"langs": LANGS, "default_lang": LANGS[0]},
        **sonar_configs(sonar),
        "lcm": lcm_configs(lcm),
    }
    (arguments.out / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    (arguments.out / "golden.json").write_text(json.dumps(golden(arguments.out)) + "\n")
    total = sum(file.stat().st_size for file in arguments.out.iterdir())
    print(f"{arguments.out}: {total / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
