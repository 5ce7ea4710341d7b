"""Predicted and measured connectomes of the test regions."""

import math
import re
from collections.abc import Sequence

import numpy as np
from matplotlib.colors import LinearSegmentedColormap, LogNorm

from gx2c.data.brain import FloatArray
from sweeps.report.picture import PALETTE, Picture, padded
from sweeps.report.reading import FoldConnectomes
from sweeps.report.wording import number

# Blue, near white, brown in equal steps of lightness, safe for colour-blind readers
DIVERGING = LinearSegmentedColormap.from_list(
    "diverging",
    [
        (0.00, "#08305d"),
        (0.22, "#2f74ab"),
        (0.40, "#96c4de"),
        (0.50, "#f7f5f0"),
        (0.60, "#ebbe96"),
        (0.78, "#be602f"),
        (1.00, "#601c0a"),
    ],
)
MOST_POINTS = 2000
MOST_LABELLED = 34
# Tooltips per connectome; more would make the page heavy
MOST_VALUES = 1200
N_BINS = 56


def colour_limit(connectomes: Sequence[FoldConnectomes]) -> float:
    """Return the largest absolute edge over all folds, rounded up to a tenth."""
    largest = max(float(np.abs(edges).max(initial=0.0)) for edges in _edges(connectomes))
    return math.ceil(largest * 10 - 1e-9) / 10 or 1.0


def edge_range(connectomes: Sequence[FoldConnectomes]) -> tuple[float, float]:
    """Return one range for every edge of every fold, measured and predicted."""
    return padded([0.0, *np.concatenate(_edges(connectomes)).tolist()], share=0.03)


def connectome_figure(
    values: FloatArray, labels: Sequence[str], *, kind: str, fold: int, limit: float
) -> Picture:
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
    """
    shown = np.array(values, copy=True)
    np.fill_diagonal(shown, np.nan)
    n = len(labels)
    words = f"Heat map of the {kind} connectome of fold {fold}: {n} test regions."
    picture = Picture(words, size=(5.2, 4.1), margins=(1.25, 0.1))
    axes = picture.axes
    axes.grid(visible=False)
    axes.set_facecolor(PALETTE["rule"])
    image = axes.imshow(shown, cmap=DIVERGING, vmin=-limit, vmax=limit, interpolation="nearest")
    bar = picture.figure.colorbar(image, ax=axes, shrink=0.8, label="Pearson r")
    bar.outline.set_visible(False)
    axes.set_xticks([])
    places, names = _row_names(labels)
    axes.set_yticks(places, names, fontsize=6.5)
    if n * (n - 1) <= MOST_VALUES:
        rows, columns = np.nonzero(~np.eye(n, dtype=bool))
        cells = axes.scatter(columns, rows, s=60, marker="s", alpha=0.0)
        picture.tip(
            cells,
            *(
                f"{labels[i]} – {labels[j]}: r = {number(float(shown[i, j]))}"
                for i, j in zip(rows.tolist(), columns.tolist(), strict=True)
            ),
        )
    return picture


def edge_figure(both: FoldConnectomes, ends: tuple[float, float]) -> Picture:
    """Draw predicted against measured edges: points, or counts in squares if they are many."""
    assert both.measured is not None and both.predicted is not None
    rows, columns = np.triu_indices(len(both.measured), k=1)
    x, y = both.measured[rows, columns], both.predicted[rows, columns]
    there = np.isfinite(x) & np.isfinite(y)
    x, y = x[there], y[there]
    picture = Picture(
        f"Predicted against measured values of {len(x)} edges of fold {both.fold}.", size=(4.8, 4.6)
    )
    axes = picture.axes
    axes.plot(ends, ends, "--", color=PALETTE["soft"], linewidth=1)
    if len(x) <= MOST_POINTS:
        points = axes.scatter(x, y, s=14, color=PALETTE["model"], alpha=0.5, linewidths=0)
        named = zip(rows[there].tolist(), columns[there].tolist(), x, y, strict=True)
        picture.tip(
            points,
            *(
                f"{both.labels[i]} – {both.labels[j]}: measured {number(float(a))}, "
                f"predicted {number(float(b))}"
                for i, j, a, b in named
            ),
        )
    else:
        one_hue = LinearSegmentedColormap.from_list("counts", ["#cfe0ef", PALETTE["model"]])
        *_, image = axes.hist2d(
            x, y, bins=N_BINS, range=(ends, ends), norm=LogNorm(), cmap=one_hue, cmin=1
        )
        picture.figure.colorbar(image, ax=axes, shrink=0.8, label="edges")
    axes.set(
        xlabel="measured edge (Pearson r)",
        ylabel="predicted edge (Pearson r)",
        xlim=ends,
        ylim=ends,
        aspect="equal",
    )
    return picture


def _edges(connectomes: Sequence[FoldConnectomes]) -> list[FloatArray]:
    both = [matrix for c in connectomes for matrix in (c.measured, c.predicted)]
    edges = [m[np.triu_indices(len(m), k=1)] for m in both if m is not None]
    return [values[np.isfinite(values)] for values in edges]


def _row_names(labels: Sequence[str]) -> tuple[list[float], list[str]]:
    """Name rows, or runs of rows of one group where there are too many."""
    cut = _common_start(labels)
    short = [label[cut:] for label in labels]
    if len(labels) > MOST_LABELLED:
        short = [re.sub(r"[_-]?\d+$", "", name) for name in short]
    starts = [k for k, name in enumerate(short) if k == 0 or name != short[k - 1]]
    if len(starts) > MOST_LABELLED:
        return [], []
    ends = [*starts[1:], len(labels)]
    middles = [(start + end - 1) / 2 for start, end in zip(starts, ends, strict=True)]
    return middles, [short[start] for start in starts]


def _common_start(labels: Sequence[str]) -> int:
    """Return the length of what all labels begin with, up to its last separator."""
    first, last = min(labels), max(labels)
    pairs = enumerate(zip(first, last, strict=False))
    same = next((k for k, (a, b) in pairs if a != b), 0)
    return max(first.rfind("_", 0, same), first.rfind("-", 0, same)) + 1
