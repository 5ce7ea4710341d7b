"""The part of the page about the search: scores of its configs and learning curves."""

from __future__ import annotations

from collections.abc import Sequence

from sweeps.report import search_plot
from sweeps.report.markup import Markup, join, node
from sweeps.report.pieces import absent, legend, section
from sweeps.report.reading import RunFiles, TrialRow


def search(run: RunFiles) -> Markup:
    """Return scores and learning curves of the configs of every fold."""
    title = "The search"
    rows = [row for row in run.trials if row.model == run.summary.model]
    if not rows:
        words = run.problems.get("trials", f"No trials of {run.summary.model} are recorded.")
        return section(title, absent(words))
    others = sorted({row.model for row in run.trials} - {run.summary.model})
    parts = [_search_of(run.summary.model, rows)]
    for model in others:
        inner = _search_of(model, [row for row in run.trials if row.model == model])
        parts.append(node("details", node("summary", f"The search of {model}"), inner))
    return section(title, *parts)


def _search_of(model: str, rows: Sequence[TrialRow]) -> Markup:
    folds = sorted({row.fold for row in rows})
    ends = search_plot.score_range(row.score for row in rows)
    by_fold = {fold: [row for row in rows if row.fold == fold] for fold in folds}
    histories = [
        node("figure", search_plot.history_plot(by_fold[fold], fold, ends)) for fold in folds
    ]
    marks = legend(
        ("ink", "complete"), ("pruned", "pruned"), ("failed", "failed"), ("chosen", "chosen"),
        ("best", "best so far"),
    )  # fmt: skip
    words = (
        f"Validation score of every config of {model}; larger is better. A triangle at the lower "
        "edge lies far below."
    )
    parts = [node("p", words, class_="note"), marks, node("div", *histories, class_="pair")]
    return join([*parts, _curves_of(by_fold, ends[0])])


def _curves_of(by_fold: dict[int, list[TrialRow]], lowest: float) -> Markup:
    curves = {fold: [row for row in rows if len(row.curve) > 1] for fold, rows in by_fold.items()}
    if not any(curves.values()):
        return node("p", "No learning curves: a model in closed form has none.", class_="note")
    shown = [row for rows in curves.values() for row in search_plot.drawn_curves(rows)]
    ends = search_plot.curve_range(shown, lowest)
    plots = [
        node("figure", search_plot.curve_plot(rows, fold, ends)) for fold, rows in curves.items()
    ]
    n_all = sum(len(rows) for rows in curves.values())
    words = "Validation score after every pass; the ring marks the best pass of the chosen config. "
    words += "What lies far below the axis is left out."
    words += f" The best {len(shown)} of {n_all} curves are drawn." if len(shown) < n_all else ""
    marks = legend(
        ("chosen-line", "chosen"), ("complete-line", "complete"), ("pruned-line", "pruned")
    )
    return join(
        [node("h3", "Learning curves"), node("p", words, class_="note"), marks,
         node("div", *plots, class_="pair")]
    )  # fmt: skip
