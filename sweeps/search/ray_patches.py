"""Patches of Tune, which has no options for these (Ray 2.54 to 2.60): workers, names, disks, state.

With `reuse_actors` Tune gives a free worker to any trial that has not begun, and ends the worker
that is starting for that trial. If starting takes longer than a trial (loading torch does), every
worker except the first is ended before it does anything, and one CPU does all the work.

Tune calls every step of every trial "FoldTrainable.train", and an actor that is reused keeps the
name of its first trial: only names of tasks identify the config that is being trained.
"""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from unittest.mock import patch

from ray.air.execution._internal.actor_manager import RayActorManager
from ray.tune.execution import class_cache
from ray.tune.execution.tune_controller import TuneController

from sweeps.folder.disk import refuse_disk_trouble
from sweeps.search.callbacks import Halt
from trainables.work import title_of

Context = AbstractContextManager[Any]


def prestarted_workers_are_used() -> Context:
    """Within this context, trials get no environment variable that is meant for Lightning.

    Nor do those of a sweep on one machine get credentials, which their workers inherit anyway and
    which Ray would write into its logs.
    """
    passed = class_cache.ENV_VARS_TO_PROPAGATE
    if not os.environ.get("RAY_ADDRESS"):
        passed = {name for name in passed if not name.startswith("AWS_")}
    return patch.multiple(class_cache, DEFAULT_ENV_VARS={}, ENV_VARS_TO_PROPAGATE=passed)


def starting_actors_are_kept() -> Context:
    """Within this context, Tune keeps workers that are starting."""
    reuse = TuneController._maybe_reuse_cached_actor

    def reuse_unless_starting(self: Any, trial: Any) -> bool:
        actor = self._trial_to_actor.get(trial)
        # one that has its resources is starting; one that waits for them may be ended
        starts = actor is not None and bool(self._actor_manager.is_actor_started(actor))
        if starts and trial not in self._resetting_trials:
            # the free worker waits for the next trial
            return False
        return bool(reuse(self, trial))

    return patch.object(TuneController, "_maybe_reuse_cached_actor", reuse_unless_starting)


class _Named:
    """An actor whose calls have a name."""

    def __init__(self, actor: Any, name: str) -> None:
        self.actor, self.name = actor, name

    def __getattr__(self, method: str) -> Any:
        return getattr(self.actor, method).options(name=self.name)


@contextmanager
def tasks_are_named() -> Iterator[None]:
    """Within this context, Ray's dashboard shows a trial's steps under the name of its work."""
    of_trial = TuneController._schedule_trial_task
    of_actor = RayActorManager._schedule_tracked_actor_task
    names: dict[Any, str] = {}

    def schedule_trial_task(self: Any, trial: Any, *arguments: Any, **keywords: Any) -> Any:
        work = trial.config
        names[self._trial_to_actor[trial]] = title_of(work["model"], work["fold"], work["numbers"])
        return of_trial(self, trial, *arguments, **keywords)

    def call_actor(self: Any, tracked_actor_task: Any, *arguments: Any, **keywords: Any) -> Any:
        tracked = tracked_actor_task._tracked_actor
        live = self._live_actors_to_ray_actors_resources
        actor, resources = live[tracked]
        if tracked in names:
            live[tracked] = _Named(actor, names[tracked]), resources
        try:
            return of_actor(self, tracked_actor_task, *arguments, **keywords)
        finally:
            live[tracked] = actor, resources

    with (
        patch.object(TuneController, "_schedule_trial_task", schedule_trial_task),
        patch.object(RayActorManager, "_schedule_tracked_actor_task", call_actor),
    ):
        yield


def disk_trouble_halts(halt: Halt) -> Context:
    """Within this context, a trial that meets a full or failing disk ends the search at once.

    Tune would start it again in new workers, and cannot write the error onto the same disk.
    """
    process = TuneController._process_trial_failure

    def process_unless_disk(self: Any, trial: Any, exception: Exception) -> None:
        with halt.catching():
            refuse_disk_trouble(str(exception))
        if halt.reason is None:
            process(self, trial, exception)

    return patch.object(TuneController, "_process_trial_failure", process_unless_disk)


def state_is_written_once() -> Context:
    """Within this context, Tune writes its own state at its end only, where it reads it back.

    Nothing else reads it. Uploading it after each checkpoint of a trial keeps the driver waiting:
    if a storage refuses a third of the requests, hardly any config finishes.
    """
    checkpoint = TuneController.checkpoint

    def at_the_end(self: Any, force: bool = False, wait: bool = False) -> None:
        if wait:
            checkpoint(self, force=force, wait=wait)

    return patch.object(TuneController, "checkpoint", at_the_end)
