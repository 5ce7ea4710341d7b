"""The null distribution with the observed score and geography's."""

from __future__ import annotations

import math

import numpy as np

from gx2c.data.brain import FloatArray
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
N_BINS = 32
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
    counts, edges = _bins(finite, ends)
    top = float(max(counts.max(), 4.0)) * 1.08
    frame = Frame(x=ends, y=(0.0, top), height=320, width=WIDE, top=58)
    draw = _dots if len(finite) <= MOST_DOTS else _bars
    parts = [
        x_axis(frame, "Pearson r, mean over folds", ticks(*ends, about=8)),
        y_axis(frame, "nulls", [t for t in ticks(0.0, top, 4) if t == round(t)]),
        draw(frame, counts, edges),
        line(frame.left, frame.floor, frame.wall, frame.floor, "axis"),
        *_marked(frame, observed, f"{model} {number(observed)}", "model", 20),
        *_marked(frame, geography, f"geography {number(geography)}", "geography", 42),
    ]
    words = (
        f"Histogram of {counted(len(finite), 'null score')}; observed {number(observed)}, "
        f"geography {number(geography)}."
    )
    return drawing(frame, parts, words)


def _bins(finite: FloatArray, ends: tuple[float, float]) -> tuple[FloatArray, FloatArray]:
    # Bins run over the whole axis, so that nulls are not drawn wider when the marks lie far off
    counts, edges = np.histogram(finite, bins=N_BINS * 2, range=ends)
    return counts.astype(np.float64), edges


def _dots(frame: Frame, counts: FloatArray, edges: FloatArray) -> Markup:
    step = frame.at_y(0.0) - frame.at_y(1.0)
    radius = min(step / 2, (frame.at_x(edges[1]) - frame.at_x(edges[0])) / 2) * 0.94
    return join(
        disc(
            frame.at_x(float(edges[k] + edges[k + 1]) / 2), frame.at_y(0.0) - radius * (2 * row + 1.1),
            radius, "null-fill", f"a null between {number(float(edges[k]))} and {number(float(edges[k + 1]))}",
        )
        for k in range(len(counts))
        for row in range(int(counts[k]))
    )  # fmt: skip


def _bars(frame: Frame, counts: FloatArray, edges: FloatArray) -> Markup:
    return join(
        node(
            "rect", x=frame.at_x(float(edges[k])) + 0.5, y=frame.at_y(float(counts[k])),
            width=frame.at_x(float(edges[k + 1])) - frame.at_x(float(edges[k])) - 1,
            height=frame.floor - frame.at_y(float(counts[k])), class_="null-fill",
            data_tip=f"{counted(int(counts[k]), 'null')} between {number(float(edges[k]))} "
            f"and {number(float(edges[k + 1]))}",
        )
        for k in np.flatnonzero(counts)
    )  # fmt: skip


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
