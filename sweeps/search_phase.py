"""Run all searches of a sweep in one Tuner."""

from __future__ import annotations

from typing import Any

from ray import tune
from ray.tune import (
    CheckpointConfig,
    FailureConfig,
    PlacementGroupFactory,
    RunConfig,
    TuneConfig,
    Tuner,
)

from gx2c.errors import UserError
from sweeps.disk import DiskBudget
from sweeps.export import write_study
from sweeps.packing import Packing
from sweeps.paths import SweepPaths
from sweeps.plan import SweepPlan
from sweeps.records import ConfigRecord
from sweeps.search.board import SearchBoard
from sweeps.search.checkpoint_keeper import CheckpointKeeper
from sweeps.search.halt import Halt
from sweeps.search.patient_actors import starting_actors_are_kept
from sweeps.search.rungs import ETA
from sweeps.search.study_copier import SilentTrials, StudyCopier
from sweeps.search.tensorboard import LearningCurves
from sweeps.search.tune_adapters import AsyncBoardScheduler, BoardScheduler, BoardSearcher, Slots
from sweeps.storage.mirror import NO_MIRROR, Mirror, NoMirror
from sweeps.storage.session import run_in_storage
from sweeps.storage.uri import join_uri
from sweeps.tune_sessions import TuneSessions
from trainables.fold_trainable import FoldTrainable
from trainables.work import TrialWork

MAX_FAILURES = 3


def run_search(
    plan: SweepPlan,
    paths: SweepPaths,
    board: SearchBoard,
    disk: DiskBudget | None = None,
    mirror: Mirror | NoMirror = NO_MIRROR,
) -> list[str]:
    """Run what the board still wants; returns when every search is finished.

    Trials' checkpoints lie in the storage, or else the run folder, and go when the search ends.

    Returns
    -------
    list of str
        What the summary should say of it.

    Raises
    ------
    UserError
        If a search ends without a single fully trained config.
    RuntimeError
        If Tune returned before the searches were finished.
    """
    sessions = TuneSessions(paths, _tune_storage(plan, paths))
    packing = Packing(plan.gpu_share)
    if not board.finished:
        tuner = _make_tuner(plan, paths, board, sessions, Halt(disk), packing)
        # the new session is known there too before it writes its first checkpoint
        mirror.push_outputs()
        with starting_actors_are_kept():
            tuner.fit()
    if not board.finished:
        raise RuntimeError(f"Ray Tune ended before the search was finished; resume {paths.root}")
    if not plan.options.keep_checkpoints:
        sessions.remove()
    for search in board.searches.values():
        best_record(list(search.records.values()), model=search.model, fold=search.fold)
    return packing.notes()


def best_record(records: list[ConfigRecord], *, model: str, fold: int) -> ConfigRecord:
    """Return the best fully trained config; the first of equals."""
    complete = [r for r in records if r.state == "COMPLETE" and r.score is not None]
    if not complete:
        causes = sorted({r.cause for r in records if r.cause}) or ["all were pruned"]
        raise UserError(
            f"no config of {model} was fully trained on outer fold {fold} ({'; '.join(causes)}); "
            "try more --samples or --scheduler none"
        )
    return max(complete, key=lambda r: (r.score, -r.number))


def _make_tuner(
    plan: SweepPlan,
    paths: SweepPaths,
    board: SearchBoard,
    sessions: TuneSessions,
    halt: Halt,
    packing: Packing,
) -> Tuner:
    options = plan.options
    earlier = sessions.checkpoints()
    slots = Slots(options.max_concurrent)
    trainable = tune.with_parameters(FoldTrainable, context=plan.context())
    return Tuner(
        tune.with_resources(trainable, lambda config: _resources(options.cpus_per_trial, config)),
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


def _resources(cpus: int, config: dict[str, Any]) -> PlacementGroupFactory:
    gpus = {"GPU": config["gpu_share"]} if config["gpu_share"] else {}
    return PlacementGroupFactory([{"CPU": cpus, **gpus}])


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


def _tune_storage(plan: SweepPlan, paths: SweepPaths) -> str:
    """Return where checkpoints lie: beside all else of this run in the storage, if there is one."""
    storage = plan.options.storage
    return join_uri(run_in_storage(storage, paths), paths.tune.name) if storage else ""


def _trial_name(trial: Any) -> str:
    config = trial.config
    return TrialWork.from_dict({**config, "configs": []}).name
