"""The null distribution with the observed score and geography's."""

from __future__ import annotations

import math

import numpy as np

from gx2c.data.brain import FloatArray, IntArray
from sweeps.report.axes import (
    Frame,
    diamond,
    disc,
    drawing,
    line,
    padded,
    text,
    ticks,
    x_axis,
    y_axis,
)
from sweeps.report.markup import Markup, join, node
from sweeps.report.wording import counted, number

MOST_DOTS = 60
N_BINS = 48
HIGHEST_STACK = 9
WIDE = 720.0


def null_plot(scores: FloatArray, observed: float, geography: float, model: str) -> Markup:
    """Draw the nulls as stacked dots if they are few, else as bars, and two marked values.

    Parameters
    ----------
    scores
        (n_nulls,), Pearson r, each averaged over folds.
    observed, geography
        The same for the true data and for geography; NaN is not drawn.
    model
        Name of the model.
    """
    finite = scores[np.isfinite(scores)]
    ends = padded([*finite.tolist(), observed, geography], share=0.07)
    # Bins run over the whole axis, so that nulls are not drawn wider when the marks lie far off
    counts, edges = np.histogram(finite, bins=N_BINS, range=ends)
    few = len(finite) <= MOST_DOTS and counts.max() <= HIGHEST_STACK
    draw = _dots if few else _bars
    top = float(counts.max()) * 1.08
    frame = Frame(x=ends, y=(0.0, top), height=250 if few else 320, width=WIDE, top=64)
    # Names point to the middle: the mark further out stands higher, clear of the other's line
    middle = sum(ends) / 2
    rows = (20, 42) if abs(observed - middle) > abs(geography - middle) else (42, 20)
    parts = [
        x_axis(frame, "Pearson r, mean over folds", ticks(*ends, about=8)),
        Markup() if few else y_axis(frame, "nulls"),
        draw(frame, counts, edges),
        line(frame.left, frame.floor, frame.wall, frame.floor, "axis"),
        *_marked(frame, observed, f"{model} {number(observed)}", "model", rows[0]),
        *_marked(frame, geography, f"geography {number(geography)}", "geography", rows[1]),
    ]
    words = (
        f"Histogram of {counted(len(finite), 'null score')}; observed {number(observed)}, "
        f"geography {number(geography)}."
    )
    return drawing(frame, parts, words)


def _dots(frame: Frame, counts: IntArray, edges: FloatArray) -> Markup:
    radius = (frame.at_x(float(edges[1])) - frame.at_x(float(edges[0]))) / 2 * 0.94
    return join(
        disc(
            frame.at_x(float(edges[k] + edges[k + 1]) / 2),
            frame.floor - radius * (2 * row + 1.1),
            radius,
            "null-fill",
            f"a null {_between(edges, k)}",
        )
        for k in range(len(counts))
        for row in range(int(counts[k]))
    )


def _bars(frame: Frame, counts: IntArray, edges: FloatArray) -> Markup:
    width = frame.at_x(float(edges[1])) - frame.at_x(float(edges[0])) - 1
    return join(
        node(
            "rect",
            x=frame.at_x(float(edges[k])) + 0.5,
            y=frame.at_y(float(counts[k])),
            width=width,
            height=frame.floor - frame.at_y(float(counts[k])),
            class_="null-fill",
            data_tip=f"{counted(int(counts[k]), 'null')} {_between(edges, k)}",
        )
        for k in np.flatnonzero(counts).tolist()
    )


def _between(edges: FloatArray, k: int) -> str:
    return f"between {number(float(edges[k]))} and {number(float(edges[k + 1]))}"


def _marked(frame: Frame, value: float, name: str, kind: str, height: float) -> list[Markup]:
    if not math.isfinite(value):
        return []
    x = frame.at_x(value)
    right = x > (frame.left + frame.wall) / 2
    draw = diamond if kind == "geography" else disc
    return [
        line(x, height - 4, x, frame.floor, f"{kind}-line"),
        draw(x, height - 4, 6.0, f"{kind}-fill"),
        text(x + (-12 if right else 12), height, name, f"mark {'end' if right else 'start'}"),
    ]
