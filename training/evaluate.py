"""
Measures an exported model, its float16 weights in float32, on the held-out text of evaluation_set.py.

`python -m training.evaluate` reads models/builtin and writes evaluation.json into it. `npm run evaluate`
gives the same figures of the compiled model; `python -m training.card` writes both into the model card.
`--count N` takes only the first N of everything, to see whether it runs. The rival is measured where
train_token_lm.py has trained one.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

import torch

from training.corpus import DEFAULT_CACHE
from training.errors import CorpusMissingError
from training.evaluation.autoencoder import evaluate_autoencoder
from training.evaluation.concept_models import continue_paragraphs, evaluate_concept_models
from training.evaluation.geometry import Standard
from training.evaluation.rival import evaluate_rival, load_rival
from training.evaluation.space import evaluate_space
from training.evaluation_set import load_evaluation_set
from training.export import DEFAULT_OUT, load_exported_codec
from training.predictors import load_predictors

PARTS = ["autoencoder", "space", "lcm", "continuations", "rival"]
FILE = "evaluation.json"


def shortened(items: dict, count: int) -> dict:
    """Returns the evaluation set with the first `count` of everything but the known words."""
    short = {name: part[:count] for name, part in items.items() if isinstance(part, list)}
    translations = {
        lang: {"pairs": part["pairs"][:count], "fill": part["fill"][:count]}
        for lang, part in items["translations"].items()
    }
    return short | {"words": items["words"], "translations": translations}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, default=DEFAULT_CACHE)
    parser.add_argument("--model", type=Path, default=DEFAULT_OUT)
    parser.add_argument("--only", choices=PARTS, nargs="+", default=PARTS)
    parser.add_argument("--count", type=int, help="the first so many of everything; writes only where --out says")
    parser.add_argument("--out", type=Path, help="default: evaluation.json beside the model")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)

    started = time.time()
    items = load_evaluation_set(arguments.cache)
    if arguments.count is not None:
        items = shortened(items, arguments.count)
    langs = json.loads((arguments.model / "config.json").read_text())["tokenizer"]["langs"]
    codec, predictors = load_exported_codec(arguments.model), load_predictors(arguments.model)
    embeddings = codec.encode([sentence["text"] for sentence in items["sentences"]])  # [N, E]
    standard = Standard.of(embeddings)
    rival = load_rival(arguments.cache)
    measure = {
        "autoencoder": lambda: evaluate_autoencoder(codec, items, standard, embeddings),
        "space": lambda: evaluate_space(codec, langs, items, standard, embeddings),
        "lcm": lambda: evaluate_concept_models(codec, predictors, items, standard),
        "continuations": lambda: continue_paragraphs(codec, predictors, items["paragraphs"]),
        "rival": lambda: evaluate_rival(codec, predictors, rival, items) if rival is not None else None,
    }
    path = arguments.out or arguments.model / FILE
    figures = json.loads(path.read_text()) if path.exists() and arguments.only != PARTS else {}
    for part in arguments.only:
        began = time.time()
        measured = measure[part]()
        if measured is None:
            print(f"{part}: not measured, none was trained", flush=True)
            continue
        figures[part] = measured
        print(json.dumps({part: figures[part]}, indent=1, ensure_ascii=False))
        print(f"{part}: {time.time() - began:.0f} s", flush=True)
    if arguments.count is None or arguments.out is not None:
        path.write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{time.time() - started:.0f} s")


if __name__ == "__main__":
    try:
        main()
    except CorpusMissingError as missing:
        sys.exit(str(missing))
