"""The control and the nulls of a sweep, as far as they can still change its verdict."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from gx2c.models.names import BEST, families_of, split_name
from gx2c.verdict import LADDER, Evidence, failed_before
from sweeps.folder.paths import SweepPaths
from sweeps.folder.records import Records, write_json
from sweeps.nulls.group import NullJob, run_null_group
from sweeps.nulls.jobs import NULLS_PER_GROUP, SplitNulls
from sweeps.phases.combine import combine, open_weights, read_weights, weigh
from sweeps.phases.control import (
    alone_jobs,
    alone_paths,
    control_jobs,
    control_paths,
    on_coordinates,
)
from sweeps.phases.retrain import (
    DivergedError,
    finished_jobs,
    open_jobs,
    retrain_one,
    save_retrained,
)
from sweeps.phases.retrain_job import RetrainJob
from sweeps.request.plan import SweepPlan
from sweeps.run.evidence import Tables, evidence_of, null_test, null_tests, with_control
from trainables.work import TrialContext

# (phase, unit of its progress, function, plan, jobs, unfinished jobs) -> each job with its result
Each = Callable[..., Iterator[tuple[Any, Any]]]


@dataclass
class Ladder:
    """Retrains models, then what the verdict needs: a control, and nulls of several surrogates.

    Attributes
    ----------
    plan, paths
        The sweep.
    each
        Runs jobs and shows their progress.
    push
        Called with the files of finished work.
    notes
        Notes for the summary, to which others are added.
    """

    plan: SweepPlan
    paths: SweepPaths
    each: Each
    push: Callable[..., None]
    notes: list[str]
    n_nulls: dict[str, int] = field(default_factory=dict)

    def retrain(self, jobs: Sequence[RetrainJob]) -> Evidence:
        """Retrain the models, the model without geography, and the control of a gain, if any.

        Return the evidence, without nulls.
        """
        self._retrain(self.plan, self.paths, jobs, "retrain")
        own = [job for job in jobs if job.model in families_of(self.plan.options.model)]
        if split_name(self.plan.options.model)[1]:
            without = self.plan, alone_paths(self.paths), alone_jobs(own)
            self._compare(*without, "without geography")
        evidence = evidence_of(self.plan, self.paths)
        if evidence.reads_genes and not failed_before(evidence, LADDER[0]):
            control = on_coordinates(self.plan), control_paths(self.paths), control_jobs(own)
            self._compare(*control, "on coordinates")
        return with_control(evidence, self.plan, self.paths)

    def run_nulls(
        self, jobs: Sequence[RetrainJob], records: Records, evidence: Evidence
    ) -> tuple[dict[str, Tables], Evidence]:
        """Run the surrogates one after another; return their tables and the whole evidence."""
        kinds = self.plan.null_kinds
        found: dict[str, Tables] = {}
        write_json(self.paths.nulls, self.n_nulls)
        for kind in kinds.names:
            if kinds.as_needed and found and failed_before(evidence, kind):
                others = " and ".join(kinds.names[len(found) :])
                self.notes.append(f"no {others} nulls: no grade depends on them any more")
                break
            weights = read_weights(self.plan, self.paths)
            nulls = SplitNulls.of(self.plan, self.paths, jobs, records, kind=kind, weights=weights)
            found[kind] = self._run_kind(kind, nulls, whole=not (kinds.as_needed and found))
            evidence = replace(evidence, nulls=null_tests(self.plan, self.paths, found))
        return found, evidence

    def _compare(
        self, plan: SweepPlan, paths: SweepPaths, jobs: Sequence[RetrainJob], name: str
    ) -> None:
        """Retrain for a comparison, which is left out if all members of an ensemble diverge."""
        try:
            self._retrain(plan, paths, jobs, f"retrain {name}")
        except DivergedError as error:
            self.notes.append(f"no comparison with the model {name}: {error}")

    def _retrain(
        self, plan: SweepPlan, paths: SweepPaths, jobs: Sequence[RetrainJob], phase: str
    ) -> None:
        todo = open_jobs(paths, jobs)
        for job, result in self.each(phase, "models", retrain_one, plan, jobs, todo):
            # what is only compared is not for predicting with
            kept = result if paths == self.paths else replace(result, saved={})
            save_retrained(plan.brain, plan.folds, paths, kept)
            self._pushed(paths, job.model, job.fold)
        if plan.options.model == BEST:
            self._combine(plan, paths, finished_jobs(paths, jobs))

    def _combine(self, plan: SweepPlan, paths: SweepPaths, jobs: Sequence[RetrainJob]) -> None:
        todo = open_weights(plan, paths, jobs)
        for job, weights in self.each("weigh", "folds", weigh, plan, todo, todo):
            save = paths == self.paths
            combine(plan.brain, plan.folds, paths, job.number, weights, save=save)
            self._pushed(paths, BEST, job.number)

    def _pushed(self, paths: SweepPaths, model: str, place: int) -> None:
        fold = self.plan.folds[place]
        saved = paths.model_dir(model, fold.seed, fold.number)
        self.push(*paths.retrained_files(model, place, saved))

    def _run_kind(self, kind: str, nulls: SplitNulls, *, whole: bool) -> Tables:
        """Run the nulls of one surrogate in rounds that double, until the test may end."""
        n_groups = nulls.n_groups if whole else 1
        while True:
            self.n_nulls[kind] = min(self.plan.options.nulls, n_groups * NULLS_PER_GROUP)
            write_json(self.paths.nulls, self.n_nulls)
            self._finish(nulls, n_groups)
            tables = nulls.tables(n_groups=n_groups)
            test = null_test(self.plan, self.paths, kind, tables)
            if n_groups == nulls.n_groups or (test is not None and test.stopped):
                return tables
            n_groups = min(2 * n_groups, nulls.n_groups)

    def _finish(self, nulls: SplitNulls, n_groups: int) -> None:
        asked = [null for null in nulls.jobs if null.group < n_groups]

        def run(_: TrialContext, todo: Sequence[NullJob]) -> Iterator[tuple[NullJob, Any]]:
            return self.each("nulls", "retrained", run_null_group, nulls.plan, asked, todo)

        nulls.finish(run, groups=range(n_groups), saved=self.push)
