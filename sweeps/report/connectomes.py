"""The connectomes of test regions, ordered by network."""

import math
import re
from collections.abc import Iterator, Sequence
from itertools import groupby

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap

from gx2c.data.brain import FloatArray
from sweeps.report.picture import PALETTE, TICKS, Picture
from sweeps.report.reading import PEARSON_R, FoldConnectomes, RunFiles
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
MOST_LABELLED = 34
# Cells of a page with tooltips; more would make it heavy
MOST_VALUES = 10_000


def connectome_figures(run: RunFiles) -> Iterator[tuple[str, Picture]]:
    """Draw the connectomes of every fold, by its number."""
    numbers = {fold.fold: fold.in_seed for fold in run.summary.folds}
    usable = [c.ordered(run.networks(c.labels)) for c in run.connectomes if not c.problem]
    if not usable:
        return
    limit = colour_limit(usable)
    cells = sum(4 * len(c.labels) ** 2 for c in usable)
    for c in usable:
        picture = connectome_figure(
            c,
            run.networks(c.labels),
            limit=limit,
            with_tips=cells <= MOST_VALUES,
            measure=run.measure,
        )
        yield f"fold_{numbers[c.fold]}", picture


def colour_limit(connectomes: Sequence[FoldConnectomes]) -> float:
    """Return the largest absolute edge over all folds, rounded up to a tenth."""
    both = [m for c in connectomes for m in (c.measured, c.predicted) if m is not None]
    edges = [m[np.triu_indices(len(m), k=1)] for m in both]
    largest = max(float(np.abs(values[np.isfinite(values)]).max(initial=0.0)) for values in edges)
    return math.ceil(largest * 10 - 1e-9) / 10 or 1.0


def connectome_figure(
    c: FoldConnectomes,
    networks: Sequence[str],
    *,
    limit: float,
    with_tips: bool = True,
    measure: str = PEARSON_R,
) -> Picture:
    """Draw a fold's connectomes side by side on one scale; the diagonals stay empty.

    Parameters
    ----------
    c
        The connectomes of n_regions test regions, with those of a network side by side.
    networks
        n_regions names, empty where unknown.
    limit
        Value of the last colour.
    with_tips
        Whether each cell has a tooltip.
    measure
        Label of an edge's measure, such as Pearson r.
    """
    assert c.measured is not None and c.predicted is not None
    panels = {
        "measured": c.measured,
        "predicted": c.predicted,
        "geography": c.geography,
        "residual: measured minus predicted": c.measured - c.predicted,
    }
    shown = {title: values for title, values in panels.items() if values is not None}
    lines = math.ceil(len(shown) / 2)
    groups = _groups(c.labels, networks)
    longest = max((len(name) for name, _, _ in groups), default=0)
    room = 0.35 + 0.062 * longest
    picture = Picture(
        f"Connectomes of {c.name or f'fold {c.fold}'}, {len(c.labels)} test regions, as heat maps: "
        f"{', '.join(shown)}.",
        size=(8.6, lines * (3.3 + room)),
        grid=(lines, 2),
        margins=(room, 0.3, 1.0, room),
    )
    picture.figure.subplots_adjust(wspace=room / 3.0, hspace=(room + 0.25) / 3.1)
    for axes, (title, values) in zip(picture.all_axes, shown.items(), strict=False):
        _draw(picture, axes, title, values, c.labels, groups, limit, with_tips)
    for axes in picture.all_axes[len(shown) :]:
        axes.set_axis_off()
    frame = picture.figure.add_axes((0.9, 0.35, 0.014, 0.3))
    bar = picture.figure.colorbar(
        picture.all_axes[0].images[0], cax=frame, label=measure, format=TICKS
    )
    bar.outline.set_visible(False)
    return picture


def _draw(
    picture: Picture,
    axes: Axes,
    title: str,
    values: FloatArray,
    labels: Sequence[str],
    groups: Sequence[tuple[str, int, int]],
    limit: float,
    with_tips: bool,
) -> None:
    n = len(labels)
    values = np.where(np.eye(n, dtype=bool), np.nan, values)
    axes.grid(visible=False)
    axes.set_facecolor(PALETTE["rule"])
    axes.imshow(values, cmap=DIVERGING, vmin=-limit, vmax=limit, interpolation="nearest")
    axes.set_title(title, loc="left", fontsize=9.5)
    places = [(start + end - 1) / 2 for _, start, end in groups]
    names = [name for name, _, _ in groups]
    axes.set_xticks(places, names, fontsize=7, rotation=90)
    axes.set_yticks(places, names, fontsize=7)
    for _, start, _ in groups[1:] if len(groups) < n else ():
        for draw_line in (axes.axhline, axes.axvline):
            draw_line(start - 0.5, color=PALETTE["soft"], linewidth=0.5)
    if with_tips:
        rows, columns = np.nonzero(~np.eye(n, dtype=bool))
        kind = title.partition(":")[0]
        cells = axes.scatter(columns, rows, s=40, marker="s", alpha=0.0)
        picture.tip(
            cells,
            *(
                f"{labels[i]} – {labels[j]}: {kind} {number(float(values[i, j]))}"
                for i, j in zip(rows.tolist(), columns.tolist(), strict=True)
            ),
        )


def _groups(labels: Sequence[str], networks: Sequence[str]) -> list[tuple[str, int, int]]:
    """Return name, start and end of each run of rows: networks, else labels or what they share."""
    names = list(networks)
    if not any(names):
        cut = _common_start(labels)
        names = [label[cut:] for label in labels]
        if len(names) > MOST_LABELLED:
            names = [re.sub(r"[_-]?\d+$", "", name) for name in names]
    groups, start = [], 0
    for name, members in groupby(names):
        end = start + len(list(members))
        groups.append((name, start, end))
        start = end
    return groups if len(groups) <= MOST_LABELLED else []


def _common_start(labels: Sequence[str]) -> int:
    """Return the length of what all labels begin with, up to its last separator."""
    first, last = min(labels), max(labels)
    pairs = enumerate(zip(first, last, strict=False))
    same = next((k for k, (a, b) in pairs if a != b), 0)
    return max(first.rfind("_", 0, same), first.rfind("-", 0, same)) + 1
