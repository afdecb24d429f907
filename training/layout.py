"""
The official layout of the small networks: the field names of their configurations, and the tensors
that ours leave out because they have no effect.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from training.diffusion import TRAIN_STEPS
from training.lcm import BaseLcm, LcmConfig
from training.safetensors_file import read_safetensors
from training.slot_lcm import OneTowerLcm, QuantLcm
from training.sonar import SonarConfig
from training.sonar_llm import SonarLlm, SonarLlmConfig
from training.two_tower import TwoTowerLcm

ConceptModel = BaseLcm | OneTowerLcm | TwoTowerLcm | QuantLcm | SonarLlm

FAMILIES: dict[str, type[nn.Module]] = {
    "base_lcm": BaseLcm, "one_tower_diffusion_lcm": OneTowerLcm, "two_tower_diffusion_lcm": TwoTowerLcm,
    "quant_lcm": QuantLcm, "sonar_llm": SonarLlm,
}  # fmt: skip
FAMILY_OF = {
    "base": "base_lcm", "one-tower": "one_tower_diffusion_lcm", "two-tower": "two_tower_diffusion_lcm",
    "quant": "quant_lcm", "sonar-llm": "sonar_llm",
}  # fmt: skip

NOISE_SCHEDULER = {
    "num_diffusion_train_steps": TRAIN_STEPS,
    "beta_schedule": "squaredcos_cap_v2",
    "prediction_type": "sample",
    "rescale_betas_zero_snr": True,
    "timestep_spacing": "trailing",
    "set_alpha_to_one": True,
}


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


def transformer_config(config: LcmConfig, num_layers: int, positions: str = "rope") -> dict:
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


def lcm_config(name: str, config: LcmConfig, space: str) -> dict:
    """
    Field names: lcm.models.base_lcm.builder and lcm.models.two_tower_diffusion_lcm.builder; those of
    One-Tower and Quant-LCM are ours, in their style.
    """
    entry = {
        "model_type": FAMILY_OF[name],
        "max_seq_len": config.max_seq_len,
        "model_dim": config.model_dim,
        "sonar_embed_dim": config.sonar_embed_dim,
        "sonar_normalizer_name": space,
        "frontend": {},
    }
    if name == "two-tower":
        return entry | {
            "context_encoder": transformer_config(config, config.num_context_layers),
            "denoiser": transformer_config(config, config.num_denoiser_layers, "none")
            | {"timestep_embed_dim": config.timestep_embed_dim},
            "noise_scheduler": NOISE_SCHEDULER,
            "trained_with_cf_guidance": True,
        }
    entry |= {"lcm": transformer_config(config, config.num_layers), "postnet": {}}
    if name == "base":
        return entry
    entry |= {"condition_dim": config.condition_dim, "trained_with_cf_guidance": True}
    if name == "one-tower":
        return entry | {"noise_scheduler": NOISE_SCHEDULER}
    quantizer = {"num_codebooks": config.num_codebooks, "codebook_size": config.codebook_size}
    return entry | {"target": "discrete", "quantizer": quantizer}


def sonar_llm_config(config: SonarLlmConfig, eos_text: str) -> dict:
    """Field names: config.json beside the published weights, with transformers.LlamaConfig inside."""
    llama = {
        "hidden_size": config.hidden_size,
        "intermediate_size": config.intermediate_size,
        "num_hidden_layers": config.num_hidden_layers,
        "num_attention_heads": config.num_attention_heads,
        "num_key_value_heads": config.num_attention_heads,
        "head_dim": config.hidden_size // config.num_attention_heads,
        "max_position_embeddings": config.max_position_embeddings,
        "rms_norm_eps": config.rms_norm_eps,
        "rope_theta": config.rope_theta,
        "hidden_act": "silu",
    }
    generation = {"eos_text": eos_text, "eos_threshold": 0.9}
    return {
        "model_type": "sonar_llm", "embed_dim": config.sonar_embed_dim, "llama_config": llama, "generation": generation,
    }  # fmt: skip


def open_concept_model(entry: dict, weights: Path) -> ConceptModel:
    """
    Returns the network that an entry of config.json and its weights describe.

    Raises ValueError for a family that this code does not know.
    """
    family = entry["model_type"]
    if family not in FAMILIES:
        raise ValueError(f"{weights}: expected one of {', '.join(FAMILIES)}, found {family}")
    model: ConceptModel
    if family == "sonar_llm":
        llama = entry["llama_config"]
        own = SonarLlmConfig.__dataclass_fields__
        model = SonarLlm(SonarLlmConfig(
            sonar_embed_dim=entry["embed_dim"], **{name: value for name, value in llama.items() if name in own}
        ))  # fmt: skip
    else:
        towers = {name: entry[name] for name in ("lcm", "context_encoder", "denoiser") if name in entry}
        transformer = next(iter(towers.values()))
        layers = {
            {"lcm": "num_layers", "context_encoder": "num_context_layers", "denoiser": "num_denoiser_layers"}[name]:
            tower["num_layers"] for name, tower in towers.items()
        }  # fmt: skip
        sizes = {name: entry[name] for name in ("model_dim", "sonar_embed_dim", "max_seq_len", "condition_dim") if name in entry}
        model = FAMILIES[family](LcmConfig(
            num_heads=transformer["num_attn_heads"], ffn_inner_dim=transformer["ffn_inner_dim"],
            **sizes, **layers, **entry.get("quantizer", {}),
        ))  # fmt: skip
    model.load_state_dict(read_safetensors(weights))
    return model.eval()
