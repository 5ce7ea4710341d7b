"""The Tuner of a sweep, which connects Ray Tune and the board."""

import contextlib
from collections.abc import Iterator
from functools import partial
from typing import Any

from ray import tune
from ray.tune import CheckpointConfig, FailureConfig, RunConfig, TuneConfig, Tuner
from ray.tune.error import TuneError

from gx2c.errors import UserError
from sweeps.folder.disk import causes_of
from sweeps.folder.paths import SweepPaths
from sweeps.phases.study import write_running
from sweeps.request.plan import SweepPlan
from sweeps.search.board import SearchBoard
from sweeps.search.callbacks import (
    CheckpointKeeper,
    Halt,
    LearningCurves,
    RunningConfigs,
    SilentTrials,
)
from sweeps.search.resources import resources_of
from sweeps.search.tune_adapters import (
    AsyncBoardScheduler,
    BoardScheduler,
    BoardSearcher,
    Slots,
    name_of,
)
from sweeps.search.tune_sessions import TuneSessions
from sweeps.workers.tasks import Packing
from trainables.fold_trainable import FoldTrainable

MAX_FAILURES = 3


def make_tuner(
    plan: SweepPlan,
    paths: SweepPaths,
    board: SearchBoard,
    sessions: TuneSessions,
    *,
    halt: Halt,
    packing: Packing,
) -> Tuner:
    """Make the Tuner of a new session, ready to run the board's open work."""
    options = plan.options
    earlier = sessions.checkpoints()
    slots = Slots(options.max_concurrent)
    trainable = tune.with_resources(
        tune.with_parameters(FoldTrainable, context=plan.context()),
        partial(resources_of, cpus=options.cpus_per_trial),
    )
    # what Ray's dashboard shows as the class of its actors
    trainable.__qualname__ = FoldTrainable.__qualname__

    def params_of(model: str, fold: int, number: int) -> dict[str, Any] | None:
        # the rivals' values would be columns of their own
        return board.searches[model, fold].params_of(number) if model == options.model else None

    return Tuner(
        trainable,
        tune_config=TuneConfig(
            search_alg=BoardSearcher(board, slots, earlier.of, packing.of),
            scheduler=_make_scheduler(plan, board, slots, halt, packing),
            num_samples=-1,
            reuse_actors=True,
            trial_name_creator=name_of,
            trial_dirname_creator=name_of,
        ),
        run_config=RunConfig(
            name=sessions.begin(),
            storage_path=sessions.storage,
            verbose=0,
            callbacks=[
                RunningConfigs(lambda: write_running(paths, board.running())),
                CheckpointKeeper(earlier, keep=options.keep_checkpoints),
                LearningCurves(
                    paths.tensorboard, max_epochs=options.max_epochs, params_of=params_of
                ),
                SilentTrials(),
                halt,
            ],
            failure_config=FailureConfig(max_failures=MAX_FAILURES),
            checkpoint_config=CheckpointConfig(num_to_keep=1),
        ),
    )


@contextlib.contextmanager
def refusals_said(storage: str) -> Iterator[None]:
    """Turn an error of the storage that Tune met, and may have wrapped, into one sentence."""
    try:
        yield
    except (OSError, TuneError) as error:
        refusals = [str(cause) for cause in causes_of(error) if isinstance(cause, OSError)]
        if not (storage and refusals):
            raise
        # a worker's error is the last line of its traceback
        raise UserError(
            f"storage {storage} cannot be used ({refusals[0].strip().splitlines()[-1][:300]}); "
            "check that it answers, then --resume: nothing finished is lost"
        ) from None


def _make_scheduler(
    plan: SweepPlan, board: SearchBoard, slots: Slots, halt: Halt, packing: Packing
) -> BoardScheduler:
    options, shared = plan.options, (board, slots, halt, packing.grow)
    if options.scheduler != "asha-async":
        return BoardScheduler(*shared)
    return AsyncBoardScheduler(
        *shared, grace_epochs=options.grace_epochs, max_epochs=options.max_epochs
    )
