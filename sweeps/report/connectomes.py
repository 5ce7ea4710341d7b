"""Predicted against measured connectomes of the test regions."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np

from gx2c.data.brain import FloatArray
from sweeps.report.axes import (
    WIDTH,
    Frame,
    disc,
    drawing,
    line,
    padded,
    text,
    ticks,
    x_axis,
    y_axis,
)
from sweeps.report.heatmap import heatmap_uri, scale_uri
from sweeps.report.markup import Markup, join, node
from sweeps.report.reading import FoldConnectomes
from sweeps.report.wording import number

LEFT = 108.0
SIDE = WIDTH - LEFT - 8.0
MOST_POINTS = 2000
MOST_LABELLED = 34
MOST_VALUES = 400_000
N_BINS = 56


def colour_limit(connectomes: Sequence[FoldConnectomes]) -> float:
    """Return the largest absolute edge over all folds, rounded up to a tenth."""
    largest = 0.0
    for matrix in _matrices(connectomes):
        edges = np.abs(matrix[np.triu_indices(len(matrix), k=1)])
        finite = edges[np.isfinite(edges)]
        largest = max(largest, float(finite.max()) if finite.size else 0.0)
    return math.ceil(largest * 10 - 1e-9) / 10 or 1.0


def edge_range(connectomes: Sequence[FoldConnectomes]) -> tuple[float, float]:
    """Return one range that holds every edge of every fold, measured and predicted."""
    ends = [0.0]
    for matrix in _matrices(connectomes):
        edges = matrix[np.triu_indices(len(matrix), k=1)]
        finite = edges[np.isfinite(edges)]
        ends += [float(finite.min()), float(finite.max())] if finite.size else []
    return padded(ends, share=0.03)


def values_fit(connectomes: Sequence[FoldConnectomes]) -> bool:
    """Tell whether the page has room for every edge's value, shown when pointed at."""
    return sum(matrix.size // 2 for matrix in _matrices(connectomes)) <= MOST_VALUES


def connectome_plot(
    values: FloatArray, labels: Sequence[str], *, kind: str, fold: int, limit: float, hover: bool
) -> Markup:
    """Draw one connectome; the diagonal stays empty.

    Parameters
    ----------
    values
        (n_regions, n_regions), Pearson r.
    labels
        n_regions names.
    kind
        "measured" or "predicted".
    fold
        Number of the outer fold.
    limit
        Value of the last colour.
    hover
        Put the values into the page, to be shown when pointed at.
    """
    shown = np.array(values, copy=True)
    np.fill_diagonal(shown, np.nan)
    frame = Frame(x=(0, 1), y=(0, 1), height=SIDE + 8, left=LEFT, right=8, top=4, bottom=4)
    place = {"x": LEFT, "y": 4.0, "width": SIDE, "height": SIDE}
    picture = node(
        "image",
        href=heatmap_uri(shown, limit),
        preserveAspectRatio="none",
        class_="pixels",
        **place,
    )
    data = {"data_labels": "\t".join(labels), "data_edges": _edge_text(shown)} if hover else {}
    cover = node("rect", class_="matrix", **place, **data)
    back = node("rect", class_="empty", **place)
    words = f"Heat map of the {kind} connectome of fold {fold}: {len(labels)} test regions."
    return drawing(frame, [back, picture, *_names(labels), cover], words)


def colour_bar(limit: float) -> Markup:
    """Draw the scale that every heat map of the page shares."""
    frame = Frame(x=(-limit, limit), y=(0, 1), height=62, left=20, right=20, top=4, bottom=44)
    bar = node(
        "image", href=scale_uri(), preserveAspectRatio="none",
        x=frame.left, y=frame.top, width=frame.wall - frame.left, height=14.0,
    )  # fmt: skip
    words = f"Colour scale from {number(-limit, 1)} (blue) through 0 (white) to {number(limit, 1)}."
    return drawing(frame, [x_axis(frame, "functional connectivity (Pearson r)"), bar], words)


def edge_plot(
    both: FoldConnectomes, measured: FloatArray, predicted: FloatArray, ends: tuple[float, float]
) -> Markup:
    """Draw predicted against measured edges: points, or counts in squares if they are many."""
    upper = np.triu_indices(len(measured), k=1)
    x, y = measured[upper], predicted[upper]
    there = np.isfinite(x) & np.isfinite(y)
    frame = Frame(x=ends, y=ends, height=WIDTH - 20, left=56)
    diagonal = line(
        frame.at_x(ends[0]),
        frame.at_y(ends[0]),
        frame.at_x(ends[1]),
        frame.at_y(ends[1]),
        "identity",
    )
    few = there.sum() <= MOST_POINTS
    marks = _points(frame, both.labels, upper, x, y) if few else _counts(frame, x[there], y[there])
    marks_at = ticks(*ends)
    parts = [
        x_axis(frame, "measured edge (Pearson r)", marks_at),
        y_axis(frame, "predicted edge (Pearson r)", marks_at),
        diagonal,
    ]
    words = f"Predicted against measured values of {int(there.sum())} edges of fold {both.fold}."
    return drawing(frame, [*parts, marks], words)


def _matrices(connectomes: Sequence[FoldConnectomes]) -> list[FloatArray]:
    both = [matrix for c in connectomes for matrix in (c.measured, c.predicted)]
    return [matrix for matrix in both if matrix is not None]


def _edge_text(values: FloatArray) -> str:
    """Write the edges above the diagonal, row by row, in thousandths; `x` is undefined."""
    edges = values[np.triu_indices(len(values), k=1)]
    return " ".join(f"{1000 * v:.0f}" if math.isfinite(v) else "x" for v in edges)


def _names(labels: Sequence[str]) -> list[Markup]:
    """Name rows, or groups of rows where there are too many; skip names that would overlap."""
    step = SIDE / len(labels)
    short = _short_labels(labels)
    if len(labels) > MOST_LABELLED:
        short = [re.sub(r"[_-]?\d+$", "", name) for name in short]
    starts = [k for k, name in enumerate(short) if k == 0 or name != short[k - 1]]
    if len(labels) > MOST_LABELLED and len(starts) > len(labels) / 2:
        return []
    names, last = [], -math.inf
    for start, end in zip(starts, [*starts[1:], len(labels)], strict=True):
        y = 4.0 + step * (start + end) / 2 + 3.0
        if y - last >= 8.5:
            names.append(text(LEFT - 5, y, _clipped(short[start]), "region end"))
            last = y
    return names


def _short_labels(labels: Sequence[str]) -> list[str]:
    """Drop what all labels begin with, up to the last separator."""
    first, last = min(labels), max(labels)
    same = next(
        (k for k, pair in enumerate(zip(first, last, strict=False)) if len(set(pair)) > 1), 0
    )
    cut = max(first.rfind("_", 0, same), first.rfind("-", 0, same)) + 1
    return [label[cut:] for label in labels]


def _clipped(name: str) -> str:
    return name if len(name) <= 20 else f"{name[:19]}…"


def _points(
    frame: Frame,
    labels: Sequence[str],
    upper: tuple[np.ndarray, np.ndarray],
    x: FloatArray,
    y: FloatArray,
) -> Markup:
    return join(
        disc(
            frame.at_x(float(a)), frame.at_y(float(b)), 3.2, "edge",
            f"{labels[i]} – {labels[j]}: measured {number(float(a))}, predicted {number(float(b))}",
        )
        for i, j, a, b in zip(*upper, x, y, strict=True)
        if math.isfinite(a) and math.isfinite(b)
    )  # fmt: skip


def _counts(frame: Frame, x: FloatArray, y: FloatArray) -> Markup:
    counts, x_ends, y_ends = np.histogram2d(x, y, bins=N_BINS, range=(frame.x, frame.y))
    side = frame.at_x(x_ends[1]) - frame.at_x(x_ends[0])
    tall = frame.at_y(y_ends[0]) - frame.at_y(y_ends[1])
    most = math.log1p(float(counts.max()))
    return join(
        node(
            "rect", x=frame.at_x(float(x_ends[i])), y=frame.at_y(float(y_ends[j + 1])),
            width=side + 0.2, height=tall + 0.2, class_="count",
            fill_opacity=0.12 + 0.88 * math.log1p(float(counts[i, j])) / most,
            data_tip=f"{int(counts[i, j])} edges",
        )
        for i, j in zip(*np.nonzero(counts), strict=True)
    )  # fmt: skip
