"""Read the files of a run folder; a missing part becomes a sentence, not an exception."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from gx2c.data.brain import FloatArray
from gx2c.data.layout import PEARSON
from gx2c.errors import UserError
from gx2c.metrics import HEADLINE
from gx2c.models.names import GEOGRAPHY, families_of
from gx2c.sealed import DamagedError
from sweeps.folder.paths import SweepPaths
from sweeps.folder.records import ConfigRecord, RecordStore
from sweeps.folder.regions import read_regions
from sweeps.folder.results import read_connectome, read_null_scores, read_result
from sweeps.folder.summary_file import Summary, read_summary
from sweeps.folder.summary_parts import FoldSummary
from sweeps.report.explained import Explained, read_explained
from sweeps.report.wording import fold_name

# Stands between the names of two networks; no name holds it
PAIR = "\0"
# An edge of a functional connectome, in words
PEARSON_R = "Pearson r"
EDGE_COLUMNS = ["fold", "a", "b", "measured", "predicted", "geography"]


@dataclass(frozen=True)
class FoldConnectomes:
    """The connectomes of one fold's test regions.

    Attributes
    ----------
    predicted, measured, geography
        (n_test_regions, n_test_regions), Pearson r; None where a file could not be used.
    problem
        Why the first two are not there, in a sentence; empty if they are.
    name
        The fold in words.
    """

    fold: int
    labels: tuple[str, ...] = ()
    predicted: FloatArray | None = None
    measured: FloatArray | None = None
    geography: FloatArray | None = None
    problem: str = ""
    name: str = ""

    def ordered(self, networks: Sequence[str]) -> "FoldConnectomes":
        """Return the same regions, those of each network together, in the order of names."""
        order = np.lexsort((np.arange(len(self.labels)), np.asarray(networks, dtype=str)))
        found = self.predicted, self.measured, self.geography
        predicted, measured, geography = (
            None if matrix is None else matrix[np.ix_(order, order)] for matrix in found
        )
        labels = tuple(self.labels[i] for i in order.tolist())
        return replace(
            self, labels=labels, predicted=predicted, measured=measured, geography=geography
        )


@dataclass(frozen=True, eq=False)
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
        Pearson r of each null, averaged over folds, by surrogate; empty likewise
        (`problems["nulls"]`).
    members
        Test r of each member of the model's ensembles, by fold; NaN of one that diverged.
    regions
        As `read_regions` returns them; None likewise (`problems["regions"]`).
    problems
        Missing parts, by name.
    measure
        Label of an edge's measure, such as Pearson r.
    explained
        Importance, attention, embeddings and knock-outs.
    """

    name: str
    summary: Summary
    connectomes: tuple[FoldConnectomes, ...] = ()
    trials: tuple[ConfigRecord, ...] = ()
    null_scores: Mapping[str, FloatArray] = field(default_factory=dict)
    members: Mapping[int, Sequence[float]] = field(default_factory=dict)
    regions: pd.DataFrame | None = None
    problems: Mapping[str, str] = field(default_factory=dict)
    measure: str = PEARSON_R
    explained: Explained = Explained()

    @property
    def seeds(self) -> list[int]:
        """The seeds of the splits."""
        return self.summary.seeds

    def of_seed(self, seed: int) -> "RunFiles":
        """Return the run with the folds, connectomes and trials of one seed alone."""
        if len(self.seeds) == 1:
            return self
        folds = [fold for fold in self.summary.folds if fold.seed == seed]
        numbers = {fold.fold for fold in folds}
        return replace(
            self,
            summary=self.summary.model_copy(update={"folds": folds}),
            connectomes=tuple(c for c in self.connectomes if c.fold in numbers),
            trials=tuple(trial for trial in self.trials if trial.fold in numbers),
        )

    @cached_property
    def edges(self) -> pd.DataFrame:
        """Every test edge with its fold, ends `a` and `b`, measured value and predictions.

        With regions, also `pair`, the names of both networks joined by `PAIR`.
        """
        tables = [_edges_of(c) for c in self.connectomes if not c.problem]
        table = pd.concat(tables) if tables else pd.DataFrame(columns=EDGE_COLUMNS)
        table = table.reset_index(drop=True)
        tested = {label for c in self.connectomes for label in c.labels}
        if self.regions is None or not tested <= set(self.regions.index):
            return table
        networks = (self.regions.loc[table[end], "network"] for end in ("a", "b"))
        return table.assign(pair=[PAIR.join(sorted(ends)) for ends in zip(*networks, strict=True)])

    def networks(self, labels: Sequence[str]) -> list[str]:
        """Return the networks of some regions; without the table of regions, no names."""
        if self.regions is None or not set(labels) <= set(self.regions.index):
            return [""] * len(labels)
        return list(self.regions.loc[list(labels), "network"])


def read_run(paths: SweepPaths) -> RunFiles:
    """Read a finished run folder; errors are those of `read_summary`."""
    summary = read_summary(paths).in_a_row()
    problems: dict[str, str] = {}
    return RunFiles(
        name=paths.root.resolve().name,
        summary=summary,
        connectomes=tuple(_read_connectomes(paths, summary, f) for f in summary.folds),
        trials=_read_trials(paths, summary, problems),
        null_scores=_read_null_scores(paths, summary, problems),
        members=_read_members(paths, summary),
        regions=_read_regions(paths, problems),
        problems=problems,
        measure=_measure(paths, summary),
        explained=read_explained(paths),
    )


def _measure(paths: SweepPaths, summary: Summary) -> str:
    """Return what the tables are named after."""
    table = paths.measured(summary.model, summary.folds[0].fold, summary.dataset)
    found = re.search(r"_meas-(.+)_relmat", table.name)
    return found[1] if found and found[1] not in ("*", PEARSON) else PEARSON_R


def _read_connectomes(paths: SweepPaths, summary: Summary, of: FoldSummary) -> FoldConnectomes:
    key = (summary.model, of.fold, summary.dataset)
    try:
        labels, predicted = read_connectome(_inside(paths, paths.predicted(*key)))
        measured_labels, measured = read_connectome(_inside(paths, paths.measured(*key)))
        rival = _read_rival(paths, summary, of, labels)
    except DamagedError:
        raise
    except UserError as error:
        return FoldConnectomes(of.fold, problem=f"{error}.", name=fold_name(of))
    if labels != measured_labels:
        problem = "the two connectomes name different regions."
        return FoldConnectomes(of.fold, problem=problem, name=fold_name(of))
    if of.blocks is not None and len(of.blocks) == len(labels):
        # edges within a block were predicted, but are not what is scored
        unscored = np.equal.outer(of.blocks, of.blocks)
        for matrix in (predicted, measured, *(() if rival is None else (rival,))):
            matrix[unscored] = np.nan
    return FoldConnectomes(of.fold, labels, predicted, measured, rival, name=fold_name(of))


def _read_rival(
    paths: SweepPaths, summary: Summary, of: FoldSummary, labels: tuple[str, ...]
) -> FloatArray | None:
    """Read geography's prediction, which reruns of single models do not have."""
    path = paths.predicted("geography", of.fold, summary.dataset)
    if summary.is_geography or not path.exists():
        return None
    names, values = read_connectome(_inside(paths, path))
    return values if names == labels else None


def _edges_of(c: FoldConnectomes) -> pd.DataFrame:
    assert c.measured is not None and c.predicted is not None
    rows, columns = np.triu_indices(len(c.labels), k=1)
    labels = np.asarray(c.labels, dtype=object)
    nothing = np.full_like(c.measured, np.nan)
    table = pd.DataFrame(
        {
            "fold": c.fold,
            "a": labels[rows],
            "b": labels[columns],
            "measured": c.measured[rows, columns],
            "predicted": c.predicted[rows, columns],
            "geography": (nothing if c.geography is None else c.geography)[rows, columns],
        }
    )
    return table.dropna(subset=["measured", "predicted"])


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


def _read_null_scores(
    paths: SweepPaths, summary: Summary, problems: dict[str, str]
) -> dict[str, FloatArray]:
    if summary.nulls is None:
        return {}
    # the first surrogate's nulls lie in the folder of the model, the others' below their names
    folders = {summary.nulls.method: summary.model}
    folders |= {kind: f"{kind}/{summary.model}" for kind in summary.more_nulls}
    found = {}
    for kind, folder in folders.items():
        try:
            _inside(paths, paths.null_scores(folder))
            table = read_null_scores(paths, folder)
            found[kind] = table[HEADLINE].to_numpy(dtype=np.float64)
        except DamagedError:
            raise
        except UserError as error:
            problems.setdefault("nulls", f"{error}.")
    return found


def _read_members(paths: SweepPaths, summary: Summary) -> dict[int, list[float]]:
    found = {}
    for fold in summary.folds:
        path = paths.retrained(summary.model, fold.fold)
        if path.resolve().is_relative_to(paths.root.resolve()) and path.exists():
            scores = read_result(paths, summary.model, fold.fold).member_scores
            found[fold.fold] = [
                math.nan if one is None else one.get(HEADLINE, math.nan) for one in scores
            ]
    return found


def _read_regions(paths: SweepPaths, problems: dict[str, str]) -> pd.DataFrame | None:
    try:
        return read_regions(paths)
    except DamagedError:
        raise
    except UserError as error:
        problems["regions"] = f"{error}."
        return None
