"""Read the files of a run folder; a missing part becomes a sentence, not an exception."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from gx2c.data.brain import FloatArray
from gx2c.errors import UserError
from gx2c.models.names import GEOGRAPHY, families_of
from gx2c.sealed import DamagedError
from sweeps.folder.paths import SweepPaths
from sweeps.folder.records import ConfigRecord, RecordStore
from sweeps.folder.results import read_connectome, read_null_scores
from sweeps.folder.summary_file import Summary, read_summary
from sweeps.folder.summary_parts import FoldSummary


@dataclass(frozen=True)
class FoldConnectomes:
    """Both connectomes of one fold's test regions.

    Attributes
    ----------
    predicted, measured
        (n_test_regions, n_test_regions), Pearson r; None where a file could not be used.
    problem
        Why not, in a sentence; empty if both are there.
    """

    fold: int
    labels: tuple[str, ...] = ()
    predicted: FloatArray | None = None
    measured: FloatArray | None = None
    problem: str = ""


@dataclass(frozen=True)
class RunFiles:
    """The contents of a run folder.

    Attributes
    ----------
    name
        Name of the run folder.
    trials
        Trials of all models and folds; if unreadable, empty, with a sentence in
        `problems["trials"]`.
    null_scores
        Pearson r of each null, averaged over folds; empty likewise (`problems["nulls"]`).
    problems
        Missing parts, by name.
    """

    name: str
    summary: Summary
    connectomes: tuple[FoldConnectomes, ...] = ()
    trials: tuple[ConfigRecord, ...] = ()
    null_scores: FloatArray = field(default_factory=lambda: np.empty(0))
    problems: Mapping[str, str] = field(default_factory=dict)


def read_run(paths: SweepPaths) -> RunFiles:
    """Read a finished run folder; errors are those of `read_summary`."""
    summary = read_summary(paths)
    problems: dict[str, str] = {}
    return RunFiles(
        name=paths.root.resolve().name,
        summary=summary,
        connectomes=tuple(_read_connectomes(paths, summary, f) for f in summary.folds),
        trials=_read_trials(paths, summary, problems),
        null_scores=_read_null_scores(paths, summary, problems),
        problems=problems,
    )


def _read_connectomes(paths: SweepPaths, summary: Summary, of: FoldSummary) -> FoldConnectomes:
    key = (summary.model, of.fold, summary.dataset)
    try:
        labels, predicted = read_connectome(_inside(paths, paths.predicted(*key)))
        measured_labels, measured = read_connectome(_inside(paths, paths.measured(*key)))
    except DamagedError:
        raise
    except UserError as error:
        return FoldConnectomes(of.fold, problem=f"{error}.")
    if labels != measured_labels:
        return FoldConnectomes(of.fold, problem="the two connectomes name different regions.")
    if of.blocks is not None and len(of.blocks) == len(labels):
        # edges within a block were predicted, but are not what is scored
        unscored = np.equal.outer(of.blocks, of.blocks)
        predicted[unscored] = measured[unscored] = np.nan
    return FoldConnectomes(of.fold, labels, predicted, measured)


def _inside(paths: SweepPaths, path: Path) -> Path:
    # Names come from summary.json: data, which must not reach files outside the run folder
    if not path.resolve().is_relative_to(paths.root.resolve()):
        raise UserError("the summary names a file outside the run folder")
    return path


def _read_trials(
    paths: SweepPaths, summary: Summary, problems: dict[str, str]
) -> tuple[ConfigRecord, ...]:
    store = RecordStore(paths)
    try:
        return tuple(
            record
            for model in dict.fromkeys((*families_of(summary.model), GEOGRAPHY))
            for fold in summary.folds
            if _inside(paths, paths.records_dir(model, fold.fold))
            for record in store.load(model, fold.fold).values()
        )
    except DamagedError:
        raise
    except UserError as error:
        problems["trials"] = f"{error}."
        return ()


def _read_null_scores(paths: SweepPaths, summary: Summary, problems: dict[str, str]) -> FloatArray:
    if summary.nulls is None:
        return np.empty(0)
    try:
        _inside(paths, paths.null_scores(summary.model))
        return read_null_scores(paths, summary.model)["pearson_r"].to_numpy(dtype=np.float64)
    except DamagedError:
        raise
    except UserError as error:
        problems["nulls"] = f"{error}."
        return np.empty(0)
