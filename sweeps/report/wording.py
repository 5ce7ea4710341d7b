"""Numbers as the page prints them."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

MINUS = "\N{MINUS SIGN}"
NO_BREAK = "\N{NO-BREAK SPACE}"
ABSENT = "n/a"


class MetricWords(NamedTuple):
    """How a metric is called and printed."""

    name: str
    digits: int
    better: str


METRICS: dict[str, MetricWords] = {
    "pearson_r": MetricWords("Pearson r", 3, "larger is better"),
    "spearman_r": MetricWords("Spearman r", 3, "larger is better"),
    "r2": MetricWords("R²", 3, "larger is better; below 0 is worse than the mean"),
    "mse": MetricWords("mean squared error", 4, "smaller is better"),
    "mae": MetricWords("mean absolute error", 4, "smaller is better"),
}


def words_of(metric: str) -> MetricWords:
    """Return how to print a metric, also one that this page does not know."""
    return METRICS.get(metric, MetricWords(metric, 3, ""))


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


def counted(n: int, noun: str) -> str:
    """Print `1 fold`, `4 folds`."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"
