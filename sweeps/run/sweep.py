"""A whole sweep: search, retrain, nulls, summary; each phase continues from its records."""

import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from operator import attrgetter
from pathlib import Path
from typing import Any, TypeVar

from gx2c.models.names import GEOGRAPHY, families_of
from gx2c.verdict import Evidence
from sweeps.folder.disk import DiskBudget, disk_trouble_said
from sweeps.folder.lock import folder_lock
from sweeps.folder.paths import SweepPaths
from sweeps.folder.records import ConfigRecord, write_json
from sweeps.folder.summary_file import Summary, write_summary
from sweeps.nulls.group import NullJob
from sweeps.phases.combine import WeighJob
from sweeps.phases.retrain import finished_jobs, write_models
from sweeps.phases.retrain_job import RetrainJob, jobs_of_searches
from sweeps.phases.search import best_record, run_search
from sweeps.phases.study import write_study, write_trials
from sweeps.request.budget import resumed
from sweeps.request.files import (
    check_folder,
    check_inputs,
    check_names,
    read_options,
    write_request,
)
from sweeps.request.notes import search_notes
from sweeps.request.options import SweepOptions
from sweeps.request.plan import SweepPlan, make_plan
from sweeps.request.warm_start import warm_start_of
from sweeps.run.best_file import write_best
from sweeps.run.budget import fit_to_budget, said_of_budget
from sweeps.run.estimate import Costs, advice, probes_of
from sweeps.run.evidence import Tables
from sweeps.run.ladder import Ladder
from sweeps.run.progress import Phase, PhaseClock, ProgressLine
from sweeps.run.stopping import stops_cleanly
from sweeps.run.summary import summarise
from sweeps.search.board import SearchBoard
from sweeps.storage.session import Mirror, storage_session
from sweeps.workers.ray_session import dashboard_address, ray_session, slots
from sweeps.workers.tasks import fit_to_gpus, run_tasks
from trainables.costs import Cost, Probe, cost_of

Job = TypeVar("Job", RetrainJob, NullJob, WeighJob)
Task = TypeVar("Task", RetrainJob, NullJob, WeighJob, Probe)


def adopt_search(model: str, source: SweepPaths, target: SweepPaths) -> None:
    """Copy a model's records and retrained models into another run.

    Folders are copied in full or not at all; existing ones are kept, and missing ones passed over.
    """
    # what marks models as finished comes last
    for name in ("records", "models", "retrained"):
        folder = target.root / name / model
        if not folder.exists() and (source.root / name / model).exists():
            folder.parent.mkdir(parents=True, exist_ok=True)
            temporary = folder.with_name(f".{model}")
            shutil.rmtree(temporary, ignore_errors=True)
            shutil.copytree(source.root / name / model, temporary)
            temporary.rename(folder)


@dataclass
class SweepRun:
    """One session of a sweep; `geography` is a run whose search of geography is adopted."""

    plan: SweepPlan
    paths: SweepPaths
    clock: PhaseClock
    progress: ProgressLine
    mirror: Mirror | None = None
    at_once: int = 1
    geography: SweepPaths | None = None

    def __post_init__(self) -> None:
        self.disk = DiskBudget(self.paths, self.plan.options.max_disk_gb)
        self.notes: list[str] = []

    def execute(self) -> Summary:
        """Do all unfinished work and return the summary."""
        options, dataset = self.plan.options, self.plan.brain.name
        with ExitStack() as stack:
            # while Ray starts; the time budget counts from the first trial on
            stack.enter_context(stops_cleanly())
            with self.clock.phase("start"):
                self.at_once = stack.enter_context(
                    ray_session(
                        cpus_per_trial=options.cpus_per_trial,
                        gpus_per_trial=abs(options.gpus_per_trial),
                        shared=options.storage or str(self.paths.root),
                        metadata={
                            # the only one that Ray's table of jobs shows
                            "job_name": f"{self.paths.root.name}: {options.model}, {dataset}",
                            "run": str(self.paths.root),
                            "model": options.model,
                            "dataset": dataset,
                        },
                    )
                )
                self._fit_to_gpus()
                if not self.paths.sweep.exists():
                    self._estimate()
            stack.enter_context(stops_cleanly(60 * options.time_budget_min))
            # nothing is written before all checks have succeeded
            write_request(self.paths, self.plan)
            write_json(
                self.paths.cluster,
                {"ray_dashboard": dashboard_address(), "gpu_share": self.plan.gpu_share},
            )
            if self.geography is not None:
                adopt_search(GEOGRAPHY, self.geography, self.paths)
            self._push_outputs()
            return self._phases(self.plan.board(self.paths, self._push))

    def _fit_to_gpus(self) -> None:
        self.plan = fit_to_gpus(self.plan)
        if self.plan.gpu_share != self.plan.options.gpus_per_trial:
            self.at_once = slots(
                cpus_per_trial=self.plan.options.cpus_per_trial, gpus_per_trial=self.plan.gpu_share
            )

    def _estimate(self) -> None:
        """Print how long the sweep will take, lowered to its budget."""
        asked = self.plan.options
        self.plan, estimate = fit_to_budget(self.plan, self._costs)
        lines = [
            estimate.text(),
            advice(self.plan.options, estimate),
            *said_of_budget(asked, self.plan.options, estimate),
        ]
        print(*filter(None, lines), sep="\n", flush=True)

    def _costs(self, plan: SweepPlan) -> Costs:
        """Time a few configs on the cluster."""
        begun, start_s = time.monotonic(), 0.0
        found: dict[str, list[Cost]] = {}
        for probe, cost in self._run(cost_of, plan, probes_of(plan, self.n_workers)):
            # what the first one did not spend on its work passed before it began
            start_s = start_s or max(0.0, time.monotonic() - begun - cost.probe_s)
            found.setdefault(probe.model, []).append(cost)
        means = {model: Cost.mean(of_model) for model, of_model in found.items()}
        return Costs(means, self.n_workers, start_s)

    def _phases(self, board: SearchBoard) -> Summary:
        with self.clock.phase("search"):
            self._search(board)
        records = board.records()
        best = {key: best_record(r, model=key[0], fold=key[1]) for key, r in records.items()}
        jobs = jobs_of_searches(self.plan, records)
        ladder = Ladder(self.plan, self.paths, self._each, self._push, self.notes)
        with self.clock.phase("retrain"):
            evidence = ladder.retrain(jobs)
        jobs = finished_jobs(self.paths, jobs)
        nulls: dict[str, Tables] = {}
        if self.plan.options.nulls:
            with self.clock.phase("nulls"):
                nulls, evidence = ladder.run_nulls(jobs, records, evidence)
        return self._finish(records, best, jobs, nulls, evidence)

    def _search(self, board: SearchBoard) -> None:
        models = families_of(self.plan.options.model)
        self.progress.begin(
            Phase(
                "search", lambda: str(board.progress(models)), lambda: board.progress(models).share
            )
        )
        self.notes = run_search(self.plan, self.paths, board, self.disk, self.mirror)

    def _each(
        self,
        phase: str,
        what: str,
        function: Callable[..., Any],
        plan: SweepPlan,
        jobs: Sequence[Job],
        todo: Sequence[Job],
    ) -> Iterator[tuple[Job, Any]]:
        total = sum(job.size for job in jobs)
        self.n_done = total - sum(job.size for job in todo)
        self.progress.begin(
            Phase(
                phase, lambda: f"{what} {self.n_done}/{total}", lambda: self.n_done / max(total, 1)
            )
        )
        for job, result in self._run(function, plan, todo):
            yield job, result
            self.n_done += job.size
            self.disk.check()

    @property
    def n_workers(self) -> int:
        """Number of concurrent tasks."""
        return min(self.at_once, self.plan.options.max_concurrent or self.at_once)

    def _run(
        self, function: Callable[..., Any], plan: SweepPlan, jobs: Sequence[Task]
    ) -> Iterator[tuple[Task, Any]]:
        """Call a function for each job on the cluster."""
        return run_tasks(
            function,
            jobs,
            shared=plan.context(),
            cpus=plan.options.cpus_per_trial,
            gpus=self.plan.gpu_share,
            at_once=self.n_workers,
            title=attrgetter("title"),
        )

    def _finish(
        self,
        records: dict[tuple[str, int], list[ConfigRecord]],
        best: dict[tuple[str, int], ConfigRecord],
        jobs: list[RetrainJob],
        nulls: dict[str, Tables],
        evidence: Evidence,
    ) -> Summary:
        # matplotlib takes half a second to load, which only a sweep's end needs
        from sweeps.report.build import write_report

        self.progress.begin(Phase("writing the report"))
        write_trials(self.paths, records)
        write_best(self.paths, self.plan, jobs)
        write_models(self.paths, self.plan.options.model)
        write_study(self.plan, self.paths, records)
        summary = summarise(
            self.plan,
            self.paths,
            records=records,
            best=best,
            nulls=nulls,
            evidence=evidence,
            seconds=self.clock.totals(),
            notes=self.notes,
        )
        write_summary(self.paths, summary)
        write_report(self.paths)
        self._push_outputs()
        return summary

    def _push(self, *finished: Path) -> None:
        if self.mirror:
            self.mirror.push(*finished)

    def _push_outputs(self) -> None:
        if self.mirror:
            self.mirror.push_outputs()


def run_sweep(
    options: SweepOptions, out: Path, *, resume: bool = False, geography: SweepPaths | None = None
) -> Summary:
    """Run or resume a sweep.

    Parameters
    ----------
    options
        Options of the sweep.
    out
        The run folder.
    resume
        Whether to continue the sweep in `out`.
    geography
        A run of the same data, folds and seed whose search of geography is adopted.

    Raises
    ------
    UserError
        If the request is invalid, before anything starts.
    """
    paths = SweepPaths(out)
    if not resume:
        check_folder(paths, options, resume=False)
    with disk_trouble_said(), ExitStack() as stack:
        stack.enter_context(folder_lock(paths.root))
        mirror = stack.enter_context(storage_session(options.storage, paths, resume=resume))
        if resume:
            options = resumed(read_options(paths), options)
            check_folder(paths, options, resume=True)
        progress = stack.enter_context(ProgressLine())
        clock = PhaseClock(paths)
        with clock.phase("start"):
            plan = make_plan(options)
        plan = replace(plan, warm=warm_start_of(plan, paths))
        check_names(paths, plan)
        check_inputs(paths, plan)
        for note in search_notes(plan):
            print(note, file=sys.stderr)
        return SweepRun(plan, paths, clock, progress, mirror, geography=geography).execute()
