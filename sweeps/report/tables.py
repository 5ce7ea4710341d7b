"""Tables of the page."""

from gx2c.metrics import HEADLINE
from sweeps.folder.summary_file import Summary
from sweeps.folder.summary_parts import Average
from sweeps.report.facts import fold_scores, single_score
from sweeps.report.wording import (
    ABSENT,
    compact,
    counted,
    flat,
    kind_name,
    number,
    signed,
    words_of,
)

FOLD_COLUMNS = (
    "fold", "test r", "geography test r", "gain", "best config alone", "validation r", "weight",
    "epochs", "configs", "pruned", "failed", "training regions", "test regions",
)  # fmt: skip


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
                f"{row.fold} {fold.name}".strip(),
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


def detail_rows(s: Summary) -> list[list[str]]:
    """Return a row per kind of edges: the model, its SD, geography, and n folds."""
    own = s.details[s.model]
    rival = None if s.is_geography else s.details.get("geography")
    rows = []
    for score, mean in own.mean.items():
        other = Average() if rival is None else rival.mean.get(score, Average())
        reasons = [fold.reasons[score] for fold in own.folds if score in fold.reasons]
        why = f"undefined in {counted(len(reasons), 'fold')}: {reasons[0]}" if reasons else ""
        cells = [number(v) for v in (mean.mean, mean.sd, other.mean)]
        rows.append([f"{kind_name(score)}\t{why}", *cells, f"{mean.n}"])
    return rows


def across_rows(s: Summary) -> list[list[str]]:
    """Return a row per metric of edges between training and test regions, a column per model."""
    assert s.train_test is not None
    models = s.train_test.models
    return [
        [words_of(m).name, *(number(of.mean.get(m, Average()).mean) for of in models.values())]
        for m in next(iter(models.values())).mean
    ]


def config_rows(s: Summary) -> list[list[str]]:
    """Return a row per value of the chosen configs, those that differ among folds first."""
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
