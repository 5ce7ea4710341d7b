"""Every writer's n-th step fails for want of room or of rights: a sentence, or nothing is lost."""

from __future__ import annotations

import builtins
import errno
import io
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from report_fixtures import make_summary
from sweep_fixtures import make_plan, report, run_board_serially

from gx2c.errors import UserError
from sweeps.folder.disk import disk_trouble_said
from sweeps.folder.paths import SweepPaths
from sweeps.folder.records import RecordStore
from sweeps.folder.results import write_null_scores
from sweeps.folder.summary_file import Summary, write_summary
from sweeps.nulls.jobs import SplitNulls
from sweeps.phases.retrain import retrain_one, save_retrained
from sweeps.phases.retrain_job import job_of
from sweeps.phases.search import best_record
from sweeps.phases.study import write_running, write_trials
from sweeps.request.files import write_request
from sweeps.run.best_file import write_best
from sweeps.run.progress import PhaseClock
from sweeps.search.callbacks import LearningCurves
from sweeps.search.tune_sessions import TuneSessions
from trainables.work import TrialWork, write_checkpoint

WORK = TrialWork("mlp", 0, (0,), (), (1,))
PATIENCE_S = 20.0


class Disk:
    """Fails at its n-th open, write, sync or rename below a folder, and at all later ones."""

    def __init__(self, folder: Path, room: int, number: int) -> None:
        self.folder, self.room, self.number = str(folder), room, number
        self.failed = False

    def step(self) -> None:
        if self.room <= 0:
            self.failed = True
            raise OSError(self.number, os.strerror(self.number))
        self.room -= 1

    def install(self, patch: pytest.MonkeyPatch) -> None:
        real_open, fsync, rename, replace = io.open, os.fsync, os.rename, os.replace

        def opening(file: Any, mode: str = "r", *more: Any, **options: Any) -> Any:
            ours = not isinstance(file, int) and str(file).startswith(self.folder)
            if not ours or not set(mode) & set("wax+"):
                return real_open(file, mode, *more, **options)
            self.step()
            return Written(real_open(file, mode, *more, **options), self)

        def before(call: Callable[..., Any]) -> Callable[..., Any]:
            def counted(*arguments: Any, **options: Any) -> Any:
                self.step()
                return call(*arguments, **options)

            return counted

        patch.setattr(builtins, "open", opening)
        patch.setattr(io, "open", opening)
        for name, call in {"fsync": fsync, "rename": rename, "replace": replace}.items():
            patch.setattr(os, name, before(call))


class Written:
    """A file whose writes take room."""

    def __init__(self, file: Any, disk: Disk) -> None:
        self.file, self.disk = file, disk

    def write(self, content: Any) -> int:
        self.disk.step()
        return int(self.file.write(content))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)

    def __enter__(self) -> Written:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()


@pytest.fixture(scope="module")
def searched(tmp_path_factory) -> Any:
    """A searched plan with one retrained network."""
    plan = make_plan("mlp", nulls=2, samples=1)
    paths = SweepPaths(tmp_path_factory.mktemp("searched"))
    board = plan.board(paths)
    board.searches = {("mlp", 0): board.searches["mlp", 0]}
    run_board_serially(plan, board)
    records = board.records()
    jobs = [job_of(best_record(r, model=m, fold=f), plan.folds[f]) for (m, f), r in records.items()]
    result = retrain_one(plan.context(), jobs[0])
    return SimpleNamespace(plan=plan, records=records, jobs=jobs, result=result)


def curves(of: Any, paths: SweepPaths) -> None:
    callback = LearningCurves(paths.tensorboard, max_epochs=50)
    trial = SimpleNamespace(trial_id="t", config=WORK.to_dict())
    for first in range(1, 6, 2):
        callback.on_trial_result(0, [], trial, report(first, first + 1))
    callback.on_trial_complete(0, [], trial)


def checkpoint(of: Any, paths: SweepPaths) -> None:
    paths.tune.mkdir(parents=True)
    write_checkpoint(paths.tune, WORK, {"epoch": 1})


def clock(of: Any, paths: SweepPaths) -> None:
    paths.root.mkdir()
    paths.sweep.touch()
    with PhaseClock(paths).phase("search"):
        pass


def null_scores(of: Any, paths: SweepPaths) -> None:
    index = pd.Index([0], name="null")
    write_null_scores(paths, "mlp", pd.DataFrame({"pearson_r": np.ones(1)}, index=index))


def group_of_nulls(of: Any, paths: SweepPaths) -> None:
    scores: Any = ([None] * of.plan.options.nulls, 1.0)
    nulls = SplitNulls.of(of.plan, paths, of.jobs, of.records)
    nulls.finish(lambda _, jobs: ((job, scores) for job in jobs))


def record(of: Any, paths: SweepPaths) -> None:
    RecordStore(paths).save(of.records["mlp", 0][0])


def summary(of: Any, paths: SweepPaths) -> None:
    content = make_summary("mlp", 1, 9, 1, 0, np.random.default_rng(0))
    write_summary(paths, Summary.model_validate(content))


def retrained(of: Any, paths: SweepPaths) -> None:
    save_retrained(of.plan.brain, of.plan.folds, paths, of.result)


WRITERS: dict[str, Callable[[Any, SweepPaths], Any]] = {
    "learning curves": curves,
    "checkpoint": checkpoint,
    "trials.parquet": lambda of, paths: write_trials(paths, of.records),
    "request": lambda of, paths: write_request(paths, of.plan),
    "sessions": lambda of, paths: TuneSessions(paths, "").begin(),
    "seconds": clock,
    "best.yaml": lambda of, paths: write_best(paths, of.plan, of.jobs),
    "retrained network": retrained,
    "scores of nulls": null_scores,
    "group of nulls": group_of_nulls,
    "record": record,
    "summary": summary,
    "running configs": lambda of, paths: write_running(paths, of.records["mlp", 0]),
}
# nothing reads it back, so a sweep goes on without it
NEVER_READ = "learning curves"


def outcomes(
    write: Callable[[Any, SweepPaths], Any], of: Any, folder: Path, number: int
) -> Iterator[str]:
    """Write with room for 0, 1, 2, ... steps until none fails."""
    for room in range(10_000):
        disk, said = Disk(folder, room, number), [""]

        def work(root: Path = folder / str(room), said: list[str] = said) -> None:
            try:
                with disk_trouble_said():
                    write(of, SweepPaths(root))
            except UserError as error:
                said[0] = str(error)

        with pytest.MonkeyPatch.context() as patch:
            disk.install(patch)
            thread = threading.Thread(target=work, daemon=True)
            thread.start()
            thread.join(PATIENCE_S)
        assert not thread.is_alive(), f"it hangs after {room} steps"
        if not disk.failed:
            return
        yield said[0]


# a file that could not be written is closed by the garbage collector
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS])
@pytest.mark.parametrize("name", WRITERS)
def test_a_step_that_fails_is_a_sentence(name, number, searched, tmp_path):
    found = list(outcomes(WRITERS[name], searched, tmp_path, number))
    assert len(found) >= 2, "no step was counted"
    for said in found:
        if name != NEVER_READ:
            assert os.strerror(number) in said and "--resume" in said
