"""Start searches from trials of earlier runs that saw no test region."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from gx2c.errors import UserError
from sweeps.folder.paths import SweepPaths
from sweeps.folder.records import ConfigRecord, RecordStore, read_json
from sweeps.request.files import differences, read_accepted, read_folds, read_options
from sweeps.request.option import Affects
from sweeps.request.plan import SweepPlan, WarmStart
from sweeps.request.starting import starts_of
from sweeps.search.fold_study import can_be_told

# Regions are compared by name, data and genes by content, so their options need not agree
MAY_DIFFER = set(Affects) - {Affects.SCORE}


def warm_start_of(plan: SweepPlan, paths: SweepPaths) -> WarmStart:
    """Return the trials that the sweep accepted at its start, or choose them from earlier runs.

    A resumed sweep never reads those runs again, because they may have changed. A run without an
    eligible trial is refused.
    """
    if not plan.options.warm_start:
        return WarmStart()
    if paths.warm_start.exists():
        return read_accepted(paths)
    sources = [_Source(Path(run), plan) for run in plan.options.warm_start]
    parts = [source.accepted() for source in sources]
    keys = [(model, fold) for model in plan.models for fold in range(len(plan.folds))]
    return WarmStart(
        trials={key: tuple(r for part in parts for r in part[key]) for key in keys},
        sources=tuple(s.describe(p) for s, p in zip(sources, parts, strict=True)),
    )


Accepted = dict[tuple[str, int], list[ConfigRecord]]


class _Source:
    def __init__(self, run: Path, plan: SweepPlan) -> None:
        self.paths, self.plan = SweepPaths(run), plan
        self.options = read_options(self.paths)
        inputs = read_json(self.paths.inputs)
        self._check(inputs)
        self.starts = inputs.get("init_from", [])
        self.seen = [_regions_seen(fold) for fold in read_folds(self.paths)]
        store = RecordStore(self.paths)
        self.records = {
            (model, fold): list(store.load(model, fold).values())
            for model in plan.models
            for fold in range(len(self.seen))
        }

    def accepted(self) -> Accepted:
        """Return the eligible trials by model and outer fold of the sweep.

        A trial is eligible for an outer fold only if all regions that its search could see are
        training regions there, and its networks start from the same saved model, if any, which may
        have seen further ones; the numbers of the folds are irrelevant.
        """
        taken: Accepted = {
            (model, fold): [
                record
                for theirs in self._within(fold)
                for record in self.records[model, theirs]
                if can_be_told(
                    record, self.plan.space(model, fold), self.plan.scale(fold), self.plan.genes
                )
            ]
            for model in self.plan.models
            for fold in range(len(self.plan.folds))
        }
        if not any(taken[self.plan.options.model, f] for f in range(len(self.plan.folds))):
            raise UserError(self._why_none())
        return taken

    def describe(self, taken: Accepted) -> dict[str, Any]:
        """Describe the accepted trials."""
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
        labels, split = self.plan.brain.labels, self.plan.folds[fold]
        allowed = {labels[i] for i in split.train_regions}
        start = [one.digest for one in starts_of([split])]
        return (
            theirs
            for theirs, seen in enumerate(self.seen)
            if seen <= allowed and self.starts[theirs : theirs + 1] == start
        )

    def _check(self, theirs: Mapping[str, Any]) -> None:
        brain = self.plan.brain
        if theirs.get("checksum") != brain.checksum:
            raise UserError(
                f"--warm-start {self.paths.root} has different data ({self.options.dataset}, not "
                f"the current {self.plan.options.dataset}); trials of another dataset or "
                "parcellation, even of the same brains, have seen regions that are tested here"
            )
        which = self.plan.genes.which
        if theirs.get("genes") != (which if isinstance(which, str) else list(which)):
            raise UserError(
                f"--warm-start {self.paths.root} used different genes ({self.options.genes}, not "
                f"the current {self.plan.options.genes}); its scores do not apply to these"
            )
        ours = {start.digest for start in starts_of(self.plan.folds)}
        if set(theirs.get("init_from", [])) != ours:
            raise UserError(
                f"--warm-start {self.paths.root} trained networks from another start (--init-from "
                f"{self.options.init_from or 'not given'}); its scores do not apply to these"
            )
        if differing := differences(self.options, self.plan.options, MAY_DIFFER):
            raise UserError(
                f"--warm-start {self.paths.root} was searched with different options "
                f"({'; '.join(differing)}); its scores do not apply to this sweep"
            )

    def _why_none(self) -> str:
        model, root = self.plan.options.model, self.paths.root
        if not any(self.records[model, fold] for fold in range(len(self.seen))):
            return f"--warm-start {root} has no finished trial of {model}; omit it"
        if not any(list(self._within(fold)) for fold in range(len(self.plan.folds))):
            return (
                f"--warm-start {root} would leak: for every outer fold here, the trials of each of "
                "its folds have trained or validated on held-out regions; give a run of the same "
                "split, folds and seed"
            )
        return f"no trial of --warm-start {root} lies in the current search space of {model}"


def _regions_seen(fold: Mapping[str, Any]) -> frozenset[str]:
    """Return every region that the search of an outer fold could have seen."""
    inner = [names for f in fold["inner"] for names in (f["train"], f["validation"])]
    return frozenset(fold["train"]).union(*inner)
