"""Figures of a search: scores of configs, learning curves, values and their importance."""

import functools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import optuna
from matplotlib.axes import Axes
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution

from sweeps.folder.records import ConfigRecord, best_of, curve_of, relative_scores
from sweeps.report.picture import PALETTE, Picture, padded
from sweeps.report.wording import compact, number, signed

INK, NULL, PAPER = PALETTE["ink"], PALETTE["null"], PALETTE["paper"]
MODEL, FAILED = PALETTE["model"], PALETTE["failed"]
COMPLETE, PRUNED = "COMPLETE", "PRUNED"
MOST_CURVES = 40
SHOWN_SHARE = 0.15
# Fewer configs do not show which values matter
LEAST_FOR_IMPORTANCE = 12
MOST_AXES = 12
optuna.logging.set_verbosity(optuna.logging.ERROR)
# Names of the score, by the metric that ranks configs
SCORES = {
    "val_mse": "validation score: \N{MINUS SIGN}MSE",
    "val_pearson_r": "validation score: Pearson r",
}
# A positive value is on a logarithmic axis if its largest is so many times its smallest
LOGARITHMIC = 50.0


def search_figure(
    by_fold: Mapping[str, Sequence[ConfigRecord]],
    model: str,
    draw: Callable[..., None],
    title: str,
    label: str,
) -> Picture:
    """Draw one panel per fold with `draw_history` or `draw_curves`, on one axis of scores."""
    n = len(by_fold)
    columns = min(n, 2)
    lines = math.ceil(n / columns)
    picture = Picture(
        f"{title} of {model}: {', '.join(by_fold)}.",
        size=(4.7 * columns, 2.9 * lines),
        grid=(lines, columns),
        margins=(0.85, 0.35),
    )
    picture.figure.subplots_adjust(hspace=0.42)
    for axes, (fold, rows) in zip(picture.all_axes, by_fold.items(), strict=False):
        axes.set_title(fold, loc="left", fontsize=9.5, fontweight="bold")
        axes.set_ylabel(label)
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


def _mark_of(row: ConfigRecord, ends: tuple[float, float]) -> tuple[str, str, str]:
    if row.score is None:
        return "x", FAILED, FAILED
    if row.score < ends[0]:
        return "v", NULL, NULL
    style = {COMPLETE: ("o", INK, INK), PRUNED: ("o", PAPER, NULL)}
    return style.get(row.state, ("x", FAILED, FAILED))


def _ring(picture: Picture, axes: Axes, x: float, y: float, best: ConfigRecord) -> None:
    (ring,) = axes.plot([x], [y], "o", color=MODEL, markersize=6, markeredgecolor=PAPER, zorder=4)
    picture.tip(ring, f"chosen: {_config_of(best)}")


def _config_of(row: ConfigRecord) -> str:
    return f"config {row.number}, {row.state.lower()}: {number(row.score, 4)}"


def _score(row: ConfigRecord) -> float:
    return -math.inf if row.score is None else row.score


def _points(row: ConfigRecord) -> list[tuple[int, float]]:
    """Return (epochs, score) of every report that has a score."""
    return sorted(curve_of(row).items())


class Search:
    """The search of one model over all outer folds, and its figures.

    Attributes
    ----------
    model
        Name of the model.
    by_fold
        Configs of every outer fold, by its name.
    label
        Axis label of the validation score.
    values
        Configs that compare over folds, best first, each with `relative_scores`.
    """

    def __init__(
        self,
        model: str,
        rows: Sequence[ConfigRecord],
        metric: str,
        names: Mapping[int, str] | None = None,
    ) -> None:
        self.model, self.label = model, SCORES.get(metric, "validation score")
        self.names_of_folds = names or {}
        self.by_fold: dict[str, list[ConfigRecord]] = {}
        for row in sorted(rows, key=lambda row: row.fold):
            self.by_fold.setdefault(self._fold_of(row), []).append(row)
        self.values: list[tuple[ConfigRecord, float]] = []
        for of_fold in self.by_fold.values():
            relative = relative_scores(of_fold)
            self.values += [(r, relative[r.number]) for r in of_fold if r.number in relative]
        self.values.sort(key=lambda pair: -pair[1])

    def _fold_of(self, row: ConfigRecord) -> str:
        return self.names_of_folds.get(row.fold, f"fold {row.fold}")

    @property
    def _ends(self) -> tuple[float, float]:
        return score_range(r.score for rows in self.by_fold.values() for r in rows)

    @property
    def curves(self) -> dict[str, list[ConfigRecord]]:
        """Configs with a learning curve of every fold."""
        return {f: [r for r in rows if len(r.curve) > 1] for f, rows in self.by_fold.items()}

    def history_figure(self) -> Picture:
        """Draw the score of every config."""
        draw = functools.partial(draw_history, ends=self._ends)
        title = "Validation scores of configs"
        return search_figure(self.by_fold, self.model, draw, title, self.label)

    def curves_figure(self) -> Picture | None:
        """Draw learning curves; None for closed forms."""
        drawn = [row for rows in self.curves.values() for row in drawn_curves(rows)]
        if not drawn:
            return None
        draw = functools.partial(draw_curves, ends=curve_range(drawn, lowest=self._ends[0]))
        return search_figure(self.curves, self.model, draw, "Learning curves", self.label)

    @functools.cached_property
    def importance(self) -> dict[str, float]:
        """The importance of each hyperparameter by optuna's fANOVA; empty with few configs.

        References
        ----------
        Hutter, Hoos & Leyton-Brown (2014), ICML, PMLR 32(1), 754.
        """
        rows = [row for row, _ in self.values]
        space = {name: _distribution([r.params.get(name) for r in rows]) for name in self.names}
        everywhere = [name for name in space if all(name in row.params for row in rows)]
        if len(rows) < LEAST_FOR_IMPORTANCE or not everywhere:
            return {}
        study = optuna.create_study(direction="maximize")
        for row, value in self.values:
            chosen = {name: row.params[name] for name in everywhere}
            dims = {name: space[name] for name in everywhere}
            study.add_trial(optuna.create_trial(value=value, params=chosen, distributions=dims))
        evaluator = optuna.importance.FanovaImportanceEvaluator(seed=0)
        return dict(optuna.importance.get_param_importances(study, evaluator=evaluator))

    @property
    def names(self) -> list[str]:
        """Hyperparameters that vary over configs."""
        found: dict[str, set[str]] = {}
        for row, _ in self.values:
            for name, value in row.params.items():
                found.setdefault(name, set()).add(repr(value))
        return [name for name, seen in found.items() if len(seen) > 1]

    def importance_figure(self) -> Picture | None:
        """Draw the share of variance that each hyperparameter explains."""
        shares = dict(sorted(self.importance.items(), key=lambda item: -item[1]))
        if not shares:
            return None
        words = ", ".join(f"{name} {number(share, 2)}" for name, share in shares.items())
        size = (6.4, 0.75 + 0.26 * len(shares))
        picture = Picture(
            f"Importance of hyperparameters of {self.model}: {words}.",
            size=size,
            margins=(2.3, 0.1),
        )
        axes = picture.axes
        for y, (name, share) in enumerate(shares.items()):
            bars = axes.barh([y], [share], color=MODEL, height=0.6)
            picture.tip(bars[0], f"{name}: {number(share, 3)}")
        axes.set_yticks(range(len(shares)), [_cut(name) for name in shares], fontsize=8.5)
        axes.set(
            xlabel="share of the variance of the score (fANOVA)", ylim=(len(shares) - 0.5, -0.5)
        )
        axes.grid(visible=False, axis="y")
        return picture

    def parallel_figure(self) -> Picture | None:
        """Draw every config as a line through its values and its score."""
        names = sorted(self.names, key=lambda n: -self.importance.get(n, 0.0))[:MOST_AXES]
        if not names or len(self.values) < 2:
            return None
        picture = Picture(
            f"Parallel coordinates of {len(self.values)} configs of {self.model}: "
            f"{', '.join(names)}, and the score.",
            size=(8.6, 4.0),
            margins=(0.95, 0.15, 0.6, 1.15),
        )
        axes = picture.axes
        axes.grid(visible=False)
        places = [_scaled([row.params.get(n) for row, _ in self.values]) for n in names]
        scores = [max(value, self._lowest) for _, value in self.values]
        places.append(_scaled(scores))
        heights = np.array([at for at, _ in places])
        share = heights[-1]
        n_best = max(1, len(self.values) // 10)
        for k in reversed(range(len(self.values))):
            best = k < n_best
            (line,) = axes.plot(
                heights[:, k], color=MODEL if best else NULL, linewidth=1.6 if best else 0.7,
                alpha=1.0 if best else 0.25 + 0.5 * share[k], zorder=3 if best else 2,
            )  # fmt: skip
            picture.tip(line, self._words(k))
        behind = {"facecolor": PAPER, "edgecolor": "none", "pad": 0.6, "alpha": 0.85}
        for x, (_, marks) in enumerate(places):
            axes.axvline(x, color=INK, linewidth=0.8, zorder=1)
            for height, text in marks.items():
                axes.text(
                    x + 0.04, height, _cut(text, 14), fontsize=7, va="center", zorder=5, bbox=behind
                )
        axes.set_xticks(range(len(places)), [*(_cut(name) for name in names), "score"], rotation=40,
                        ha="right", fontsize=8)  # fmt: skip
        axes.set_yticks([])
        axes.set(ylim=(-0.12, 1.05), xlim=(-0.1, len(places) - 0.5))
        axes.spines["bottom"].set_visible(False)
        return picture

    @property
    def _lowest(self) -> float:
        return score_range(value for _, value in self.values)[0]

    def _words(self, k: int) -> str:
        row, value = self.values[k]
        chosen = ", ".join(f"{name} {compact(row.params[name])}" for name in row.params)
        return f"{self._fold_of(row)} config {row.number}: {signed(value, 4)}; {chosen}"


def _distribution(values: Sequence[Any]) -> BaseDistribution:
    """Return the range of the values of one hyperparameter, as far as it was tried."""
    if not _are_numbers(values):
        return CategoricalDistribution(list(dict.fromkeys(v for v in values if v is not None)))
    low, high = min(values), max(values)
    return FloatDistribution(low, high, log=_is_logarithmic(low, high))


def _are_numbers(values: Sequence[Any]) -> bool:
    return all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)


def _is_logarithmic(low: float, high: float) -> bool:
    return low > 0 and high / low >= LOGARITHMIC


def _scaled(values: Sequence[Any]) -> tuple[list[float], dict[float, str]]:
    """Put values between 0 and 1, -0.1 if there is none; return some heights with their text."""
    given = [v for v in values if v is not None]
    missing = {-0.1: "not used"} if len(given) < len(values) else {}
    if not _are_numbers(given):
        texts = sorted({compact(v) for v in given})
        heights = {t: k / max(len(texts) - 1, 1) for k, t in enumerate(texts)}
        at = [-0.1 if v is None else heights[compact(v)] for v in values]
        return at, missing | {height: text for text, height in heights.items()}
    low, high = min(given), max(given)
    scale = math.log if _is_logarithmic(low, high) else float
    span = scale(high) - scale(low) or 1.0
    at = [-0.1 if v is None else (scale(v) - scale(low)) / span for v in values]
    return at, missing | {0.0: compact(low), (scale(high) - scale(low)) / span: compact(high)}


def _cut(name: str, most: int = 26) -> str:
    return name if len(name) <= most else f"{name[: most - 1]}…"
