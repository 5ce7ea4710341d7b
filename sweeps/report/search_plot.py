"""How each search went: scores of its configs and their learning curves."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from sweeps.report.axes import (
    Frame,
    cross,
    disc,
    drawing,
    padded,
    polyline,
    text,
    ticks,
    x_axis,
    y_axis,
)
from sweeps.report.markup import Markup, join, node
from sweeps.report.reading import TrialRow
from sweeps.report.wording import counted, number

COMPLETE, PRUNED, FAILED = "COMPLETE", "PRUNED", "FAILED"
MOST_CURVES = 40
MOST_POINTS = 120
SHOWN_SHARE = 0.15


def best_of(rows: Iterable[TrialRow]) -> TrialRow | None:
    """Return the complete config with the best score."""
    scored = [row for row in rows if row.state == COMPLETE and math.isfinite(row.score)]
    return max(scored, key=lambda row: row.score, default=None)


def score_range(values: Iterable[float]) -> tuple[float, float]:
    """Return a range that a few diverged configs cannot stretch.

    Scores lower than the median by more than three times the distance from the 15th
    percentile to the best lie outside, and are drawn at the edge.
    """
    finite = np.array([value for value in values if math.isfinite(value)])
    if finite.size == 0:
        return (0.0, 1.0)
    best, low = float(finite.max()), float(np.quantile(finite, SHOWN_SHARE))
    lowest = float(np.median(finite)) - 3.0 * max(best - low, abs(best) * 1e-3, 1e-9)
    return padded(finite[finite >= lowest].tolist(), least=abs(best) * 1e-3)


def history_plot(rows: Sequence[TrialRow], fold: int, ends: tuple[float, float]) -> Markup:
    """Draw the score of every config in the order in which they were asked for.

    Parameters
    ----------
    rows
        Configs of one search.
    fold
        Its outer fold.
    ends
        Range of the score axis, shared by the folds.
    """
    last = max([row.number for row in rows], default=0)
    frame = Frame(x=(-0.8, last + 0.8), y=ends, height=244, left=62, top=26)
    numbers = sorted({float(round(t)) for t in ticks(0, max(last, 1), 6) if t <= last})
    best = best_of(rows)
    parts = [
        x_axis(frame, "config, in the order asked for", numbers),
        y_axis(frame, "validation score"),
        _best_so_far(frame, rows, last),
        *[_trial_mark(frame, row) for row in rows],
    ]
    if best is not None:
        parts.append(_ring(frame.at_x(best.number), _held(frame, best.score), best))
    parts.append(text(frame.left, 15, f"fold {fold}", "panel"))
    words = f"Validation score of {counted(len(rows), 'config')} of fold {fold}"
    return drawing(frame, parts, words + (f"; best {number(best.score, 4)}." if best else "."))


def curve_plot(rows: Sequence[TrialRow], fold: int, ends: tuple[float, float]) -> Markup:
    """Draw the validation score after every pass; the chosen config on top."""
    curves = [row for row in rows if len(row.curve) > 1]
    chosen = best_of(curves)
    most = max((row.curve[-1][0] for row in curves), default=1.0)
    frame = Frame(x=(0.0, most * 1.02), y=ends, height=244, left=62, top=26)
    parts = [x_axis(frame, "passes"), y_axis(frame, "validation score")]
    parts += [_course(frame, row, f"curve {row.state.lower()}") for row in drawn_curves(curves)]
    if chosen is not None:
        parts.append(_course(frame, chosen, "curve chosen"))
        passes, score = max(chosen.curve, key=lambda point: point[1])
        parts.append(_ring(frame.at_x(passes), _held(frame, score), chosen))
    parts.append(text(frame.left, 15, f"fold {fold}", "panel"))
    words = f"Learning curves of {counted(len(curves), 'config')} of fold {fold}."
    return drawing(frame, parts, words)


def drawn_curves(rows: Sequence[TrialRow]) -> list[TrialRow]:
    """Return the configs whose curves are drawn: the best ones, if there are many."""
    return sorted(rows, key=lambda row: (not math.isfinite(row.score), -row.score))[:MOST_CURVES]


def curve_range(rows: Iterable[TrialRow], lowest: float) -> tuple[float, float]:
    """Return a range of the curves that end above `lowest`, without their lowest tenth."""
    kept = [row.curve for row in rows if row.score >= lowest]
    scores = np.array([score for curve in kept for _, score in curve if math.isfinite(score)])
    if scores.size == 0:
        return (0.0, 1.0)
    return padded([float(np.quantile(scores, 0.1)), float(scores.max())], least=1e-9)


def _held(frame: Frame, score: float) -> float:
    return frame.at_y(min(max(score, frame.y[0]), frame.y[1]))


def _trial_mark(frame: Frame, row: TrialRow) -> Markup:
    x = frame.at_x(row.number)
    tip = f"config {row.number}, {row.state.lower()}: {number(row.score, 4)}"
    if row.state == FAILED or not math.isfinite(row.score):
        return cross(x, frame.floor - 6, 4, "failed", tip)
    if row.score < frame.y[0]:
        d = f"M{x - 4:g} {frame.floor - 9:g}h8l-4 7z"
        return node("path", d=d, class_="below", data_tip=f"{tip} (below the axis)")
    y = frame.at_y(row.score)
    return disc(x, y, 3.4, "pruned-ring" if row.state == PRUNED else "ink-fill", tip)


def _ring(x: float, y: float, best: TrialRow) -> Markup:
    tip = f"chosen: config {best.number}, {number(best.score, 4)}"
    return join([disc(x, y, 7.5, "chosen-ring"), disc(x, y, 4, "model-fill", tip)])


def _best_so_far(frame: Frame, rows: Sequence[TrialRow], last: int) -> Markup:
    points: list[tuple[float, float]] = []
    best = -math.inf
    for row in sorted(rows, key=lambda row: row.number):
        if row.state == COMPLETE and row.score > best:
            before = [(frame.at_x(row.number), _held(frame, best))] if points else []
            best = row.score
            points += [*before, (frame.at_x(row.number), _held(frame, best))]
    if not points:
        return Markup()
    return polyline([*points, (frame.at_x(last), _held(frame, best))], "best")


def _course(frame: Frame, row: TrialRow, class_: str) -> Markup:
    every = math.ceil(len(row.curve) / MOST_POINTS)
    points = [*row.curve[:-1:every], row.curve[-1]]
    tip = f"config {row.number}, {row.state.lower()}: {number(row.score, 4)}"
    inside = [(frame.at_x(p), frame.at_y(s)) for p, s in points if frame.y[0] <= s <= frame.y[1]]
    return polyline(inside, class_, tip) if len(inside) > 1 else Markup()
