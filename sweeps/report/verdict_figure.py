"""The one picture of a verdict: every r that it weighs, on one axis."""

import textwrap
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from gx2c.data.brain import FloatArray
from gx2c.metrics import HEADLINE
from sweeps.folder.summary_parts import UNDEFINED, Nulls
from sweeps.report.picture import PALETTE, Picture, padded
from sweeps.report.reading import RunFiles
from sweeps.report.scores import Interval, fold_scores, interval
from sweeps.report.wording import counted, fold_name, number, p_text

N_BINS = 60
WIDEST_NAME = 24
CEILING = "noise_ceiling_r"


class Row(NamedTuple):
    """One row: a mean with its interval and the r of each fold, or the r of many nulls."""

    name: str
    found: Interval
    folds: Sequence[float] = ()
    look: dict[str, Any] | None = None
    nulls: FloatArray | None = None


def verdict_figure(run: RunFiles, *, narrow: bool = False) -> Picture:
    """Draw test r of model, control, geography, decay and noise ceiling, above those of nulls.

    A narrow picture is for a telephone: numbers stand below names.
    """
    rows = verdict_rows(run)
    size = (4.3 if narrow else 7.8, 0.75 + 0.42 * len(rows))
    words = "; ".join(f"{row.name}: {row.found}" for row in rows)
    margins = (1.75, 0.1, 0.15) if narrow else (2.05, 0.1, 1.55)
    picture = Picture(f"Test r. {words}.", size=size, margins=margins)
    axes = picture.axes
    shown = [row.nulls for row in rows if row.nulls is not None]
    values = [v for r in rows for v in (*r.folds, r.found.mean, r.found.low, r.found.high)]
    ends = padded([*values, *np.concatenate([*shown, np.empty(0)]).tolist()], share=0.04)
    model = rows[0].found.mean
    if np.isfinite(model):
        axes.axvline(model, color=PALETTE["model"], linewidth=1, alpha=0.5, zorder=1)
    for y, row in enumerate(rows):
        if row.nulls is not None:
            _draw_nulls(picture, y, row.nulls, ends)
        else:
            _draw_mean(picture, y, row, [fold_name(fold) for fold in run.summary.folds])
        bold = "bold" if y == 0 else "normal"
        if not narrow:
            axes.text(1.02, y, str(row.found), transform=axes.get_yaxis_transform(), va="center",
                      fontsize=8.5, fontweight=bold)  # fmt: skip
    names = [_name_of(row, narrow=narrow) for row in rows]
    axes.set_yticks(range(len(rows)), names, color=PALETTE["ink"])
    axes.set(
        xlabel="test r" if narrow else "test r (Pearson), mean over outer folds",
        xlim=ends,
        ylim=(len(rows) - 0.4, -0.6),
    )
    axes.grid(visible=False, axis="y")
    return picture


def _name_of(row: Row, *, narrow: bool) -> str:
    if narrow:
        return f"{row.name}\n{row.found}"
    return "\n".join(textwrap.wrap(row.name, WIDEST_NAME))


def verdict_rows(run: RunFiles) -> list[Row]:
    """Return what the picture shows, the model first."""
    s = run.summary
    scores = fold_scores(s)
    model, geography = PALETTE["model"], PALETTE["geography"]
    found = [_row(run, s.model, [r.test for r in scores], marker="o", color=model, markersize=9)]
    evidence = None if s.verdict is None else s.verdict.evidence
    rivals = [
        ("the same on coordinates", None if evidence is None else evidence.coordinates, "o", model),
        ("distance decay", None if evidence is None else evidence.decay, "s", geography),
    ]
    others = [
        (name, rival.r, [UNDEFINED if r is None else r for r in rival.r_per_fold], marker, colour)
        for name, rival, marker, colour in rivals
        if rival is not None and rival.r is not None
    ]
    if s.geography is not None and not s.is_geography:
        mean = s.rival(HEADLINE).mean
        others.insert(
            len(others) - 1 if others else 0,
            ("geography", mean, [r.geography for r in scores], "D", geography),
        )
    for name, mean, folds, marker, colour in others:
        fill = colour if name == "geography" else PALETTE["paper"]
        look = {"color": fill, "markeredgecolor": colour, "ecolor": colour}
        found.append(_row(run, name, folds, mean, marker=marker, markersize=7, **look))
    if (detail := s.details.get(s.model)) and CEILING in detail.mean:
        folds = [fold.values.get(CEILING, UNDEFINED) for fold in detail.folds]
        mean = detail.mean[CEILING].mean
        found.append(
            _row(run, "noise ceiling", folds, mean, marker="|", color=PALETTE["ink"], markersize=14)
        )
    for kind, null_scores in run.null_scores.items():
        shown = null_scores[np.isfinite(null_scores)]
        if len(shown):
            name = f"{counted(len(shown), 'null')}: {kind}"
            found.append(Row(name, Interval(float(shown.mean())), nulls=shown))
    return found


def _row(
    run: RunFiles, name: str, folds: Sequence[float], mean: float = UNDEFINED, **look: Any
) -> Row:
    found = interval(run.summary, folds) if len(folds) else Interval(mean)
    return Row(name, found, folds, look)


def _draw_mean(picture: Picture, y: int, row: Row, names: Sequence[str]) -> None:
    axes = picture.axes
    if len(row.folds) > 1:
        marks = axes.scatter(
            row.folds, [y + 0.24] * len(row.folds), s=9, color=PALETTE["null"], linewidths=0
        )
        picture.tip(
            marks,
            *(f"{row.name}, {n}: r = {number(r)}" for n, r in zip(names, row.folds, strict=False)),
        )
    bar = axes.errorbar(
        [row.found.mean], [y], xerr=row.found.ends, linestyle="none", **row.look or {}
    )
    picture.tip(bar[0], f"{row.name}: r = {row.found}")


def _draw_nulls(picture: Picture, y: int, scores: FloatArray, ends: tuple[float, float]) -> None:
    counts, edges = np.histogram(scores, bins=N_BINS, range=ends)
    heights = counts / max(counts.max(), 1) * 0.72
    bars = picture.axes.bar(
        edges[:-1], -heights, np.diff(edges), bottom=y + 0.36, align="edge", color=PALETTE["null"]
    )
    for count, low, high, bar in zip(counts, edges[:-1], edges[1:], bars, strict=True):
        if count:
            between = f"r between {number(float(low))} and {number(float(high))}"
            picture.tip(bar, f"{counted(int(count), 'null')}, {between}")


def verdict_note(run: RunFiles) -> str:
    """Return how to read the picture."""
    s = run.summary
    has = any(np.isfinite(row.found.low) for row in verdict_rows(run))
    why = "" if has else "; the folds of this split are no sample, so there are no intervals"
    words = (
        "Dots are outer folds, marks their mean"
        + (
            " with its 95 % interval, corrected for training regions that folds share"
            if has
            else why
        )
        + ". Grey bars are nulls; the blue line is the model. Geography predicts from the places "
        "of regions, distance decay from their distance, both without genes. A verdict on genes "
        "rests on the gain over geography, not on r alone."
    )
    return f"{words} {_p_of(s.nulls, s.more_nulls)}".strip()


def _p_of(first: Nulls | None, more: dict[str, Nulls]) -> str:
    if first is None:
        return ""
    tests = {first.method: first} | more
    words = [
        f"{kind} {p_text(found.over_geography.by_metric[HEADLINE].p_value)}"
        for kind, found in tests.items()
        if found.over_geography
    ]
    return f"Gain over geography against nulls: {', '.join(words)}." if words else ""
