"""Ray Tune's searcher and scheduler, both thin views of the board."""

from collections.abc import Callable, Mapping
from typing import Any

from ray.tune.experiment import Trial
from ray.tune.schedulers import ASHAScheduler, TrialScheduler
from ray.tune.search import Searcher

from sweeps.folder.disk import refuse_disk_trouble
from sweeps.search.board import SearchBoard
from sweeps.search.callbacks import Halt, Stateless
from sweeps.search.fold_search import FoldSearch
from sweeps.search.fold_study import Place
from sweeps.search.rungs import ETA, Decision


class Slots:
    """Trials that run or are about to run; one held at a rung takes no slot.

    Parameters
    ----------
    limit
        Maximum number of concurrent trials; 0 for as many as the resources allow.
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
        """Release a slot if it was taken."""
        self.taken.discard(trial_id)


class BoardSearcher(Stateless, Searcher):  # type: ignore[misc]
    """Gives Tune the board's next work.

    Board and slots are shared with the scheduler. Two functions of a trial's name return the
    checkpoints of earlier sessions and the share of a GPU.
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
        """Return the next work, None to be asked again, or FINISHED."""
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
        """Free the slot of a trial that ended; the scheduler has informed the board."""
        self.slots.free(trial_id)


class BoardScheduler(Stateless, TrialScheduler):  # type: ignore[misc]
    """Passes the trials' reports to the board, and the board's decisions to Tune.

    `halt` receives exceptions that end the sweep: a record cannot be written, or all configs fail.
    `grow` gives a trial, by its name, a larger share of a GPU and returns whether it did.
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
        """Store the configs of a trial."""
        for number in trial.config["numbers"]:
            self.trials[trial.config["model"], trial.config["fold"], number] = trial

    def on_trial_result(self, tune_controller: Any, trial: Trial, result: Mapping[str, Any]) -> str:
        """Pass on the report and return the decision about this trial."""
        search = self.board.search_of(trial.config)
        decision = Decision.CONTINUE
        with self.halt.catching():
            decision = self._tell(tune_controller, search, trial, result, done=False)
        if decision is Decision.HOLD:
            self.slots.free(trial.trial_id)
        return decision.value

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
        """Record a trial that failed after all its retries; Tune calls this for each of them.

        Tune gives up a trial at once if it loses its worker before it runs; its configs are handed
        out again. A storage that refuses a checkpoint is no failure of the config.
        """
        recovers = trial.should_recover()
        error = str(trial.get_error() or "the worker was lost").strip()
        cause = error.splitlines()[-1]
        with self.halt.catching():
            refuse_disk_trouble(error)
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
        """Prefer trials promoted at a rung over new ones, because their batch waits for them."""
        fresh = None
        for trial in tune_controller.get_trials():
            held = trial.status == Trial.PAUSED
            promoted = self.board.search_of(trial.config).promoted if held else ()
            if trial.config["numbers"][0] in promoted and self.slots.take(trial.trial_id):
                return trial
            if fresh is None and trial.status == Trial.PENDING:
                fresh = trial
        return fresh

    def debug_string(self) -> str:
        """Return "", because gx2c prints its own progress."""
        return ""

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
            # not a failure of the config: it is run again with a larger share
            report = search.on_loss if self.grow(name_of(trial)) else search.on_failure
            cause = f"out of GPU memory ({result['out_of_memory']})"
            self._release(tune_controller, search, report(trial.config["numbers"], cause[:300]))
        elif "results" in result:
            search.on_results(result["results"], _place_of(trial, result))
        elif result.get("points") is not None:
            decision, released = search.on_points(
                trial.config["numbers"][0],
                result["points"],
                result["seconds"],
                done=done,
                timed_out=result.get("timed_out", False),
                place=_place_of(trial, result),
            )
            self._release(tune_controller, search, released)
            return decision
        return Decision.CONTINUE

    def _release(
        self, tune_controller: Any, search: FoldSearch, released: Mapping[int, Decision]
    ) -> None:
        for number, decision in released.items():
            trial = self.trials.get((search.model, search.fold, number))
            # choose_trial_to_run picks up promoted trials
            if decision is Decision.STOP and trial is not None:
                tune_controller.stop_trial(trial)

    def _forget(self, trial: Trial) -> None:
        for number in trial.config["numbers"]:
            self.trials.pop((trial.config["model"], trial.config["fold"], number), None)
        _lighten(trial)


def _place_of(trial: Trial, result: Mapping[str, Any]) -> Place:
    # Tune adds the name of the machine to every result
    share = trial.config.get("gpu_share", 0.0)
    return Place(result.get("hostname", ""), share, result.get("profile"))


def _lighten(trial: Trial) -> None:
    """Drop the data of an ended trial that the records hold; Tune keeps several copies of it."""
    # in place, because Tune refers to the same object elsewhere
    trial.config["configs"] = []
    trial.evaluated_params = {}
    # it contains all configs, and statistics of every number of every result
    trial.experiment_tag = ""
    trial.run_metadata.metric_analysis = {}
    trial.run_metadata.metric_n_steps = {}
    heavy = ("config", "results", "points")
    last = trial.run_metadata.last_result or {}
    trial.run_metadata.last_result = {k: v for k, v in last.items() if k not in heavy}
    trial.invalidate_json_state()
    trial.run_metadata.invalidate_cache()


def name_of(trial: Trial) -> str:
    """Return the name of a trial's work."""
    return str(trial.config["name"])


class AsyncBoardScheduler(BoardScheduler):
    """Ray's own ASHA, one rung table per search; decisions depend on arrival order."""

    def __init__(
        self, board: SearchBoard, *shared: Any, grace_epochs: int, max_epochs: int
    ) -> None:
        super().__init__(board, *shared)
        self.schedulers = {
            key: ASHAScheduler(
                time_attr="epochs",
                metric="score",
                mode="max",
                grace_period=min(grace_epochs, max_epochs),
                max_t=max_epochs,
                reduction_factor=ETA,
            )
            for key in board.searches
        }

    def on_trial_add(self, tune_controller: Any, trial: Trial) -> None:
        """Add the trial to the scheduler of its search."""
        super().on_trial_add(tune_controller, trial)
        self._scheduler_of(trial).on_trial_add(tune_controller, trial)

    def on_trial_result(self, tune_controller: Any, trial: Trial, result: Mapping[str, Any]) -> str:
        """Record the report and let ASHA decide about a network."""
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
