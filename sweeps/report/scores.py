"""Scores beside geography, fold by fold."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from sweeps.report.axes import Frame, diamond, disc, drawing, line, padded, text, x_axis
from sweeps.report.markup import Markup, join
from sweeps.report.summary import UNDEFINED, Average, Summary
from sweeps.report.wording import number, signed

ROW = 34.0
METRIC = "pearson_r"


class FoldScores(NamedTuple):
    """Pearson r of one fold; NaN where there is none.

    Attributes
    ----------
    fold
        Number of the outer fold.
    validation, test, geography
        The model inside and outside, and geography outside.
    gain
        Of the model over geography, as the summary gives it.
    """

    fold: int
    validation: float
    test: float
    geography: float
    gain: float


def fold_scores(summary: Summary, metric: str = METRIC) -> list[FoldScores]:
    """Put the scores of model and geography side by side."""
    geography = summary.geography
    beside = {} if geography is None else {f.fold: f.test for f in geography.folds}
    gains: Sequence[float] = ()
    if geography is not None and metric in geography.gain:
        gains = geography.gain[metric].per_fold
    if len(gains) != len(summary.folds):
        gains = [UNDEFINED] * len(summary.folds)
    return [
        FoldScores(
            fold=f.fold,
            validation=f.validation.get(metric, UNDEFINED),
            test=f.test.get(metric, UNDEFINED),
            geography=beside.get(f.fold, {}).get(metric, UNDEFINED),
            gain=gain,
        )
        for f, gain in zip(summary.folds, gains, strict=True)
    ]


def score_plot(summary: Summary) -> Markup:
    """Draw one row a fold and one for the mean: model, geography and validation."""
    rows = fold_scores(summary)
    model = summary.test.get(METRIC, Average())
    geography = (
        Average() if summary.geography is None else summary.geography.test.get(METRIC, Average())
    )
    spread = [v for a in (model, geography) for v in (a.mean, a.mean - a.sd, a.mean + a.sd)]
    frame = _row_frame([v for row in rows for v in row[1:4]] + spread, len(rows))
    parts = [x_axis(frame, "Pearson r over the undirected edges among test regions")]
    parts += [_zero(frame)]
    for place, row in enumerate(rows):
        parts.append(_fold_row(frame, _height_of(frame, place), row, summary.model))
    y = _height_of(frame, len(rows)) + 5
    parts += [
        line(frame.left, y - ROW / 2 - 2, frame.wall, y - ROW / 2 - 2, "axis"),
        text(frame.left - 10, y + 4, "mean, SD", "name end strong"),
        _mean(frame, y - 5, geography, "geography", "geography"),
        _mean(frame, y + 6, model, "model", summary.model),
    ]
    return drawing(frame, parts, _score_words(summary, rows))


def gain_plot(summary: Summary) -> Markup:
    """Draw the gain over geography of every fold, and its mean with its standard error."""
    rows = fold_scores(summary)
    gain = Average() if summary.geography is None else summary.geography.gain.get(METRIC, Average())
    values = [row.gain for row in rows] + [0.0, gain.mean - gain.se, gain.mean + gain.se]
    frame = _row_frame(values, len(rows))
    parts = [x_axis(frame, "gain over geography (difference of Pearson r)"), _zero(frame)]
    for place, row in enumerate(rows):
        y = _height_of(frame, place)
        parts.append(text(frame.left - 10, y + 4, f"fold {row.fold}", "name end"))
        if math.isfinite(row.gain):
            tip = f"fold {row.fold}: gain {signed(row.gain)}"
            parts.append(line(frame.at_x(0.0), y, frame.at_x(row.gain), y, "stem"))
            parts.append(disc(frame.at_x(row.gain), y, 5.5, "ink-fill", tip))
    y = _height_of(frame, len(rows)) + 5
    parts += [
        line(frame.left, y - ROW / 2 - 2, frame.wall, y - ROW / 2 - 2, "axis"),
        text(frame.left - 10, y + 4, "mean, SE", "name end strong"),
        _whisker(frame, y, gain.mean, gain.se, "ink-line"),
    ]
    if math.isfinite(gain.mean):
        tip = f"mean gain {signed(gain.mean)}, SE {number(gain.se)}"
        parts.append(disc(frame.at_x(gain.mean), y, 6.5, "ink-fill", tip))
    words = ", ".join(f"fold {row.fold}: {signed(row.gain)}" for row in rows)
    return drawing(frame, parts, f"Gain over geography. {words}; mean {signed(gain.mean)}.")


def _row_frame(values: Sequence[float], n_folds: int) -> Frame:
    height = 12 + ROW * (n_folds + 1) + 10 + 46
    return Frame(x=padded(values), y=(0, 1), height=height, left=84, bottom=46)


def _height_of(frame: Frame, place: int) -> float:
    return frame.top + ROW * (place + 0.5)


def _zero(frame: Frame) -> Markup:
    if not frame.x[0] < 0 < frame.x[1]:
        return Markup()
    return line(frame.at_x(0.0), frame.top, frame.at_x(0.0), frame.floor, "axis")


def _fold_row(frame: Frame, y: float, row: FoldScores, model: str) -> Markup:
    parts = [text(frame.left - 10, y + 4, f"fold {row.fold}", "name end")]
    if math.isfinite(row.test) and math.isfinite(row.geography):
        parts.append(line(frame.at_x(row.geography), y, frame.at_x(row.test), y, "stem"))
    if math.isfinite(row.validation):
        x, tip = frame.at_x(row.validation), f"{model}, validation: r = {number(row.validation)}"
        parts.append(disc(x, y, 4, "model-ring", f"fold {row.fold}, {tip}"))
    if math.isfinite(row.geography):
        tip = f"fold {row.fold}, geography, test: r = {number(row.geography)}"
        parts.append(diamond(frame.at_x(row.geography), y, 7, "geography-fill", tip))
    if math.isfinite(row.test):
        tip = f"fold {row.fold}, {model}, test: r = {number(row.test)}"
        parts.append(disc(frame.at_x(row.test), y, 6, "model-fill", tip))
    else:
        parts.append(text(frame.wall, y + 4, "test score undefined", "tick end"))
    return join(parts)


def _mean(frame: Frame, y: float, average: Average, kind: str, name: str) -> Markup:
    if not math.isfinite(average.mean):
        return Markup()
    x = frame.at_x(average.mean)
    tip = f"{name}, mean of {average.n} folds: r = {number(average.mean)}, SD {number(average.sd)}"
    draw = diamond if kind == "geography" else disc
    mark = draw(x, y, 7.0 if kind == "geography" else 6.0, f"{kind}-fill", tip)
    return join([_whisker(frame, y, average.mean, average.sd, f"{kind}-line"), mark])


def _whisker(frame: Frame, y: float, middle: float, half: float, class_: str) -> Markup:
    if not (math.isfinite(middle) and math.isfinite(half)):
        return Markup()
    return line(frame.at_x(middle - half), y, frame.at_x(middle + half), y, class_)


def _score_words(summary: Summary, rows: Sequence[FoldScores]) -> str:
    words = "; ".join(
        f"fold {r.fold}: {summary.model} {number(r.test)}, geography {number(r.geography)}"
        for r in rows
    )
    return f"Test scores (Pearson r) of {summary.model} and of geography. {words}."
