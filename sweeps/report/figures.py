"""The figures of a run, one function each, for the page and for print."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from gx2c.data.brain import FloatArray
from gx2c.metrics import HEADLINE
from sweeps.folder.records import ConfigRecord, best_of
from sweeps.folder.summary_file import Summary
from sweeps.report.facts import fold_scores
from sweeps.report.picture import PALETTE, Picture, padded
from sweeps.report.wording import counted, number, signed

INK, SOFT, NULL = PALETTE["ink"], PALETTE["soft"], PALETTE["null"]
MODEL, GEOGRAPHY, FAILED = PALETTE["model"], PALETTE["geography"], PALETTE["failed"]
PAPER = PALETTE["paper"]
N_BINS = 48
COMPLETE, PRUNED = "COMPLETE", "PRUNED"
MOST_CURVES = 40
SHOWN_SHARE = 0.15


def score_figure(summary: Summary) -> Picture:
    """Draw one row per fold and one for the mean: model, geography and validation."""
    rows = fold_scores(summary)
    words = "; ".join(
        f"fold {r.fold}: {summary.model} {number(r.test)}, geography {number(r.geography)}"
        for r in rows
    )
    picture = _rows_of(
        f"Test scores (Pearson r) of {summary.model} and of geography. {words}.",
        "Pearson r over the undirected edges among test regions",
        [*(f"fold {r.fold}" for r in rows), "mean, SD"],
    )
    draw = picture.axes.plot
    kinds = (
        (f"{summary.model}, validation", "o", PAPER, MODEL, "validation"),
        ("geography, test", "D", GEOGRAPHY, PAPER, "geography"),
        (f"{summary.model}, test", "o", MODEL, PAPER, "test"),
    )
    for y, row in enumerate(rows):
        draw([row.geography, row.test], [y, y], color=NULL, linewidth=1.5, zorder=1)
    for name, marker, fill, edge, value in kinds:
        label = name
        for y, row in enumerate(rows):
            (mark,) = draw(
                [getattr(row, value)], [y], marker, color=fill, markeredgecolor=edge, markersize=8,
                label=label,
            )  # fmt: skip
            picture.tip(mark, f"fold {row.fold}, {name}: r = {number(getattr(row, value))}")
            label = "_nolegend_"
    for shift, average, colour, marker in (
        (-0.14, summary.rival(HEADLINE), GEOGRAPHY, "D"),
        (0.14, summary.score(HEADLINE), MODEL, "o"),
    ):
        mean = picture.axes.errorbar(
            average.mean, len(rows) + shift, xerr=_finite(average.sd), fmt=marker, color=colour
        )
        picture.tip(mean[0], f"mean {number(average.mean)}, SD {number(average.sd)}")
    _legend(picture)
    return picture


def gain_figure(summary: Summary) -> Picture:
    """Draw the gain over geography of every fold, and its mean with its standard error."""
    rows, gain = fold_scores(summary), summary.gain(HEADLINE)
    words = ", ".join(f"fold {row.fold}: {signed(row.gain)}" for row in rows)
    picture = _rows_of(
        f"Gain over geography. {words}; mean {signed(gain.mean)}.",
        "gain over geography (difference of Pearson r)",
        [*(f"fold {r.fold}" for r in rows), "mean, SE"],
    )
    picture.axes.axvline(0.0, color=SOFT, linewidth=1)
    for y, row in enumerate(rows):
        picture.axes.plot([0.0, row.gain], [y, y], color=NULL, linewidth=1.5)
        (mark,) = picture.axes.plot([row.gain], [y], "o", color=INK, markersize=7)
        picture.tip(mark, f"fold {row.fold}: gain {signed(row.gain)}")
    mean = picture.axes.errorbar(gain.mean, len(rows), xerr=_finite(gain.se), fmt="o", color=INK)
    picture.tip(mean[0], f"mean gain {signed(gain.mean)}, SE {number(gain.se)}")
    return picture


def null_figure(scores: FloatArray, observed: float, geography: float, model: str) -> Picture:
    """Draw the null distribution with two marked values.

    Parameters
    ----------
    scores
        (n_nulls,), Pearson r, each averaged over folds; finite.
    observed, geography
        The same for the true data and for geography; NaN is not drawn.
    model
        Name of the model.
    """
    ends = padded([*scores.tolist(), observed, geography], share=0.07)
    picture = Picture(
        f"Histogram of {counted(len(scores), 'null score')}; observed {number(observed)}, "
        f"geography {number(geography)}.",
        size=(7.5, 3.0),
        margins=(0.75, 0.4),
    )
    # Bins run over the whole axis, so that nulls are not drawn wider when the marks lie far off
    counts, edges = np.histogram(scores, bins=N_BINS, range=ends)
    bars = picture.axes.bar(edges[:-1], counts, np.diff(edges), align="edge", color=NULL)
    for count, low, high, bar in zip(counts, edges[:-1], edges[1:], bars, strict=True):
        if count:
            between = f"between {number(float(low))} and {number(float(high))}"
            picture.tip(bar, f"{counted(int(count), 'null')} {between}")
    for value, name, colour in ((observed, model, MODEL), (geography, "geography", GEOGRAPHY)):
        if math.isfinite(value):
            style = "--" if name == "geography" else "-"
            label = f"{name} {number(value)}"
            picture.axes.axvline(value, color=colour, linewidth=2, linestyle=style, label=label)
    picture.axes.set(xlabel="Pearson r, mean over folds", ylabel="nulls", xlim=ends)
    _legend(picture)
    return picture


def search_figure(
    by_fold: Mapping[int, Sequence[ConfigRecord]], model: str, draw: Callable[..., None], title: str
) -> Picture:
    """Draw one panel per fold with `draw_history` or `draw_curves`, on one axis of scores."""
    n = len(by_fold)
    columns = min(n, 2)
    lines = math.ceil(n / columns)
    picture = Picture(
        f"{title} of {model}, folds {', '.join(map(str, by_fold))}.",
        size=(4.7 * columns, 2.8 * lines),
        grid=(lines, columns),
        margins=(0.85, 0.35),
    )
    for axes, (fold, rows) in zip(picture.all_axes, by_fold.items(), strict=False):
        axes.set_title(f"fold {fold}", loc="left", fontsize=9.5, fontweight="bold")
        axes.set_ylabel("validation score")
        draw(picture, axes, rows)
    for axes in picture.all_axes[n:]:
        axes.set_axis_off()
    return picture


def draw_history(
    picture: Picture, axes: Axes, rows: Sequence[ConfigRecord], ends: tuple[float, float]
) -> None:
    """Draw the score of every config in the order of the search."""
    chosen = best_of(rows)
    done = sorted(
        (r for r in rows if r.state == COMPLETE and r.score is not None), key=lambda r: r.number
    )
    marks: dict[tuple[str, str, str], list[ConfigRecord]] = {}
    for row in rows:
        marks.setdefault(_mark_of(row, ends), []).append(row)
    for (marker, fill, edge), alike in marks.items():
        heights = np.clip([ends[0] if row.score is None else row.score for row in alike], *ends)
        colours: dict[str, Any] = (
            {"color": edge} if marker == "x" else {"color": fill, "edgecolors": edge}
        )
        points = axes.scatter(
            [row.number for row in alike], heights, s=24, marker=marker, clip_on=False, **colours
        )
        below = " (below the axis)" if marker == "v" else ""
        picture.tip(points, *(f"{_config_of(row)}{below}" for row in alike))
    if chosen is not None:
        best = np.maximum.accumulate([_score(row) for row in done])
        numbers = [row.number for row in done]
        axes.step(numbers, best, where="post", color=MODEL, linewidth=1, alpha=0.65)
        _ring(picture, axes, chosen.number, _score(chosen), chosen)
    axes.set(xlabel="config, in the order of the search", ylim=ends)


def draw_curves(
    picture: Picture, axes: Axes, rows: Sequence[ConfigRecord], ends: tuple[float, float]
) -> None:
    """Draw the validation score after every epoch; the chosen config on top."""
    chosen = best_of(rows)
    for row in drawn_curves(rows):
        epochs, scores = np.transpose(_points(row)) if _points(row) else ((), ())
        style = "-" if row.state == COMPLETE else "--"
        is_chosen = row is chosen
        (curve,) = axes.plot(
            epochs, scores, style, color=MODEL if is_chosen else NULL, zorder=3 if is_chosen else 2,
            linewidth=2 if is_chosen else 1,
        )  # fmt: skip
        picture.tip(curve, _config_of(row))
    if chosen is not None:
        _ring(picture, axes, *max(_points(chosen), key=lambda point: point[1]), chosen)
    axes.set(xlabel="epochs", ylim=ends)


def score_range(values: Iterable[float | None]) -> tuple[float, float]:
    """Return a range that a few diverged configs cannot stretch.

    Scores lower than the median by more than three times the distance from the 15th
    percentile to the best lie outside, and are drawn at the edge.
    """
    finite = np.array([value for value in values if value is not None])
    if finite.size == 0:
        return (0.0, 1.0)
    best, low = float(finite.max()), float(np.quantile(finite, SHOWN_SHARE))
    lowest = float(np.median(finite)) - 3.0 * max(best - low, abs(best) * 1e-3, 1e-9)
    return padded(finite[finite >= lowest].tolist(), least=abs(best) * 1e-3)


def curve_range(rows: Iterable[ConfigRecord], lowest: float) -> tuple[float, float]:
    """Return a range of the curves that end above `lowest`, without their lowest tenth."""
    kept = [_points(row) for row in rows if _score(row) >= lowest]
    scores = np.array([score for points in kept for _, score in points])
    if scores.size == 0:
        return (0.0, 1.0)
    return padded([float(np.quantile(scores, 0.1)), float(scores.max())], least=1e-9)


def drawn_curves(rows: Sequence[ConfigRecord]) -> list[ConfigRecord]:
    """Return the configs whose curves are drawn: the best ones, if there are many."""
    return sorted(rows, key=lambda row: -_score(row))[:MOST_CURVES]


def _rows_of(words: str, label: str, names: Sequence[str]) -> Picture:
    size = (4.8, 1.0 + 0.36 * len(names))
    picture = Picture(words, size=size, margins=(0.85, 0.35))
    axes = picture.axes
    axes.set_yticks(range(len(names)), names, color=INK)
    axes.set(xlabel=label, ylim=(len(names) - 0.5, -0.5))
    axes.axhline(len(names) - 1.5, color=SOFT, linewidth=0.8)
    axes.grid(visible=False, axis="y")
    return picture


def _mark_of(row: ConfigRecord, ends: tuple[float, float]) -> tuple[str, str, str]:
    if not row.score is not None:
        return "x", FAILED, FAILED
    if row.score < ends[0]:
        return "v", NULL, NULL
    style = {COMPLETE: ("o", INK, INK), PRUNED: ("o", PAPER, NULL)}
    return style.get(row.state, ("x", FAILED, FAILED))


def _legend(picture: Picture) -> None:
    picture.figure.legend(loc="upper left", ncols=3, frameon=False)


def _ring(picture: Picture, axes: Axes, x: float, y: float, best: ConfigRecord) -> None:
    (ring,) = axes.plot([x], [y], "o", color=MODEL, markersize=6, markeredgecolor=PAPER, zorder=4)
    picture.tip(ring, f"chosen: {_config_of(best)}")


def _config_of(row: ConfigRecord) -> str:
    return f"config {row.number}, {row.state.lower()}: {number(row.score, 4)}"


def _score(row: ConfigRecord) -> float:
    return -math.inf if row.score is None else row.score


def _points(row: ConfigRecord) -> list[tuple[int, float]]:
    """Return (epochs, score) of every report that has a score."""
    return [(p["epochs"], p["score"]) for p in row.curve if p["score"] is not None]


def _finite(value: float) -> float:
    return value if math.isfinite(value) else 0.0
