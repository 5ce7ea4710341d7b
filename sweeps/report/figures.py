"""Figures of scores: of every fold, of gains, of nulls and of an ensemble's members."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.ticker import MaxNLocator

from gx2c.metrics import HEADLINE
from sweeps.folder.summary_file import Summary
from sweeps.report.picture import PALETTE, Picture, padded
from sweeps.report.reading import RunFiles
from sweeps.report.scores import fold_scores, interval, shown_scores
from sweeps.report.wording import counted, fold_name, number, signed

INK, SOFT, NULL = PALETTE["ink"], PALETTE["soft"], PALETTE["null"]
MODEL, GEOGRAPHY, PAPER = PALETTE["model"], PALETTE["geography"], PALETTE["paper"]
N_BINS = 48


def score_figure(summary: Summary) -> Picture:
    """Draw one row per fold and one for the mean: model, geography and validation."""
    rows = shown_scores(summary)
    words = "; ".join(
        f"{r.name}: {summary.model} {number(r.test)}, geography {number(r.geography)}" for r in rows
    )
    picture = _rows_of(
        f"Test scores (Pearson r) of {summary.model} and of geography. {words}.",
        "Pearson r over the undirected edges among test regions",
        [*(r.name for r in rows), "mean, SD"],
    )
    draw = picture.axes.plot
    kinds = [
        ("geography, test", "D", GEOGRAPHY, PAPER, "geography"),
        (f"{summary.model}, test", "o", MODEL, PAPER, "test"),
    ]
    if any(math.isfinite(row.validation) for row in rows):
        kinds.insert(0, (f"{summary.model}, validation", "o", PAPER, MODEL, "validation"))
    for y, row in enumerate(rows):
        draw([row.geography, row.test], [y, y], color=NULL, linewidth=1.5, zorder=1)
    for name, marker, fill, edge, value in kinds:
        label = name
        for y, row in enumerate(rows):
            (mark,) = draw(
                [getattr(row, value)], [y], marker, color=fill, markeredgecolor=edge, markersize=8,
                label=label,
            )  # fmt: skip
            picture.tip(mark, f"{row.name}, {name}: r = {number(getattr(row, value))}")
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
    """Draw the gain over geography of every fold, and its mean with its interval."""
    rows = shown_scores(summary)
    gain = interval(summary, [row.gain for row in fold_scores(summary)], most=2.0)
    words = ", ".join(f"{row.name}: {signed(row.gain)}" for row in rows)
    picture = _rows_of(
        f"Gain over geography. {words}; mean {signed(gain.mean)}.",
        "gain over geography (difference of Pearson r)",
        [*(r.name for r in rows), "mean"],
    )
    picture.axes.axvline(0.0, color=SOFT, linewidth=1)
    for y, row in enumerate(rows):
        picture.axes.plot([0.0, row.gain], [y, y], color=NULL, linewidth=1.5)
        (mark,) = picture.axes.plot([row.gain], [y], "o", color=INK, markersize=7)
        picture.tip(mark, f"{row.name}: gain {signed(row.gain)}")
    mean = picture.axes.errorbar([gain.mean], [len(rows)], xerr=gain.ends, fmt="o", color=INK)
    picture.tip(mean[0], f"mean gain {gain}")
    return picture


def null_figure(run: RunFiles) -> Picture | None:
    """Draw the null distribution of every surrogate, with the model and geography marked."""
    s = run.summary
    scores = {kind: found[np.isfinite(found)] for kind, found in run.null_scores.items()}
    scores = {kind: found for kind, found in scores.items() if len(found)}
    if not scores:
        return None
    marks = {s.model: s.score(HEADLINE).mean, "geography": s.rival(HEADLINE).mean}
    ends = padded([*np.concatenate([*scores.values()]).tolist(), *marks.values()], share=0.07)
    n = {kind: counted(len(found), "null score") for kind, found in scores.items()}
    picture = Picture(
        f"Histograms of {', '.join(f'{n[kind]} ({kind})' for kind in n)}; "
        + ", ".join(f"{name} {number(value)}" for name, value in marks.items()),
        size=(7.5, 0.9 + 1.7 * len(scores)),
        grid=(len(scores), 1),
        margins=(0.75, 0.4),
        sharex=True,
    )
    for axes, (kind, found) in zip(picture.all_axes, scores.items(), strict=True):
        # Bins run over the whole axis, so that nulls are not drawn wider when marks lie far off
        counts, edges = np.histogram(found, bins=N_BINS, range=ends)
        bars = axes.bar(edges[:-1], counts, np.diff(edges), align="edge", color=NULL)
        for count, low, high, bar in zip(counts, edges[:-1], edges[1:], bars, strict=True):
            if count:
                between = f"between {number(float(low))} and {number(float(high))}"
                picture.tip(bar, f"{counted(int(count), 'null')} ({kind}) {between}")
        for name, value in marks.items():
            if math.isfinite(value):
                style, colour = ("-", MODEL) if name == s.model else ("--", GEOGRAPHY)
                label = f"{name} {number(value)}" if axes is picture.axes else "_nolegend_"
                axes.axvline(value, color=colour, linewidth=2, linestyle=style, label=label)
        axes.set(ylabel=kind, xlim=ends)
        axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    picture.all_axes[-1].set_xlabel("Pearson r of nulls, mean over folds")
    _legend(picture)
    return picture


def member_figure(run: RunFiles) -> Picture | None:
    """Draw the test r of an ensemble's members, of the best config alone, and of their mean."""
    folds = [fold for fold in run.summary.folds if len(run.members.get(fold.fold, ())) > 1]
    if not folds:
        return None
    picture = _rows_of(
        f"Test r of the members of each fold's ensemble of {run.summary.model}, and of their mean.",
        "Pearson r over the undirected edges among test regions",
        [*map(fold_name, folds), ""],
        left=1.2,
    )
    label: dict[str, str] = {name: name for name in ("member", "best config alone", "their mean")}
    for y, fold in enumerate(folds):
        members = [r for r in run.members[fold.fold] if math.isfinite(r)]
        points = picture.axes.scatter(
            members, [y] * len(members), s=16, color=NULL, label=label.pop("member", "_nolegend_")
        )
        picture.tip(points, *(f"{fold_name(fold)}, member: r = {number(r)}" for r in members))
        for name, scores, marker, fill in (
            ("best config alone", fold.single, "D", PAPER),
            ("their mean", fold.test, "o", MODEL),
        ):
            (mark,) = picture.axes.plot(
                [scores.get(HEADLINE, math.nan)], [y], marker, color=fill, markeredgecolor=MODEL,
                markersize=7, label=label.pop(name, "_nolegend_"),
            )  # fmt: skip
            picture.tip(mark, f"{fold_name(fold)}, {name}: r = {number(scores.get(HEADLINE))}")
    picture.axes.set_ylim(len(folds) - 0.5, -0.5)
    _legend(picture)
    return picture


def _rows_of(words: str, label: str, names: Sequence[str], left: float = 0.85) -> Picture:
    size = (4.8, 1.0 + 0.36 * len(names))
    picture = Picture(words, size=size, margins=(left, 0.35))
    axes = picture.axes
    axes.set_yticks(range(len(names)), names, color=INK)
    axes.set(xlabel=label, ylim=(len(names) - 0.5, -0.5))
    axes.axhline(len(names) - 1.5, color=SOFT, linewidth=0.8)
    axes.grid(visible=False, axis="y")
    return picture


def _legend(picture: Picture) -> None:
    picture.figure.legend(loc="upper left", ncols=3, frameon=False)


def _finite(value: float) -> float:
    return value if math.isfinite(value) else 0.0
