"""The nulls of one searched split: divided into groups, run, saved, and averaged over folds.

Each null is a full retraining, on the same folds, of a surrogate brain. A sweep and
`gx2c nulls evaluate` both use `SplitNulls`.
"""

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd

from gx2c.data import Brain
from gx2c.fit import FitConfig
from gx2c.metrics import METRICS, score_edges
from gx2c.models.names import BEST, GEOGRAPHY, spec_of
from gx2c.nulls import SURROGATES
from gx2c.splits import Fold
from sweeps.folder.paths import SweepPaths
from sweeps.folder.records import Records, read_as, write_json
from sweeps.folder.results import NullGroup, write_null_scores
from sweeps.nulls.group import UNSELECTED, NullJob, Scores
from sweeps.phases.retrain_job import RetrainJob
from sweeps.request.options import SweepOptions
from sweeps.request.plan import SweepPlan
from sweeps.request.table import GENES
from sweeps.search.seeds import retrain_seed
from trainables.work import TrialContext

# Nulls 16 g ... 16 g + 15 train side by side: groups depend on the index only
NULLS_PER_GROUP = 16

# (context, jobs) -> each job with its scores and seconds, in order of completion
Runner = Callable[
    [TrialContext, Sequence[NullJob]], Iterator[tuple[NullJob, tuple[list[Scores | None], float]]]
]


@dataclass(frozen=True)
class SplitNulls:
    """All groups of nulls of one searched split, and their folder.

    Attributes
    ----------
    plan
        Brain, folds and options, including those of the nulls, of a single surrogate.
    paths
        Folder of their scores.
    jobs
        Group by group, over all models and folds.
    prefix
        Start of the folder names below the nulls: empty, or the surrogate and a slash.
    """

    plan: SweepPlan
    paths: SweepPaths
    jobs: Sequence[NullJob]
    prefix: str = ""

    @classmethod
    def of(
        cls,
        plan: SweepPlan,
        paths: SweepPaths,
        retrained: Sequence[RetrainJob],
        records: Records,
        *,
        kind: str = "",
        weights: Sequence[Mapping[str, float]] = (),
    ) -> Self:
        """Divide the nulls of some retrained models into groups.

        Geography among them only counts if coordinates or the connectome move; `records` holds the
        configs tried, and `kind` is one of the plan's surrogates, its first by default. The others
        have folders of their names. `weights` are those of the models that `best` averages, by
        outer fold.
        """
        first_kind = plan.null_kinds.names[0]
        plan = plan.of_null_kind(kind or first_kind)
        options, prefix = plan.options, "" if kind in ("", first_kind) else f"{kind}/"
        jobs = [
            null
            for first in range(0, options.nulls, NULLS_PER_GROUP)
            for name, of_set in _sets(options).items()
            for null in _null_jobs(
                of_set, plan.folds, retrained, first, records, prefix + name, weights
            )
        ]
        return cls(plan, paths, jobs, prefix)

    @property
    def n_groups(self) -> int:
        """Number of groups of each model and fold."""
        return 1 + max(null.group for null in self.jobs)

    def path(self, null: NullJob) -> Path:
        """Return the file of a group's scores."""
        return self.paths.null_group(null.folder, null.job.fold, null.group)

    def _found(self, null: NullJob) -> NullGroup:
        """Return those of a group's nulls that are finished; the last group may grow."""
        path = self.path(null)
        return (
            read_as(NullGroup, path)
            if path.exists()
            else NullGroup(seeds=[], scores=[], seconds=0.0)
        )

    def finish(
        self,
        run: Runner,
        *,
        groups: Collection[int] | None = None,
        saved: Callable[[Path], None] = lambda path: None,
    ) -> None:
        """Run what is unfinished of all groups, or of some, and save each result.

        `saved` is called with the path of every file that has become complete.
        """
        wanted = {
            self.path(null): null for null in self.jobs if groups is None or null.group in groups
        }
        todo = [
            part
            for null in wanted.values()
            for part in null.parts
            if not set(part.seeds) <= set(self._found(null).seeds)
        ]
        for part, (scores, seconds) in run(self.plan.context(), todo):
            path = self.path(part)
            if self._save(wanted[path], part, scores, seconds):
                saved(path)

    def _save(
        self, whole: NullJob, part: NullJob, scores: Sequence[Scores | None], seconds: float
    ) -> bool:
        """Add nulls to the file of their group; return whether it is complete."""
        before = self._found(whole)
        by_seed = dict(zip(before.seeds, before.scores, strict=True))
        by_seed |= dict(zip(part.seeds, scores, strict=True))
        seeds = [seed for seed in whole.seeds if seed in by_seed]
        # a group that runs as one replaces the nulls of a shorter one, and their time
        earlier = 0.0 if part.seeds == seeds else before.seconds
        content = {
            "seeds": seeds,
            "scores": [by_seed[seed] for seed in seeds],
            "seconds": earlier + seconds,
        }
        write_json(self.path(whole), content)
        return seeds == whole.seeds

    def tables(self, *, n_groups: int | None = None) -> dict[str, pd.DataFrame]:
        """Average each null of the first groups, or of all, over folds and write a table per model.

        A null without scores on a fold gets those of the mean training edge, predicted everywhere;
        an undefined correlation (constant prediction) counts as 0. Omitting the fold would compare
        that null on other regions than the rest.

        Returns
        -------
        dict of DataFrame
            By model, or `UNSELECTED` and model: one row per null, one column per metric, and in
            "failed_folds" the number of folds without scores.
        """
        rows: dict[str, list[dict[str, float]]] = {}
        for null in (n for n in self.jobs if n_groups is None or n.group < n_groups):
            without = constant_scores(self.plan.brain, self.plan.folds[null.job.fold])
            found = self._found(null).scores[: len(null.numbers)]
            rows.setdefault(null.folder, []).extend(
                {
                    "null": number,
                    **{metric: _value(scores or without, metric) for metric in METRICS},
                    "failed_folds": int(scores is None),
                }
                for number, scores in zip(null.numbers, found, strict=True)
            )
        how = dict.fromkeys(METRICS, "mean") | {"failed_folds": "sum"}
        tables = {
            folder: pd.DataFrame(of_model).groupby("null").agg(how).sort_index()
            for folder, of_model in rows.items()
        }
        for folder, table in tables.items():
            write_null_scores(self.paths, folder, table)
        return {folder.removeprefix(self.prefix): table for folder, table in tables.items()}


def count_nulls(
    options: SweepOptions, models: Sequence[str], wanted: Mapping[str, int]
) -> tuple[int, int]:
    """Count the nulls of some models on one outer fold, and their groups.

    `wanted` holds the number of nulls by surrogate.
    """
    n_models = sum(_moves(options, model) for model in models)
    sets = {kind: n_models * len(_sets(replace(options, null_method=kind))) for kind in wanted}
    return (
        sum(sets[kind] * n for kind, n in wanted.items()),
        sum(sets[kind] * -(-n // NULLS_PER_GROUP) for kind, n in wanted.items()),
    )


def constant_scores(brain: Brain, fold: Fold) -> Scores:
    """Score the mean of the training edges, predicted for every test edge."""
    training = brain.connectome_block(fold.train_regions)
    measured = brain.connectome_block(fold.test_regions)
    mean = training[np.triu_indices(len(training), 1)].mean()
    return score_edges(np.full_like(measured, mean), measured, edges=fold.scored_edges())


def _sets(options: SweepOptions) -> dict[str, SweepOptions]:
    """Return the folder prefix and the options of each set of nulls."""
    sets = {"": options}
    # p against selected spins is descriptive: as many unselected ones are compared with them
    if unselected := SURROGATES[options.null_method].selected_from:
        sets[UNSELECTED] = replace(options, null_method=unselected)
    return sets


def _moves(options: SweepOptions, model: str) -> bool:
    # when only genes move, the nulls of a model of coordinates would all equal its own score
    return model != GEOGRAPHY or options.null_moves != GENES


def _null_jobs(
    options: SweepOptions,
    folds: Sequence[Fold],
    jobs: Sequence[RetrainJob],
    first: int,
    records: Records,
    name: str,
    weights: Sequence[Mapping[str, float]],
) -> Iterator[NullJob]:
    """Yield one group of nulls of every model and fold."""

    def of(job: RetrainJob) -> NullJob:
        candidates = _candidates(options, job, records)
        return _null_job(options, folds[job.fold], job, first, candidates, name)

    alone = [job for job in jobs if not weights or job.model == GEOGRAPHY]
    yield from (of(job) for job in alone if _moves(options, job.model))
    for place, (fold, shares) in enumerate(zip(folds, weights, strict=bool(weights))):
        families = [of(j) for j in jobs if j.fold == place and shares.get(j.model)]
        whole = families[0]
        yield replace(
            whole,
            seeds=[retrain_seed(fold.seed, BEST, fold.number, k + 1) for k in whole.numbers],
            candidates=[],
            folder=name + BEST,
            families=tuple(families),
            weights=tuple(shares[one.job.model] for one in families),
        )


def repeats_search(options: SweepOptions, model: str) -> bool:
    """Return whether each null chooses again from the configs of a model's search.

    Closed forms cost so little that those which `best` averages always do.
    """
    beside = options.model == BEST and not spec_of(model).trains_in_epochs
    return beside or options.null_search == "full"


def _candidates(options: SweepOptions, job: RetrainJob, records: Records) -> list[FitConfig]:
    if not repeats_search(options, job.model):
        return []
    return [FitConfig.from_dict(r.config) for r in records[job.model, job.fold]]


def _null_job(
    options: SweepOptions,
    fold: Fold,
    job: RetrainJob,
    first: int,
    candidates: list[FitConfig],
    name: str,
) -> NullJob:
    numbers = list(range(first, min(first + NULLS_PER_GROUP, options.nulls)))
    return NullJob(
        job=job,
        group=first // NULLS_PER_GROUP,
        numbers=numbers,
        seeds=[retrain_seed(fold.seed, job.model, fold.number, k + 1) for k in numbers],
        candidates=candidates,
        method=options.null_method,
        moves=options.null_moves,
        seed=options.seed,
        folder=name + job.model,
    )


def _value(scores: Mapping[str, float | None], metric: str) -> float:
    value = scores[metric]
    return 0.0 if value is None or math.isnan(value) else value
