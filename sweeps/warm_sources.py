"""Start searches from trials of earlier runs, and only from those that saw no test region."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gx2c.errors import UserError
from search_spaces import SEARCH_SPACES
from sweeps.fold_regions import regions_searched
from sweeps.options import SweepOptions
from sweeps.paths import SweepPaths
from sweeps.plan import SweepPlan
from sweeps.records import ConfigRecord, RecordStore
from sweeps.request import read_inputs, read_options
from sweeps.search.fold_study import can_be_told
from sweeps.warm_start import WarmStart, read_warm_start

# Options that leave the meaning of a trial's score alone, and those that are judged by content:
# regions by name, data and genes by what the run was started with
MAY_DIFFER = frozenset(
    "model dataset genes split folds inner_folds inner_repeats buffer_mm resolution "
    "train_test_edges samples grace_epochs nulls null_search null_method null_moves seed "
    "preset scheduler storage cpus_per_trial gpus_per_trial max_concurrent warm_start".split()
)


def warm_start_of(plan: SweepPlan, paths: SweepPaths) -> WarmStart:
    """Return what the sweep once accepted, else choose among the trials of the runs it names.

    A sweep that goes on never looks at those runs again: they may have changed since.

    Raises
    ------
    UserError
        If a run cannot be used, or none of its trials may be.
    """
    if not plan.options.warm_start:
        return WarmStart()
    if paths.warm_start.exists():
        return read_warm_start(paths.warm_start)
    sources = [_Source(Path(run), plan) for run in plan.options.warm_start]
    parts = [source.accepted() for source in sources]
    keys = [(model, fold) for model in plan.models for fold in range(len(plan.folds))]
    return WarmStart(
        trials={key: tuple(r for part in parts for r in part[key]) for key in keys},
        sources=tuple(s.describe(p) for s, p in zip(sources, parts, strict=True)),
    )


Accepted = dict[tuple[str, int], list[ConfigRecord]]


class _Source:
    """One earlier run, checked against the sweep that wants its trials."""

    def __init__(self, run: Path, plan: SweepPlan) -> None:
        self.paths, self.plan = SweepPaths(run), plan
        self.options = read_options(self.paths)
        self._check_data()
        self._check_meaning()
        self.seen = regions_searched(self.paths)
        store = RecordStore(self.paths)
        self.records = {
            (model, fold): list(store.load(model, fold).values())
            for model in plan.models
            for fold in range(len(self.seen))
        }

    def accepted(self) -> Accepted:
        """Return, by model and outer fold of the sweep, the trials that it may learn from.

        A trial may be told to an outer fold only if all regions that its search could see train
        there; the number of the fold in either run says nothing.
        """
        taken: Accepted = {
            (model, fold): [
                record
                for theirs in self._within(fold)
                for record in self.records[model, theirs]
                if self._can_be_told(record)
            ]
            for model in self.plan.models
            for fold in range(len(self.plan.folds))
        }
        if not any(taken[self.plan.options.model, f] for f in range(len(self.plan.folds))):
            raise UserError(self._why_none())
        return taken

    def describe(self, taken: Accepted) -> dict[str, Any]:
        """Say what was taken."""
        folds = range(len(self.plan.folds))
        return {
            "run": str(self.paths.root),
            "checksum": self.plan.brain.checksum,
            "split": self.options.split,
            "seed": self.options.seed,
            "from_folds": [list(self._within(fold)) for fold in folds],
            "trials": {m: [len(taken[m, fold]) for fold in folds] for m in self.plan.models},
        }

    def _within(self, fold: int) -> Iterator[int]:
        labels = self.plan.brain.labels
        allowed = {labels[i] for i in self.plan.folds[fold].train_regions}
        return (theirs for theirs, seen in enumerate(self.seen) if seen <= allowed)

    def _can_be_told(self, record: ConfigRecord) -> bool:
        space = SEARCH_SPACES[record.model]
        return can_be_told(record, space, self.plan.scale(), self.plan.genes)

    def _check_data(self) -> None:
        theirs, brain = read_inputs(self.paths), self.plan.brain
        if theirs.get("checksum") != brain.checksum:
            raise UserError(
                f"--warm-start {self.paths.root} is of other data ({self.options.dataset}, not "
                f"{self.plan.options.dataset} as it is now); trials of another dataset or "
                "parcellation, even of the same brains, have seen the regions that are tested here"
            )
        which = self.plan.genes.which
        if theirs.get("genes") != (which if isinstance(which, str) else list(which)):
            raise UserError(
                f"--warm-start {self.paths.root} used other genes ({self.options.genes}, not "
                f"{self.plan.options.genes} as it is now); its scores say nothing of these"
            )

    def _check_meaning(self) -> None:
        if differing := _differences(self.options, self.plan.options):
            raise UserError(
                f"--warm-start {self.paths.root} was searched with other options "
                f"({'; '.join(differing)}); its scores say nothing of this sweep"
            )

    def _why_none(self) -> str:
        model, root = self.plan.options.model, self.paths.root
        if not any(self.records[model, fold] for fold in range(len(self.seen))):
            return f"--warm-start {root} has no finished trial of {model}; leave it out"
        if not any(list(self._within(fold)) for fold in range(len(self.plan.folds))):
            return (
                f"--warm-start {root} would leak: the trials of each of its folds have trained or "
                "validated on regions that every outer fold here holds out; give a run of the "
                "same split, folds and seed"
            )
        return f"no trial of --warm-start {root} lies in today's search space of {model}"


def _differences(theirs: SweepOptions, ours: SweepOptions) -> list[str]:
    before, now = theirs.to_dict(), ours.to_dict()
    return [
        f"{name} was {before[name]!r} and is now {value!r}"
        for name, value in now.items()
        if name not in MAY_DIFFER and before[name] != value
    ]
