"""The tables and lists of the model card, made of the two files of figures."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

NOT_MEASURED = "—"


@dataclass
class Measured:
    """The figures of the weights in float32, and of the compiled model; either may be empty."""

    exact: dict
    compiled: dict

    def both(self, *path: str) -> list:
        """Returns what both files have at a path; None where one has nothing."""
        return [at(self.exact, path), at(self.compiled, path)]

    def shown(self, *path: str):
        """Returns what the product does, or float32 where the product was not measured."""
        exact, compiled = self.both(*path)
        return exact if compiled is None else compiled


def at(figures: dict, path: Sequence[str]):
    found = figures
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return found


def escape(text: str) -> str:
    """Returns text that Markdown shows as it is."""
    return re.sub(r"([\\`*_<>|\[\]#])", r"\\\1", text)


def number(digits: int) -> Callable[[float | None], str]:
    return lambda value: NOT_MEASURED if value is None else f"{value:,.{digits}f}"


def percent(value: float | None) -> str:
    return NOT_MEASURED if value is None else f"{100 * value:.1f} %"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [head, ["---"] * len(head), *rows]
    return ["| " + " | ".join(cells) + " |" for cells in lines]


AUTOENCODER_ROWS = [
    ("sentences of up to 25 pieces", number(0), ("sentences",)),
    ("chrF", number(1), ("chrf",)),
    ("BLEU", number(1), ("bleu",)),
    ("exact match", percent, ("exact_match",)),
    ("tokens right, teacher-forced, of the first 400", percent, ("token_accuracy",)),
    ("nats per token, likewise", number(3), ("held_out_loss",)),
    ("cosine of concept and re-encoded decoding", number(3), ("round_trip_cosine",)),
    ("chrF with noise to cosine 0.9", number(1), ("chrf_noised",)),
    ("well-formed: the originals", percent, ("well_formed", "original")),
    ("well-formed: their decodings", percent, ("well_formed", "decoded")),
    ("well-formed: 100 decodings with noise to cosine 0.9", percent, ("well_formed", "noised")),
    ("well-formed: 200 decodings half-way between two sentences", percent, ("well_formed", "interpolated")),
    ("numbers changed by decoding", percent, ("fragile", "numbers_changed")),
    ("names changed by decoding", percent, ("fragile", "names_changed")),
]


def autoencoder(measured: Measured) -> list[str]:
    if measured.shown("autoencoder") is None:
        return []
    rows = [[label, *map(form, measured.both("autoencoder", *path))] for label, form, path in AUTOENCODER_ROWS]
    return table(["", "float32", "compiled"], rows)


def groups(kind: str, label: str) -> Callable[[Measured], list[str]]:
    def section(measured: Measured) -> list[str]:
        rows = []
        for name, found in (measured.shown("autoencoder", kind) or {}).items():
            cells = [name, str(found["sentences"])]
            for figure, form in (("chrf", number(1)), ("bleu", number(1)), ("exact_match", percent)):
                cells += map(form, measured.both("autoencoder", kind, name, figure))
            rows.append(cells)
        head = [f"{figure}, {which}" for figure in ("chrF", "BLEU", "exact") for which in ("float32", "compiled")]
        return table([label, "sentences", *head], rows) if rows else []

    return section


def retrieval(measured: Measured) -> list[str]:
    rows = []
    for lang, found in (measured.shown("space", "retrieval") or {}).items():
        cells = [f"`{lang}`", str(found["pairs"]), str(found["english_candidates"])]
        for figure in ("to_english", "to_english_centred", "from_english", "from_english_centred"):
            cells += map(percent, measured.both("space", "retrieval", lang, figure))
        rows.append(cells)
    ways = ["to English", "to English, centred", "from English", "from English, centred"]
    head = [f"{way}, {which}" for way in ways for which in ("float32", "compiled")]
    return table(["language", "pairs", "English candidates", *head], rows) if rows else []


SPACE_ROWS = [
    ("paraphrases nearer than neighbouring sentences (AUC)", number(3), ("paraphrases", "auc")),
    ("neighbouring sentences nearer than unrelated ones (AUC)", number(3), ("paraphrases", "auc_neighbour_unrelated")),
    ("centred cosine of paraphrases", number(3), ("paraphrases", "cosine", "paraphrases")),
    ("centred cosine of neighbouring sentences", number(3), ("paraphrases", "cosine", "neighbours")),
    ("centred cosine of unrelated sentences", number(3), ("paraphrases", "cosine", "unrelated")),
    ("mean cosine (anisotropy)", number(3), ("mean_cosine",)),
    ("mean cosine, centred", number(3), ("mean_cosine_centred",)),
    ("uniformity, lower is more even", number(3), ("uniformity",)),
    ("uniformity, centred", number(3), ("uniformity_centred",)),
]


def space(measured: Measured) -> list[str]:
    if measured.shown("space") is None:
        return []
    return table(
        ["", "float32", "compiled"], [[label, *map(form, measured.both("space", *path))] for label, form, path in SPACE_ROWS]
    )


TEACHER_FORCED = [
    ("ℓ2", number(2), "l2"),
    ("round-trip ℓ2", number(2), "round_trip_l2"),
    ("PAR", number(2), "par"),
    ("contrastive accuracy", percent, "contrastive_accuracy"),
    ("the same, standardised", percent, "contrastive_accuracy_standardised"),
    ("squared error, standardised", number(3), "squared_error_standardised"),
    ("self-consistency", number(3), "self_consistency"),
]
CANDIDATES = [
    ("distance", number(3), "distance"),
    ("different texts", percent, "different_texts"),
    ("distinct-1", number(3), "distinct_1"),
    ("distinct-2", number(3), "distinct_2"),
    ("in circles", percent, "in_circles"),
    ("says again", percent, "says_again"),
    ("well-formed", percent, "well_formed"),
    ("self-consistency", number(3), "self_consistency"),
]


def models(part: str, columns: list[tuple[str, Callable, str]]) -> Callable[[Measured], list[str]]:
    """One table of the compiled models and one in float32, a row per model."""

    def section(measured: Measured) -> list[str]:
        lines: list[str] = []
        for title, figures in (("Compiled:", measured.compiled), ("In float32:", measured.exact)):
            found = at(figures, ("lcm", part))
            if found is None:
                continue
            rows = [[name, *(form(row.get(key)) for _, form, key in columns)] for name, row in found.items()]
            lines += [*([""] if lines else []), title, "", *table(["", *(label for label, _, _ in columns)], rows)]
        return lines

    return section


def rival(measured: Measured) -> list[str]:
    found = at(measured.exact, ("rival",))
    if found is None:
        return []
    sizes, lm = found["millions_of_parameters"], found["token_lm"]
    autoencoder_size = sizes["autoencoder"]
    rows = [
        ["token LM, by mean log-probability", percent(lm["contrastive_accuracy"])],
        ["token LM, by what the context adds to it", percent(lm["contrastive_accuracy_over_no_context"])],
        *([name, percent(value)] for name, value in found["contrastive_accuracy"].items()),
    ]
    costs = []
    for name in found["cost"]["opened"]:
        cells = [name]
        for when in ("opened", "typed"):
            cost = found["cost"][when].get(name, {})
            cells += [number(1)(cost.get("milliseconds")), number(0)(cost.get("megaflops"))]
        costs.append(cells)
    return [
        f"Millions of parameters: token LM {sizes['token LM']:.1f}; autoencoder {autoencoder_size:.1f}, and on top of it "
        + ", ".join(f"{name} {size:.1f}" for name, size in sizes.items() if name not in ("token LM", "autoencoder"))
        + f". The token LM's perplexity per token on the true next sentences is {2.718281828**lm['nats_per_token']:.0f}.",
        "",
        *table([f"which of {lm['sentences']} true next sentences", "contrastive accuracy"], rows),
        "",
        f"One suggestion of {found['sentence_pieces']} pieces after {found['context_sentences']} sentences of as many, "
        f"in float32, on {found['threads']} threads, the best of five rounds in turns; *opened*: nothing of the document "
        "is known; *typed*: all but its last sentence is.",
        "",
        *table(["", "ms, opened", "MFLOP, opened", "ms, typed", "MFLOP, typed"], costs),
    ]  # fmt: skip


# As thoughtline.completion.minConfidence has it.
DEFAULT_MIN_CONFIDENCE = "0.20"


def confidence(measured: Measured) -> list[str]:
    found = at(measured.compiled, ("confidence",))
    if found is None:
        return []
    rows, curves = [], []
    for name, figures in found.items():
        first, shown = figures["first"], figures["thresholds"][DEFAULT_MIN_CONFIDENCE]
        rows.append([
            f"`{name}`", f"{figures['bar']:.2f}", percent(figures["good"]["judged"]), number(3)(figures["auc"]),
            number(3)(figures["calibration_error"]), percent(first["agreement"]["good"]),
            percent(first["confidence"]["good"]), percent(shown["offered"]), percent(shown["good"]),
        ])  # fmt: skip
        if not curves:
            curves = [
                [threshold, *map(percent, (shown["offered"], shown["good"], shown["well_formed"])), number(3)(shown["nearness"])]
                for threshold, shown in figures["thresholds"].items()
            ]
    model, figures = next(iter(found.items()))
    default = f"at {DEFAULT_MIN_CONFIDENCE}"
    return [
        f"Fitted on {figures['places']['fitted']} places of held-out documents, judged on {figures['places']['judged']} of others.",
        "",
        *table(
            ["", "bar", "good", "AUC", "calibration error", "first by agreement: good", "first by confidence: good",
             f"places with an offer, {default}", "of them good"],
            rows,
        ),
        "",
        f"`{model}`, the first of each place:",
        "",
        *table(["least confidence", "places with an offer", "of them good", "well-formed", "cosine to the true next"], curves),
    ]  # fmt: skip


# What each direction is to move.
DIRECTED = {
    "shorter": ("words", number(1)),
    "longer": ("words", number(1)),
    "plainer": ("rarity", number(2)),
    "concrete": ("placed", percent),
    "continue": ("continue", percent),
    "example": ("example", percent),
    "conclude": ("conclude", percent),
}
UNITS = {
    "words": "words",
    "rarity": "nats a word",
    "placed": "say where",
    "continue": "begin so",
    "example": "begin so",
    "conclude": "begin so",
}


def steering(measured: Measured) -> list[str]:
    """One table a model: what each pull moves, strength by strength, and what else that does."""
    found = at(measured.compiled, ("steering", "models"))
    if found is None:
        return []
    lines: list[str] = []
    for name, figures in found.items():
        rows = []
        for direction, by_strength in figures["directions"].items():
            key, form = DIRECTED.get(direction, ("words", number(1)))
            rows.append([f"{direction} ({UNITS[key]})", *steered({"0": figures["unsteered"], **by_strength}, key, form)])
        for pull, label in (("toward", "toward a phrase (cosine to it)"), ("away", "away from the sentence before (cosine)")):
            rows.append([label, *steered(figures[pull], "cosine_to_text", number(2))])
        head = ["", *(f"strength {s}" for s in STRENGTHS), "well-formed, 0 → ½ → 1", "cosine to what was predicted, likewise"]
        title = f"`{name}`, {figures['sentences']} sentences a cell:"
        lines += [*([""] if lines else []), title, "", *table(head, rows)]
    return lines


STRENGTHS = ("0", "0.25", "0.5", "0.75", "1")


def steered(by_strength: dict, key: str, form: Callable[[float | None], str]) -> list[str]:
    some = [by_strength[s] for s in ("0", "0.5", "1")]
    return [
        *(form(by_strength[s][key]) for s in STRENGTHS),
        " → ".join(f"{100 * row['well_formed']:.0f}" for row in some) + " %",
        " → ".join(f"{row['cosine_to_prediction']:.2f}" for row in some),
    ]


def examples(measured: Measured) -> list[str]:
    lines = []
    for item in measured.shown("autoencoder", "examples") or []:
        lines += [f"- {escape(item['text'])}", f"  - decoded: {escape(item['decoded'])}"]
        lines += [f"  - with noise: {escape(item['noised'])}"]
    return lines


def interpolations(measured: Measured) -> list[str]:
    return [
        f"- {escape(item['a'])} | {escape(item['b'])}\n  - half-way: {escape(item['between'])}"
        for item in measured.shown("autoencoder", "interpolations") or []
    ]


def nearest(measured: Measured) -> list[str]:
    found = measured.shown("space", "nearest") or []
    rows = [[escape(item["text"]), escape(item["nearest"]), f"{item['cosine']:.2f}"] for item in found]
    return table(["sentence", "nearest of the other 999", "cosine"], rows) if rows else []


def continuations(measured: Measured) -> list[str]:
    lines: list[str] = []
    for index, item in enumerate(measured.shown("continuations") or [], start=1):
        lines += [f"**{index}, {item['source']}**", "", "> " + escape(" ".join(item["context"])), ""]
        lines += [f"- original: {escape(item['next'])}"]
        for name, written in item["written"].items():
            lines += [f"- {name}: {escape(' '.join(written)) or '(nothing worth showing)'}"]
        lines += [""]
    return lines[:-1]


def reproduced(measured: Measured) -> list[str]:
    found = at(measured.compiled, ("reproduced",))
    if found is None:
        return []
    return [
        "Float32: `python -m training.evaluation_set --pairs FOLDER && python -m training.evaluate`. "
        f"Compiled: `{found['command']}`, here on {found['machine']}. This text: `python -m training.card`."
    ]


SECTIONS: dict[str, Callable[[Measured], list[str]]] = {
    "reproduced": reproduced,
    "autoencoder": autoencoder,
    "lengths": groups("by_length", "pieces"),
    "sources": groups("by_source", "source"),
    "retrieval": retrieval,
    "space": space,
    "teacher-forced": models("teacher_forced", TEACHER_FORCED),
    "candidates": models("candidates", CANDIDATES),
    "confidence": confidence,
    "steering": steering,
    "rival": rival,
    "examples": examples,
    "interpolations": interpolations,
    "nearest": nearest,
    "continuations": continuations,
}
