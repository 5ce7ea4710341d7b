"""Numbers and names as the page prints them."""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from gx2c.metrics import TABLE
from sweeps.folder.summary_parts import FoldSummary

MINUS = "\N{MINUS SIGN}"
NO_BREAK = "\N{NO-BREAK SPACE}"
ABSENT = "n/a"
KINDS = {
    "geodesic_distance": "geodesic distance (smaller is better)",
    "short_r": "short edges, up to 58 mm",
    "mid_r": "mid edges, up to 117 mm",
    "long_r": "long edges",
    "strong_negative_r": "strong negative edges, below \N{MINUS SIGN}.3",
    "weak_r": "weak edges",
    "strong_positive_r": "strong positive edges, above .3",
    "left_r": "within the left hemisphere",
    "right_r": "within the right hemisphere",
    "inter_hemisphere_r": "between the hemispheres",
    "top_tenth_precision": "precision of the strongest tenth of edges",
    "partial_r_given_geography": "partial r given geography's prediction",
    "noise_ceiling_r": "noise ceiling: measured against the other group's connectome",
    "holdout_r": "predicted against the other group's connectome",
}
OF_NETWORK = {"intra_network_": "within {}", "inter_network_": "between {} and the others"}


class MetricWords(NamedTuple):
    """How a metric is called and printed."""

    name: str
    digits: int
    better: str


def words_of(metric: str) -> MetricWords:
    """Return how to print a metric, also one that this version does not know."""
    if metric not in TABLE:
        return MetricWords(metric, 3, "")
    row = TABLE[metric]
    better = "larger is better" if row.larger_is_better else "smaller is better"
    return MetricWords(row.title or metric, row.digits, "; ".join(filter(None, (better, row.note))))


def number(value: float | None, digits: int = 3) -> str:
    """Print with fixed digits and no leading zero: .412, or n/a where undefined."""
    if value is None or not math.isfinite(value):
        return ABSENT
    text = f"{abs(value):.{digits}f}"
    if text.startswith("0."):
        text = text[1:]
    return f"{MINUS}{text}" if value < 0 and text.strip(".0") else text


def signed(value: float | None, digits: int = 3) -> str:
    """Print as `number` does, with a plus where larger than zero."""
    text = number(value, digits)
    above_zero = value is not None and value > 0 and text != ABSENT and bool(text.strip(".0"))
    return f"+{text}" if above_zero else text


def p_text(value: float) -> str:
    """Print a p-value with its sign of (in)equality, never broken: `p = .048`, `p < .001`."""
    text = "p < .001" if value < 0.001 else f"p = {number(value)}"
    return text.replace(" ", NO_BREAK)


def compact(value: Any) -> str:
    """Print one value of a config, short enough for a cell."""
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "none"}[value]
    if isinstance(value, float):
        return f"{value:.3g}"
    if isinstance(value, list | tuple):
        if not value:
            return "none"
        if isinstance(value[0], Mapping):
            return f"{len(value)} configs"
        shown = ", ".join(compact(item) for item in value[:4])
        return shown if len(value) <= 4 else f"{shown}, … ({len(value)} in all)"
    return str(value)


def duration(seconds: float) -> str:
    """Print a time span: 48 s, 3 min 20 s, 2 h 5 min."""
    if not math.isfinite(seconds):
        return ABSENT
    if seconds < 60:
        return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def fold_name(fold: FoldSummary) -> str:
    """Return a fold's number, and its name if it has one: `fold 2 Vis`, `seed 1 fold 2`."""
    seed = "" if fold.number is None else f"seed {fold.seed} "
    return f"{seed}fold {fold.in_seed} {fold.name}".strip()


def counted(n: int, noun: str) -> str:
    """Print `1 fold`, `4 folds`."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def kind_name(score: str) -> str:
    """Spell out the name of a detailed score."""
    for before, words in OF_NETWORK.items():
        if score.startswith(before):
            return words.format(score.removeprefix(before).removesuffix("_r"))
    return KINDS.get(score, score)


def flat(entries: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Join nested names with dots; lists stay whole."""
    found: dict[str, Any] = {}
    for name, value in entries.items():
        if isinstance(value, Mapping):
            found |= flat(value, f"{before}{name}.")
        else:
            found[f"{before}{name}"] = value
    return found
