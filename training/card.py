"""
Writes the figures of evaluation.json and evaluation-compiled.json into the model card.

`python -m training.card` replaces what stands between `<!-- figures: NAME -->` and `<!-- /figures -->`,
for every NAME of SECTIONS, and leaves the prose around it, so that card and figures cannot disagree.
A section whose figures were not measured says so.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path

from training.evaluation.card_sections import SECTIONS, Measured

DEFAULT_MODEL = Path("models/builtin")
MARKED = re.compile(r"<!-- figures: (?P<name>[a-z-]+) -->\n.*?<!-- /figures -->", re.DOTALL)


class CardError(Exception):
    """The card and the sections do not fit together; the message says how."""


def write_figures(card: str, measured: Measured) -> str:
    """
    Returns the card with all sections written anew.

    Raises CardError when the card lacks a section, has one twice, or has one that nobody writes.
    """
    found = [match["name"] for match in MARKED.finditer(card)]
    if sorted(found) != sorted(SECTIONS):
        raise CardError(f"model card: expected the sections {', '.join(SECTIONS)}, once each, found {', '.join(found)}")

    def section(match: re.Match[str]) -> str:
        lines = SECTIONS[match["name"]](measured)
        text = "\n".join(lines) if lines else "Not measured."
        return f"<!-- figures: {match['name']} -->\n{text}\n<!-- /figures -->"

    return MARKED.sub(section, card)


def read_figures(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=DEFAULT_MODEL)
    arguments = parser.parse_args()
    measured = Measured(
        read_figures(arguments.model / "evaluation.json"), read_figures(arguments.model / "evaluation-compiled.json")
    )
    path = arguments.model / "MODEL_CARD.md"
    path.write_text(write_figures(path.read_text(encoding="utf-8"), measured), encoding="utf-8")


if __name__ == "__main__":
    try:
        main()
    except CardError as error:
        sys.exit(str(error))
