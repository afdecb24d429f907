"""
Writes into config.json how sure each concept model may be of a sentence.

The coefficients are those that `npm run evaluate -- --only confidence` fits through the compiled model and
leaves in evaluation-compiled.json; afterwards the model is compiled again, which changes its manifest alone.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from training.card import DEFAULT_MODEL, read_figures


def renamed(coefficients: dict) -> dict:
    """Returns them under the names of configurations."""
    return {{"logLength": "log_length"}.get(name, name): value for name, value in coefficients.items()}


def write_confidence(config: dict, figures: dict) -> dict:
    """Returns the configuration with the coefficients of every concept model that was measured."""
    measured = figures.get("confidence", {})
    entries = {
        name: entry | {"confidence": renamed(measured[name]["coefficients"])} if name in measured else entry
        for name, entry in config["lcm"].items()
    }
    return config | {"lcm": entries}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=DEFAULT_MODEL)
    arguments = parser.parse_args()
    path = arguments.model / "config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    figures = read_figures(arguments.model / "evaluation-compiled.json")
    path.write_text(json.dumps(write_confidence(config, figures), indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
