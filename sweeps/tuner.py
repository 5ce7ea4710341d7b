"""The one Tuner of a sweep: everything in which Ray Tune meets the board."""

from __future__ import annotations

from functools import partial
from typing import Any

from ray import tune
from ray.tune import (
    CheckpointConfig,
    FailureConfig,
    RunConfig,
    TuneConfig,
    Tuner,
)

from sweeps.disk import DiskBudget
from sweeps.export import write_study
from sweeps.packing import Packing
from sweeps.paths import SweepPaths
from sweeps.plan import SweepPlan
from sweeps.search.board import SearchBoard
from sweeps.search.checkpoint_keeper import CheckpointKeeper
from sweeps.search.halt import Halt
from sweeps.search.resources import resources_of
from sweeps.search.rungs import ETA
from sweeps.search.study_copier import SilentTrials, StudyCopier
from sweeps.search.tensorboard import LearningCurves
from sweeps.search.tune_adapters import AsyncBoardScheduler, BoardScheduler, BoardSearcher, Slots
from sweeps.tune_sessions import TuneSessions
from trainables.fold_trainable import FoldTrainable
from trainables.work import TrialWork

MAX_FAILURES = 3


def make_tuner(
    plan: SweepPlan,
    paths: SweepPaths,
    board: SearchBoard,
    sessions: TuneSessions,
    *,
    disk: DiskBudget | None,
    packing: Packing,
) -> Tuner:
    """Make the Tuner of a new session, ready to run what the board still wants.

    Parameters
    ----------
    plan, paths, board, sessions
        Of the sweep.
    disk
        Watched, if given.
    packing
        Shares of a GPU.
    """
    options, halt = plan.options, Halt(disk)
    earlier = sessions.checkpoints()
    slots = Slots(options.max_concurrent)
    trainable = tune.with_parameters(FoldTrainable, context=plan.context())
    return Tuner(
        tune.with_resources(trainable, partial(resources_of, cpus=options.cpus_per_trial)),
        tune_config=TuneConfig(
            search_alg=BoardSearcher(board, slots, earlier.of, packing.of),
            scheduler=_make_scheduler(plan, board, slots, halt, packing),
            num_samples=-1,
            reuse_actors=True,
            trial_name_creator=_trial_name,
            trial_dirname_creator=_trial_name,
        ),
        run_config=RunConfig(
            name=sessions.begin(),
            storage_path=sessions.storage,
            verbose=0,
            callbacks=[
                StudyCopier(lambda: write_study(plan, paths, board.records())),
                CheckpointKeeper(earlier, keep=options.keep_checkpoints),
                LearningCurves(paths.tensorboard, max_passes=options.max_epochs),
                SilentTrials(),
                halt,
            ],
            failure_config=FailureConfig(max_failures=MAX_FAILURES),
            checkpoint_config=CheckpointConfig(num_to_keep=1),
        ),
    )


def _make_scheduler(
    plan: SweepPlan, board: SearchBoard, slots: Slots, halt: Halt, packing: Packing
) -> BoardScheduler:
    options = plan.options
    if options.scheduler != "asha-async":
        return BoardScheduler(board, slots, halt, packing.grow)
    return AsyncBoardScheduler(
        board,
        slots,
        halt,
        packing.grow,
        grace_passes=options.grace_epochs,
        max_passes=options.max_epochs,
        eta=ETA,
    )


def _trial_name(trial: Any) -> str:
    config = trial.config
    return TrialWork.from_dict({**config, "configs": []}).name
