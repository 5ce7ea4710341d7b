"""Ray Tune's searcher and scheduler, both mere views of the board."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from ray.tune.experiment import Trial
from ray.tune.schedulers import ASHAScheduler, TrialScheduler
from ray.tune.search import Searcher

from sweeps.disk import refuse_disk_trouble
from sweeps.search.board import SearchBoard
from sweeps.search.fold_search import Decision, FoldSearch
from sweeps.search.halt import Halt
from trainables.work import TrialWork

logger = logging.getLogger("gx2c")

_TUNE_DECISIONS = {
    Decision.CONTINUE: TrialScheduler.CONTINUE,
    Decision.HOLD: TrialScheduler.PAUSE,
    Decision.STOP: TrialScheduler.STOP,
}


class Slots:
    """Trials that run or are about to; one held at a rung takes no slot, for others must reach it.

    Parameters
    ----------
    limit
        Trials at once; 0 for as many as the resources allow.
    """

    def __init__(self, limit: int = 0) -> None:
        self.limit = limit
        self.taken: set[str] = set()

    def take(self, trial_id: str) -> bool:
        """Take a slot, or keep the one taken; False if none is free."""
        if self.limit and len(self.taken - {trial_id}) >= self.limit:
            return False
        self.taken.add(trial_id)
        return True

    def free(self, trial_id: str) -> None:
        """Give a slot back, if it was taken."""
        self.taken.discard(trial_id)


class BoardSearcher(Searcher):  # type: ignore[misc]
    """Gives Tune the board's next work.

    Parameters
    ----------
    board, slots
        Shared with the scheduler.
    earlier
        What earlier sessions left of unfinished trials: trial's name to checkpoints.
    gpu_share
        Share of a GPU: trial's name to share.
    """

    def __init__(
        self,
        board: SearchBoard,
        slots: Slots,
        earlier: Callable[[str], list[str]] = lambda name: [],
        gpu_share: Callable[[str], float] = lambda name: 0.0,
    ) -> None:
        super().__init__()
        self.board, self.slots, self.earlier = board, slots, earlier
        self.gpu_share = gpu_share

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        """Return the next work, None to be asked again, or that there is no more."""
        if self.board.finished:
            return str(Searcher.FINISHED)
        if not self.slots.take(trial_id):
            return None
        work = self.board.next_work()
        if work is None:
            self.slots.free(trial_id)
            return None
        return {
            **work.to_dict(),
            "checkpoints": self.earlier(work.name),
            "gpu_share": self.gpu_share(work.name),
        }

    def on_trial_complete(
        self, trial_id: str, result: Mapping[str, Any] | None = None, error: bool = False
    ) -> None:
        """Free the slot of a trial that ended; the scheduler has told the board."""
        self.slots.free(trial_id)

    def save(self, checkpoint_path: str) -> None:
        """Save nothing: the records are the only truth."""

    def restore(self, checkpoint_path: str) -> None:
        """Restore nothing: the records are the only truth."""

    def __getstate__(self) -> dict[str, Any]:
        return {}


class BoardScheduler(TrialScheduler):  # type: ignore[misc]
    """Tells the board what trials report, and Tune what the board decides.

    Parameters
    ----------
    board, slots
        Shared with the searcher.
    halt
        Told what ends the sweep: a record that cannot be written, a search that is hopeless.
    grow
        Gives a trial, by its name, a larger share of a GPU; says whether it could.
    """

    def __init__(
        self,
        board: SearchBoard,
        slots: Slots,
        halt: Halt | None = None,
        grow: Callable[[str], bool] = lambda name: False,
    ) -> None:
        super().__init__()
        self.board, self.slots, self.halt = board, slots, halt or Halt()
        self.grow = grow
        self.trials: dict[tuple[str, int, int], Trial] = {}

    def on_trial_add(self, tune_controller: Any, trial: Trial) -> None:
        """Remember which trial has which configs."""
        for number in trial.config["numbers"]:
            self.trials[trial.config["model"], trial.config["fold"], number] = trial

    def on_trial_result(self, tune_controller: Any, trial: Trial, result: Mapping[str, Any]) -> str:
        """Pass on what was reported and return the decision for this trial."""
        search = self.board.search_of(trial.config)
        decision = Decision.CONTINUE
        with self.halt.catching():
            decision = self._tell(tune_controller, search, trial, result, done=False)
        if decision is Decision.HOLD:
            self.slots.free(trial.trial_id)
        return str(_TUNE_DECISIONS[decision])

    def on_trial_complete(
        self, tune_controller: Any, trial: Trial, result: Mapping[str, Any]
    ) -> None:
        """Pass on the last report of a trial."""
        with self.halt.catching():
            self._tell(
                tune_controller, self.board.search_of(trial.config), trial, result, done=True
            )
        self._forget(trial)

    def on_trial_error(self, tune_controller: Any, trial: Trial) -> None:
        """Record a trial that failed after all its retries; Tune calls this at each of them.

        Tune gives up at once a trial that loses its worker before it runs: that one's configs are
        handed out again. A storage that takes no checkpoint says nothing about a config.
        """
        recovers = trial.should_recover()
        cause = str(trial.get_error() or "the worker was lost").strip().splitlines()[-1]
        with self.halt.catching():
            refuse_disk_trouble(cause)
            if self.halt.reason or (recovers and trial.status != Trial.PENDING):
                return
            search = self.board.search_of(trial.config)
            report = search.on_loss if recovers else search.on_failure
            self._release(tune_controller, search, report(trial.config["numbers"], cause[:300]))
        self._forget(trial)

    def on_trial_remove(self, tune_controller: Any, trial: Trial) -> None:
        """Forget a held trial that the board has pruned."""
        self._forget(trial)

    def choose_trial_to_run(self, tune_controller: Any) -> Trial | None:
        """Prefer trials promoted at a rung over new ones: their batch waits for them."""
        fresh = None
        for trial in tune_controller.get_trials():
            promoted = trial.status == Trial.PAUSED and self._is_promoted(trial)
            if promoted and self.slots.take(trial.trial_id):
                return trial
            if fresh is None and trial.status == Trial.PENDING:
                fresh = trial
        return fresh

    def debug_string(self) -> str:
        """Return nothing: gx2c prints its own progress."""
        return ""

    def save(self, checkpoint_path: str) -> None:
        """Save nothing: the records are the only truth."""

    def restore(self, checkpoint_path: str) -> None:
        """Restore nothing: the records are the only truth."""

    def __getstate__(self) -> dict[str, Any]:
        return {}

    def _is_promoted(self, trial: Trial) -> bool:
        search = self.board.search_of(trial.config)
        return trial.config["numbers"][0] in search.promoted

    def _tell(
        self,
        tune_controller: Any,
        search: FoldSearch,
        trial: Trial,
        result: Mapping[str, Any],
        *,
        done: bool,
    ) -> Decision:
        if "out_of_memory" in result:
            # the config is as good as before: it is run again with more room
            report = search.on_loss if self.grow(_name_of(trial)) else search.on_failure
            cause = f"out of GPU memory ({result['out_of_memory']})"
            self._release(tune_controller, search, report(trial.config["numbers"], cause[:300]))
        elif "results" in result:
            search.on_results(result["results"])
        elif result.get("points") is not None:
            decision, released = search.on_points(
                trial.config["numbers"][0],
                result["points"],
                result["seconds"],
                done=done,
                timed_out=result.get("timed_out", False),
            )
            self._release(tune_controller, search, released)
            return decision
        return Decision.CONTINUE

    def _release(
        self, tune_controller: Any, search: FoldSearch, released: Mapping[int, Decision]
    ) -> None:
        for number, decision in released.items():
            trial = self.trials.get((search.model, search.fold, number))
            # a promoted trial is picked up by choose_trial_to_run
            if decision is Decision.STOP and trial is not None:
                tune_controller.stop_trial(trial)

    def _forget(self, trial: Trial) -> None:
        for number in trial.config["numbers"]:
            self.trials.pop((trial.config["model"], trial.config["fold"], number), None)
        _lighten(trial)


def _lighten(trial: Trial) -> None:
    """Drop from an ended trial what its records hold: Tune keeps several copies until the end."""
    # in place, for Tune refers to the same object elsewhere
    trial.config["configs"] = []
    trial.evaluated_params = {}
    # it spells all configs out, and the statistics follow every number of every result
    trial.experiment_tag = ""
    trial.run_metadata.metric_analysis = {}
    trial.run_metadata.metric_n_steps = {}
    heavy = ("config", "results", "points")
    last = trial.run_metadata.last_result or {}
    trial.run_metadata.last_result = {k: v for k, v in last.items() if k not in heavy}
    trial.invalidate_json_state()
    trial.run_metadata.invalidate_cache()


def _name_of(trial: Trial) -> str:
    return TrialWork.from_dict({**trial.config, "configs": []}).name


class AsyncBoardScheduler(BoardScheduler):
    """Ray's own ASHA, one rung table per search; decisions depend on arrival order.

    Parameters
    ----------
    board, slots, halt, grow
        As of the scheduler that waits.
    grace_passes, max_passes, eta
        Of ASHA.
    """

    def __init__(
        self,
        board: SearchBoard,
        slots: Slots,
        halt: Halt | None = None,
        grow: Callable[[str], bool] = lambda name: False,
        *,
        grace_passes: int,
        max_passes: int,
        eta: int,
    ) -> None:
        super().__init__(board, slots, halt, grow)
        self.schedulers = {
            key: ASHAScheduler(
                time_attr="passes",
                metric="score",
                mode="max",
                grace_period=min(grace_passes, max_passes),
                max_t=max_passes,
                reduction_factor=eta,
            )
            for key in board.searches
        }

    def on_trial_add(self, tune_controller: Any, trial: Trial) -> None:
        """Let this search's scheduler know the trial."""
        super().on_trial_add(tune_controller, trial)
        self._scheduler_of(trial).on_trial_add(tune_controller, trial)

    def on_trial_result(self, tune_controller: Any, trial: Trial, result: Mapping[str, Any]) -> str:
        """Record what was reported and let ASHA decide about a network."""
        decision = super().on_trial_result(tune_controller, trial, result)
        if "results" in result:
            return decision
        decision = str(self._scheduler_of(trial).on_trial_result(tune_controller, trial, result))
        if decision == TrialScheduler.STOP:
            with self.halt.catching():
                self.board.search_of(trial.config).on_prune(trial.config["numbers"][0])
        return decision

    def _scheduler_of(self, trial: Trial) -> Any:
        return self.schedulers[trial.config["model"], trial.config["fold"]]
