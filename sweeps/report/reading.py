"""Read the files of a run folder; what is missing becomes a sentence, never an exception."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gx2c.data.brain import FloatArray
from gx2c.data.tables import NOT_AVAILABLE
from gx2c.errors import UserError
from sweeps.paths import SweepPaths
from sweeps.report.summary import FoldSummary, Summary, parse_summary

TRIAL_COLUMNS = ("model", "fold", "number", "state", "score")


@dataclass(frozen=True)
class FoldConnectomes:
    """Both connectomes of one fold's test regions.

    Attributes
    ----------
    fold
        Number of the outer fold.
    labels
        Names of the test regions.
    predicted, measured
        (n_test_regions, n_test_regions), Pearson r; None where a file could not be used.
    problem
        Why, in a sentence; empty if both are there.
    """

    fold: int
    labels: tuple[str, ...] = ()
    predicted: FloatArray | None = None
    measured: FloatArray | None = None
    problem: str = ""


@dataclass(frozen=True)
class TrialRow:
    """One config of a search.

    Attributes
    ----------
    model, fold, number, state
        Whose search, which outer fold, in which order it was asked for, how it ended.
    score
        Larger is better; NaN where there is none.
    curve
        (passes, score) of every report.
    """

    model: str
    fold: int
    number: int
    state: str
    score: float
    curve: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True)
class RunFiles:
    """What the page is made from.

    Attributes
    ----------
    name
        Of the run folder.
    summary
        Checked.
    connectomes
        One entry a fold.
    trials
        Of all models and folds; empty with a sentence in `problems["trials"]`.
    null_scores
        Pearson r of each null, averaged over folds; empty likewise (`problems["nulls"]`).
    problems
        What is missing, by name.
    """

    name: str
    summary: Summary
    connectomes: tuple[FoldConnectomes, ...] = ()
    trials: tuple[TrialRow, ...] = ()
    null_scores: FloatArray = field(default_factory=lambda: np.empty(0))
    problems: Mapping[str, str] = field(default_factory=dict)


def read_run(paths: SweepPaths) -> RunFiles:
    """Read a finished run folder.

    Raises
    ------
    UserError
        If summary.json is missing or is not a summary.
    """
    summary = _read_summary(paths.summary)
    problems: dict[str, str] = {}
    return RunFiles(
        name=paths.root.resolve().name,
        summary=summary,
        connectomes=tuple(_read_connectomes(paths, summary, f) for f in summary.folds),
        trials=_read_trials(paths.trials, problems),
        null_scores=_read_null_scores(paths, summary, problems),
        problems=problems,
    )


def _read_summary(path: Path) -> Summary:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not text"
        raise UserError(
            f"{path} cannot be read ({reason}); give the folder of a finished sweep"
        ) from None
    return parse_summary(text, str(path))


def _read_connectomes(paths: SweepPaths, summary: Summary, of: FoldSummary) -> FoldConnectomes:
    fold = of.fold
    try:
        labels, predicted = _read_relmat(
            _inside(paths, paths.predicted(summary.model, fold, summary.dataset))
        )
        measured_labels, measured = _read_relmat(
            _inside(paths, paths.measured(summary.model, fold, summary.dataset))
        )
    except _Unusable as error:
        return FoldConnectomes(fold, problem=str(error))
    if labels != measured_labels:
        return FoldConnectomes(fold, problem="the two connectomes name different regions.")
    if of.blocks is not None and len(of.blocks) == len(labels):
        # edges within a block were predicted, but are not what is scored
        unscored = np.equal.outer(of.blocks, of.blocks)
        predicted[unscored] = measured[unscored] = np.nan
    return FoldConnectomes(fold, labels, predicted, measured)


class _Unusable(Exception):
    """A file that is missing or is not what its name says."""


def _inside(paths: SweepPaths, path: Path) -> Path:
    # Names come from summary.json: data, which must not reach files outside the run folder
    if not path.resolve().is_relative_to(paths.root.resolve()):
        raise _Unusable("the summary names a file outside the run folder.")
    return path


def _read_relmat(path: Path) -> tuple[tuple[str, ...], FloatArray]:
    """Read a square table, its labels on top and, where there, in the first column too."""
    try:
        header, *rows = [line.split("\t") for line in path.read_text("utf-8").splitlines()]
        labels = tuple(header[-len(rows) :])
        cells = [["nan" if c in NOT_AVAILABLE else c for c in row[-len(rows) :]] for row in rows]
        values = np.array(cells, dtype=np.float64)
    except (OSError, ValueError):
        raise _Unusable(f"{path.name} is missing or is not a table of numbers.") from None
    if len(rows) < 2 or values.shape != (len(rows), len(rows)) or len(labels) != len(rows):
        raise _Unusable(f"{path.name} is not a square table of at least 2 regions.")
    return labels, values


def _read_trials(path: Path, problems: dict[str, str]) -> tuple[TrialRow, ...]:
    try:
        table = pd.read_parquet(path)
        missing = [name for name in TRIAL_COLUMNS if name not in table]
        if not missing:
            rows: list[dict[Any, Any]] = table.to_dict("records")
            return tuple(_trial_row(row) for row in rows)
        problems["trials"] = f"{path.name} lacks {', '.join(missing)}."
    except (OSError, ValueError, TypeError):
        problems["trials"] = f"{path.name} is missing or cannot be read."
    return ()


def _trial_row(row: Mapping[Any, Any]) -> TrialRow:
    score = pd.to_numeric(row["score"], errors="coerce")
    return TrialRow(
        model=str(row["model"]),
        fold=int(row["fold"]),
        number=int(row["number"]),
        state=str(row["state"]).upper(),
        score=float("nan") if score is None else float(score),
        curve=_curve(row.get("curve")),
    )


def _curve(text: object) -> tuple[tuple[float, float], ...]:
    try:
        points = json.loads(text) if isinstance(text, str) else []
        return tuple((float(p["passes"]), float(p["score"])) for p in points)
    except (ValueError, TypeError, KeyError):
        return ()


def _read_null_scores(paths: SweepPaths, summary: Summary, problems: dict[str, str]) -> FloatArray:
    if summary.nulls is None:
        return np.empty(0)
    path = paths.null_scores(summary.nulls.model or summary.model)
    try:
        table = pd.read_csv(_inside(paths, path), sep="\t")
        return np.asarray(table["pearson_r"], dtype=np.float64)
    except (OSError, ValueError, KeyError, _Unusable):
        problems["nulls"] = f"{path.name} of the nulls is missing or cannot be read."
        return np.empty(0)
