"""The tables of the page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sweeps.report.headline import gain_over_geography
from sweeps.report.markup import Markup, join, node
from sweeps.report.scores import METRIC, fold_scores
from sweeps.report.summary import Average, FoldSummary, Summary
from sweeps.report.wording import ABSENT, compact, number, signed, words_of


def table(
    head: Sequence[str], rows: Iterable[Sequence[str]], *, label: str, last: Sequence[str] = ()
) -> Markup:
    """Return a table that scrolls on its own where the screen is narrow.

    Parameters
    ----------
    head
        Names of the columns.
    rows
        Cells, the first of each being the row's name.
    label
        What the table shows, for those who hear it.
    last
        A row of means, set apart.
    """
    foot = node("tfoot", _row(last)) if last else Markup()
    names = join(node("th", name, scope="col") for name in head)
    body = join(_row(row) for row in rows)
    inner = node("table", node("thead", node("tr", names)), node("tbody", body), foot)
    return node("div", inner, class_="scroll", role="region", aria_label=label, tabindex="0")


def fold_table(summary: Summary) -> Markup:
    """List every outer fold: its regions, search, scores, and geography on the same fold."""
    head = (
        "fold", "test r", "geography test r", "gain", "validation r", "passes",
        "configs", "pruned", "failed", "training regions", "test regions",
    )  # fmt: skip
    rows = [
        [
            f"{row.fold} {fold.name}".strip(),
            node("b", number(row.test)),
            number(row.geography),
            signed(row.gain),
            number(row.validation),
            _whole(fold.passes),
            *_counts(fold),
            *_sizes(fold),
        ]
        for fold, row in zip(summary.folds, fold_scores(summary), strict=True)
    ]
    mean = summary.test.get(METRIC, Average()).mean
    beside = {} if summary.geography is None else summary.geography.test
    geography = beside.get(METRIC, Average()).mean
    gain = gain_over_geography(summary).mean
    last = ["mean", number(mean), number(geography), signed(gain), *[""] * 7]
    return table(head, rows, label="Scores of every outer fold", last=last)


def metric_table(summary: Summary) -> Markup:
    """List every metric, averaged over folds."""
    rows = []
    for metric, average in summary.test.items():
        words, gain = words_of(metric), gain_over_geography(summary, metric)
        geography = (
            Average()
            if summary.geography is None
            else summary.geography.test.get(metric, Average())
        )
        name = join([words.name, node("small", f" {words.better}")])
        d = words.digits
        rows.append(
            [
                name,
                node("b", number(average.mean, d)),
                number(average.sd, d),
                number(geography.mean, d),
                number(geography.sd, d),
                signed(gain.mean, d),
                number(gain.se, d),
            ]
        )
    head = ("metric", summary.model, "SD", "geography", "SD", "gain", "SE")
    return table(head, rows, label="All metrics, averaged over folds")


def one_fold_table(summary: Summary, fold: int) -> Markup:
    """List every metric of one outer fold: inside, outside, and geography outside."""
    own = next(f for f in summary.folds if f.fold == fold)
    beside = [] if summary.geography is None else summary.geography.folds
    geography = next((f.test for f in beside if f.fold == fold), {})
    rows = []
    for metric, value in own.test.items():
        name, digits, _ = words_of(metric)
        inside, outside = own.validation.get(metric), geography.get(metric)
        rows.append(
            [
                name,
                number(inside, digits),
                node("b", number(value, digits)),
                number(outside, digits),
            ]
        )
    head = ("metric", "validation", "test", "geography, test")
    return table(head, rows, label=f"Scores of fold {fold}")


def config_table(summary: Summary) -> Markup:
    """List what each fold's choice reads and its values, those that differ among folds first."""
    configs = [_flat(fold.best_config) for fold in summary.folds]
    names = list(dict.fromkeys(name for config in configs for name in config))
    values = {
        name: [compact(config[name]) if name in config else "–" for config in configs]
        for name in names
    }
    differ = [name for name in names if len(set(values[name])) > 1]
    same = [name for name in names if name not in differ]
    read = [", ".join(fold.uses) for fold in summary.folds]
    rows = [["reads", *read]] if any(read) else []
    rows += [[_dotted(name), *values[name]] for name in differ]
    rows += [[_dotted(name), *[node("i", v) for v in values[name]]] for name in same]
    head = ("value", *[f"fold {fold.fold}" for fold in summary.folds])
    return table(head, rows, label="Chosen config of every outer fold")


def facts(entries: Mapping[str, Any]) -> Markup:
    """List names and values, nested names joined by dots."""
    pairs = [
        join([node("dt", name), node("dd", compact(value))])
        for name, value in _flat(entries).items()
    ]
    return node("dl", *pairs, class_="facts")


def _row(cells: Sequence[str]) -> Markup:
    first, *others = cells
    return node("tr", node("th", first, scope="row"), *[node("td", cell) for cell in others])


def _dotted(name: str) -> Markup:
    group, _, last = name.rpartition(".")
    return join([node("code", last), node("small", f" {group}")])


def _sizes(fold: FoldSummary) -> list[str]:
    return [_whole(fold.n_train_regions), _whole(fold.n_test_regions)]


def _counts(fold: FoldSummary) -> list[str]:
    if fold.trials is None:
        return [ABSENT] * 3
    return [f"{n:,}" for n in (fold.trials.total, fold.trials.pruned, fold.trials.failed)]


def _whole(value: float | None) -> str:
    return ABSENT if value is None else f"{value:g}"


def _flat(entries: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Join nested names with dots; lists stay whole."""
    flat: dict[str, Any] = {}
    for name, value in entries.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{before}{name}.")
        else:
            flat[f"{before}{name}"] = value
    return flat
