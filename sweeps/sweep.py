"""A whole sweep: search, retrain, nulls, summary; every part picks up where records end."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from sweeps.adopt import adopt_search
from sweeps.disk import DiskBudget, disk_trouble_said
from sweeps.export import write_best, write_study, write_trials
from sweeps.null_group import NullJob, run_null_group
from sweeps.null_phase import collect_nulls, group_path, null_jobs, open_null_jobs, save_null_group
from sweeps.options import GEOGRAPHY, SweepOptions
from sweeps.packing import fit_to_gpus
from sweeps.paths import SweepPaths
from sweeps.plan import SweepPlan, make_plan
from sweeps.progress import Phase, ProgressLine
from sweeps.ray_session import dashboard_address, ray_session, slots
from sweeps.records import ConfigRecord, write_json
from sweeps.report import write_report
from sweeps.request import check_folder, check_inputs, write_request
from sweeps.retrain_phase import RetrainJob, job_of, open_jobs, retrain_one, save_retrained
from sweeps.run_lock import FolderLock
from sweeps.search.board import SearchBoard
from sweeps.search_phase import best_record, run_search
from sweeps.seconds import PhaseClock
from sweeps.stopping import stops_cleanly
from sweeps.storage.mirror import NO_MIRROR, Mirror, NoMirror
from sweeps.storage.session import storage_session
from sweeps.summary import summarise
from sweeps.tasks import run_tasks
from sweeps.warm_sources import warm_start_of


@dataclass
class SweepRun:
    """One session of a sweep.

    Attributes
    ----------
    plan, paths
        What to compute and where to keep it.
    clock, progress
        Time spent and the line that is shown.
    mirror
        Keeps what is finished in the storage, if there is one.
    at_once
        Trials or tasks that fit the cluster.
    geography
        A run of the same data, folds and seed whose search of geography is taken over.
    """

    plan: SweepPlan
    paths: SweepPaths
    clock: PhaseClock
    progress: ProgressLine
    mirror: Mirror | NoMirror = NO_MIRROR
    at_once: int = 1
    geography: SweepPaths | None = None

    def __post_init__(self) -> None:
        self.disk = DiskBudget(self.paths, self.plan.options.max_disk_gb)
        self.notes: list[str] = []

    def execute(self) -> dict[str, Any]:
        """Do all that is not yet done and return the summary."""
        options = self.plan.options
        with ExitStack() as stack:
            with self.clock.phase("start"):
                self.at_once = stack.enter_context(
                    ray_session(
                        cpus_per_trial=options.cpus_per_trial,
                        gpus_per_trial=abs(options.gpus_per_trial),
                        shared=options.storage or str(self.paths.root),
                    )
                )
                self._fit_to_gpus()
            stack.enter_context(stops_cleanly(60 * options.time_budget_min))
            # nothing is written before all that could be refused was accepted
            write_request(self.paths, self.plan)
            write_json(
                self.paths.cluster,
                {"ray_dashboard": dashboard_address(), "gpu_share": self.plan.gpu_share},
            )
            if self.geography is not None:
                adopt_search(GEOGRAPHY, self.geography, self.paths)
            self.mirror.push_outputs()
            return self._phases(self.plan.board(self.paths, self.mirror.push))

    def _fit_to_gpus(self) -> None:
        self.plan = fit_to_gpus(self.plan)
        if self.plan.gpu_share != self.plan.options.gpus_per_trial:
            self.at_once = slots(
                cpus_per_trial=self.plan.options.cpus_per_trial, gpus_per_trial=self.plan.gpu_share
            )

    def _phases(self, board: SearchBoard) -> dict[str, Any]:
        with self.clock.phase("search"):
            self._search(board)
        records = board.records()
        best = {key: best_record(r, model=key[0], fold=key[1]) for key, r in records.items()}
        jobs = [job_of(record, seed=self.plan.options.seed) for record in best.values()]
        with self.clock.phase("retrain"):
            self._retrain(jobs)
        nulls = None
        if self.plan.options.nulls:
            with self.clock.phase("nulls"):
                options = self.plan.options
                nulls = self._nulls(null_jobs(options, options.seed, jobs, records))
        return self._finish(records, best, jobs, nulls)

    def _search(self, board: SearchBoard) -> None:
        model = self.plan.options.model

        def text() -> str:
            p = board.progress(model)
            best = "-" if p.best is None else f"{p.best:.4f}"
            return (
                f"folds {p.folds_done}/{p.folds} configs {p.done}/{p.total} "
                f"({p.pruned} pruned, {p.failed} failed) best {best} passes {p.passes}"
            )

        def share() -> float:
            p = board.progress(model)
            return p.done / p.total

        self.progress.begin(Phase("search", text, share))
        self.notes = run_search(self.plan, self.paths, board, self.disk, self.mirror)

    def _retrain(self, jobs: list[RetrainJob]) -> None:
        todo = open_jobs(self.paths, jobs)
        self._begin_counted("retrain", "models", len(jobs), len(jobs) - len(todo))
        for index, (result, seconds) in self._run(retrain_one, [(job,) for job in todo]):
            save_retrained(
                self.plan.brain, self.plan.folds, self.paths, todo[index], result, seconds
            )
            job = todo[index]
            self.mirror.push_all(self.paths.retrained_files(job.model, job.fold))
            self.n_done += 1

    def _nulls(self, jobs: list[NullJob]) -> dict[str, pd.DataFrame]:
        todo = open_null_jobs(self.paths, jobs)
        total = sum(len(j.numbers) for j in jobs)
        done = total - sum(len(j.numbers) for j in todo)
        self._begin_counted("nulls", "retrained", total, done)
        for index, (scores, seconds) in self._run(run_null_group, [(job,) for job in todo]):
            null = todo[index]
            save_null_group(self.paths, null, scores, seconds)
            self.mirror.push(group_path(self.paths, null))
            self.n_done += len(null.numbers)
        return collect_nulls(self.plan.context(), self.paths, jobs)

    def _run(self, function: Any, jobs: list[tuple[Any, ...]]) -> Iterator[tuple[int, Any]]:
        options = self.plan.options
        finished = run_tasks(
            function,
            jobs,
            shared=self.plan.context(),
            cpus=options.cpus_per_trial,
            gpus=self.plan.gpu_share,
            at_once=min(self.at_once, options.max_concurrent or self.at_once),
        )
        for one in finished:
            yield one
            self.disk.check()

    def _begin_counted(self, name: str, what: str, total: int, done: int) -> None:
        self.n_done = done
        self.progress.begin(
            Phase(
                name,
                lambda: f"{what} {self.n_done}/{total}",
                lambda: self.n_done / max(total, 1),
            )
        )

    def _finish(
        self,
        records: dict[tuple[str, int], list[ConfigRecord]],
        best: dict[tuple[str, int], ConfigRecord],
        jobs: list[RetrainJob],
        nulls: dict[str, pd.DataFrame] | None,
    ) -> dict[str, Any]:
        self.progress.begin(Phase("writing the report"))
        write_trials(self.paths, records)
        write_best(self.paths, self.plan, jobs)
        write_study(self.plan, self.paths, records)
        summary = summarise(
            self.plan,
            self.paths,
            records=records,
            best=best,
            nulls=nulls,
            seconds=self.clock.totals(),
        )
        summary["notes"] += self.notes
        write_json(self.paths.summary, summary)
        write_report(self.paths)
        self.mirror.push_outputs()
        return summary


def run_sweep(
    options: SweepOptions,
    out: Path,
    *,
    resume: bool = False,
    geography: SweepPaths | None = None,
) -> dict[str, Any]:
    """Run a sweep, or what is left of one.

    Parameters
    ----------
    options
        What to compute.
    out
        The run folder.
    resume
        Continue the sweep that `out` holds.
    geography
        A run of the same data, folds and seed whose search of geography is taken over.

    Raises
    ------
    UserError
        If anything about the request cannot be; nothing has started then.
    """
    paths = SweepPaths(out)
    if not resume:
        check_folder(paths, options, resume=False)
    with disk_trouble_said(), ExitStack() as stack:
        stack.enter_context(FolderLock(paths.root))
        mirror = stack.enter_context(storage_session(options.storage, paths, resume=resume))
        if resume:
            check_folder(paths, options, resume=True)
        progress = stack.enter_context(ProgressLine())
        clock = PhaseClock(paths)
        with clock.phase("start"):
            plan = make_plan(options)
        plan = replace(plan, warm=warm_start_of(plan, paths))
        check_inputs(paths, plan)
        for note in plan.search_notes():
            print(note, file=sys.stderr)
        return SweepRun(plan, paths, clock, progress, mirror, geography=geography).execute()
