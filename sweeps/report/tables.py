"""Tables of the page."""

import pandas as pd

from gx2c.explain.edges import ALL
from gx2c.explain.importance import NOT_TESTED
from gx2c.metrics import HEADLINE
from sweeps.folder.summary_file import Summary
from sweeps.folder.summary_parts import Average, Averages
from sweeps.report.scores import NO_KINDS, fold_scores, kind_gains, single_score
from sweeps.report.wording import (
    ABSENT,
    compact,
    counted,
    flat,
    fold_name,
    kind_name,
    number,
    signed,
    words_of,
)

# Of a ranking of genes
MOST_UNITS = 12
ALPHA = 0.05
FOLD_COLUMNS = (
    "fold", "test r", "geography test r", "gain", "best config alone", "validation r", "weight",
    "epochs", "configs", "pruned", "failed", "training regions", "test regions",
)  # fmt: skip


class Bold(str):
    """A cell that is printed bold."""


def fold_table(s: Summary) -> tuple[list[str], list[list[str]]]:
    """Return the columns that a run has, and a row per fold, the mean last."""
    rows = _fold_rows(s)
    given = [any(row[i] not in ("", ABSENT) for row in rows) for i in range(len(FOLD_COLUMNS))]
    head, *kept = (
        [cell for cell, g in zip(r, given, strict=True) if g] for r in (FOLD_COLUMNS, *rows)
    )
    return head, kept


def _fold_rows(s: Summary) -> list[list[str]]:
    rows = []
    for fold, row in zip(s.folds, fold_scores(s), strict=True):
        t = fold.trials
        counts = [None] * 3 if t is None else [t.total, t.pruned, t.failed]
        sizes = (fold.n_train_regions, fold.n_test_regions)
        rows.append(
            [
                row.name.removeprefix("fold "),
                number(row.test),
                number(row.geography),
                signed(row.gain),
                number(fold.single.get(HEADLINE)),
                number(row.validation),
                number(fold.weight, 2),
                *(_whole(n) for n in (fold.epochs, *counts, *sizes)),
            ]
        )
    means = (s.score(HEADLINE).mean, s.rival(HEADLINE).mean)
    gain, alone = signed(s.gain(HEADLINE).mean), number(single_score(s))
    return [*rows, ["mean", *map(number, means), gain, alone, *[""] * 8]]


def family_rows(s: Summary) -> list[list[str]]:
    """Return a row per model that `best` averages: its test score, SD, and mean weight."""
    return [
        [name, number(of[HEADLINE].mean), number(of[HEADLINE].sd), number(s.weight_of(name), 2)]
        for name, of in s.families.items()
    ]


def metric_rows(s: Summary) -> list[list[str]]:
    """Return a row per metric, averaged over folds."""
    rows = []
    for metric, mean in s.test.items():
        words, gain, rival = words_of(metric), s.gain(metric), s.rival(metric)
        cells = [number(v, words.digits) for v in (mean.mean, mean.sd, rival.mean, rival.sd)]
        gains = [signed(gain.mean, words.digits), number(gain.se, words.digits)]
        rows.append([f"{words.name}\t{words.better}", *cells, *gains])
    return rows


def one_fold_rows(s: Summary, fold: int) -> list[list[str]]:
    """Return a row per metric of one outer fold: validation, test, and test of geography."""
    own = next(f for f in s.folds if f.fold == fold)
    rival = next((f.test for f in s.rival_folds if f.fold == fold), {})
    rows = []
    for metric, value in own.test.items():
        name, digits, _ = words_of(metric)
        cells = (own.validation.get(metric), value, rival.get(metric))
        rows.append([name, *(number(cell, digits) for cell in cells)])
    return rows


def kind_rows(s: Summary) -> list[list[str]]:
    """Return a row per kind of edges: the model, its SD, geography, gain, its SE, and n folds.

    A gain that is larger than its noise is bold.
    """
    own, rival = s.details[s.model], _rival_details(s)
    gains = {row.score: row for row in kind_gains(s)}
    rows = []
    for score, mean in own.mean.items():
        if score in NO_KINDS or not score.endswith("_r"):
            continue
        cells = [number(v) for v in (mean.mean, mean.sd, rival.get(score, Average()).mean)]
        if found := gains.get(score):
            gain = signed(found.gain.mean)
            cells += [Bold(gain) if found.clear else gain, number(found.gain.se)]
        else:
            cells += [ABSENT, ABSENT]
        rows.append([_name_of(s, score), *cells, f"{mean.n}"])
    return rows


def other_rows(s: Summary) -> list[list[str]]:
    """Return a row per detailed score that is no correlation within a kind of edges."""
    rival = _rival_details(s)
    return [
        [
            _name_of(s, score),
            *(number(v) for v in (mean.mean, mean.sd, rival.get(score, Average()).mean)),
            f"{mean.n}",
        ]
        for score, mean in s.details[s.model].mean.items()
        if score in NO_KINDS or not score.endswith("_r")
    ]


def _rival_details(s: Summary) -> Averages:
    found = None if s.is_geography else s.details.get("geography")
    return {} if found is None else found.mean


def _name_of(s: Summary, score: str) -> str:
    folds = s.details[s.model].folds
    reasons = [fold.reasons[score] for fold in folds if score in fold.reasons]
    why = f"undefined in {counted(len(reasons), 'fold')}: {reasons[0]}" if reasons else ""
    return f"{kind_name(score)}\t{why}"


def ranking_table(ranking: pd.DataFrame) -> tuple[list[str], list[list[str]]]:
    """Return the columns and the first rows of a ranking over all edges; see `Importance.tables`.

    Without nulls, every row says so.
    """
    top = ranking[ranking["group"] == ALL].head(MOST_UNITS)
    tested = NOT_TESTED not in set(top["p"])
    rows = []
    for row in top.to_dict("records"):
        cells = [row["unit"], f"{row['n_genes']:,}", signed(row["importance"], 4)]
        if tested:
            null = f"{signed(row['null_mean'], 4)} ({number(row['null_sd'], 4)})"
            joint = number(row["p_max_t"])
            joint = Bold(joint) if row["p_max_t"] <= ALPHA else joint
            cells += [null, number(row["p"]), joint, number(row["q"])]
        rows.append(cells if tested else [*cells, NOT_TESTED])
    tests = ["nulls: mean (SD)", "p", "p (max-T)", "q (FDR)"] if tested else ["p"]
    return ["unit", "genes", "importance", *tests], rows


def across_rows(s: Summary) -> list[list[str]]:
    """Return a row per metric of edges between training and test regions, a column per model."""
    assert s.train_test is not None
    models = s.train_test.models
    return [
        [words_of(m).name, *(number(of.mean.get(m, Average()).mean) for of in models.values())]
        for m in next(iter(models.values())).mean
    ]


def config_tables(s: Summary, width: int) -> list[tuple[list[str], list[list[str]]]]:
    """Return names of folds, and a row per value of their chosen configs, at most `width` a table.

    Values that differ among folds come first.
    """
    rows = _config_rows(s)
    names = [fold_name(fold) for fold in s.folds]
    return [
        (names[k : k + width], [[row[0], *row[1 + k : 1 + k + width]] for row in rows])
        for k in range(0, len(names), width)
    ]


def _config_rows(s: Summary) -> list[list[str]]:
    configs = [flat(fold.best_config or {"weight": fold.weights}) for fold in s.folds]
    names = list(dict.fromkeys(name for config in configs for name in config))
    rows = []
    for name in names:
        group, _, last = name.rpartition(".")
        cells = [compact(config[name]) if name in config else "–" for config in configs]
        rows.append([f"{last}\t{group}", *cells])
    read = [", ".join(fold.uses) for fold in s.folds]
    rows.sort(key=lambda row: len(set(row[1:])) == 1)
    return [["reads", *read], *rows] if any(read) else rows


def _whole(value: float | None) -> str:
    return ABSENT if value is None else f"{value:,g}"
