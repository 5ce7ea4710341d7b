"""Tune's searcher and scheduler as views of the board; Ray itself does not run here."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from planted_search import MAX_EPOCHS, MemoryStore, make_search, outcome, planted_curve, run_to_end
from ray.tune.experiment import Trial
from ray.tune.schedulers import TrialScheduler
from ray.tune.search import Searcher

from gx2c.errors import UserError
from sweeps.search.board import SearchBoard
from sweeps.search.callbacks import Halt
from sweeps.search.fold_search import MAX_LOSSES
from sweeps.search.rungs import make_rule
from sweeps.search.tune_adapters import (
    AsyncBoardScheduler,
    BoardScheduler,
    BoardSearcher,
    Slots,
)
from sweeps.workers.tasks import Packing
from trainables.work import TrialWork


@dataclass
class FakeTrial:
    """What the adapters read of a trial of Tune's."""

    trial_id: str
    config: dict[str, Any]
    status: str = Trial.PENDING
    at: int = 0
    points: list[dict[str, Any]] = field(default_factory=list)
    retries_left: int = 0
    evaluated_params: dict[str, Any] = field(default_factory=dict)
    run_metadata: Any = field(
        default_factory=lambda: SimpleNamespace(last_result={}, invalidate_cache=lambda: None)
    )

    def should_recover(self) -> bool:
        return self.retries_left > 0

    def invalidate_json_state(self) -> None: ...

    def get_error(self) -> str:
        return "first line\nWorkerCrashedError: gone\n"


class FakeTune:
    """Tune's controller in a few lines: starts, steps, pauses and stops trials."""

    def __init__(self, board: SearchBoard, slots: Slots, scheduler: BoardScheduler) -> None:
        self.searcher, self.scheduler = BoardSearcher(board, slots), scheduler
        self.board = board
        self.trials: list[FakeTrial] = []
        self.most_at_once = 0
        self.decisions: list[str] = []

    def get_trials(self) -> list[FakeTrial]:
        return self.trials

    def stop_trial(self, trial: FakeTrial) -> None:
        assert trial.status == Trial.PAUSED, "only held trials are stopped from outside"
        trial.status = Trial.TERMINATED
        self.scheduler.on_trial_remove(self, trial)
        self.searcher.on_trial_complete(trial.trial_id)

    def run(self, *, capacity: int = 4) -> None:
        for turn in range(10_000):
            while isinstance(suggested := self._suggest(), dict):
                pass
            if suggested == Searcher.FINISHED:
                return
            running = [t for t in self.trials if t.status == Trial.RUNNING]
            while len(running) < capacity:
                chosen = self.scheduler.choose_trial_to_run(self)
                if chosen is None:
                    break
                chosen.status = Trial.RUNNING
                running.append(chosen)
            self.most_at_once = max(self.most_at_once, len(running))
            assert running or self.board.finished, "nothing runs: the sweep hangs"
            if running:
                self._step(running[turn % len(running)])
        raise AssertionError("the sweep does not end")

    def _suggest(self) -> Any:
        trial_id = f"t{len(self.trials)}"
        config = self.searcher.suggest(trial_id)
        if isinstance(config, dict):
            trial = FakeTrial(trial_id, config, points=planted_curve(TrialWork.from_dict(config)))
            self.trials.append(trial)
            self.scheduler.on_trial_add(self, trial)
        return config

    def _step(self, trial: FakeTrial) -> None:
        stops = [m for m in trial.config["milestones"] if m > trial.at] + [len(trial.points)]
        end = min(stops)
        points, trial.at = trial.points[trial.at : end], end
        result = {
            "points": points, "seconds": 1.0, "epochs": end, "score": points[-1]["score"]
        }  # fmt: skip
        if end == len(trial.points):
            trial.status = Trial.TERMINATED
            self.scheduler.on_trial_complete(self, trial, result)
            self.searcher.on_trial_complete(trial.trial_id, result)
            return
        decision = self.scheduler.on_trial_result(self, trial, result)
        self.decisions.append(decision)
        if decision == TrialScheduler.PAUSE:
            trial.status = Trial.PAUSED
        elif decision == TrialScheduler.STOP:
            trial.status = Trial.TERMINATED
            self.scheduler.on_trial_complete(self, trial, result)
            self.searcher.on_trial_complete(trial.trial_id, result)


def planted_board(store: MemoryStore, folds: int = 2, scheduler: str = "asha") -> SearchBoard:
    rule = make_rule(scheduler, max_epochs=MAX_EPOCHS, grace_epochs=2)
    return SearchBoard([make_search(store, fold=fold, rule=rule) for fold in range(folds)])


@pytest.mark.parametrize("limit", [0, 1, 2, 3])
@pytest.mark.parametrize("scheduler", ["asha", "one-epoch", "none"])
def test_any_number_of_trials_at_once_gives_the_same_records_and_never_hangs(limit, scheduler):
    store = MemoryStore()
    board, slots = planted_board(store, scheduler=scheduler), Slots(limit)
    tune = FakeTune(board, slots, BoardScheduler(board, slots))
    tune.run()
    assert tune.most_at_once == (limit or 4)
    assert not slots.taken
    rule = make_rule(scheduler, max_epochs=MAX_EPOCHS, grace_epochs=2)
    for fold in range(2):
        alone = run_to_end(0, fold=fold, rule=rule)
        assert outcome(store, fold=fold) == outcome(alone, fold=fold)
    assert not tune.scheduler.trials, "nothing is remembered of trials that ended"


def test_a_record_names_the_machine_and_the_compute_profile_of_its_device():
    store = MemoryStore()
    board, slots = planted_board(store, folds=1, scheduler="none"), Slots()
    scheduler = BoardScheduler(board, slots)
    trial = FakeTrial("t0", BoardSearcher(board, slots).suggest("t0"))
    scheduler.on_trial_add(None, trial)
    profile = {"device": "cuda", "threads": 1, "dtype": "float32", "attention": "sdpa"}
    points = planted_curve(TrialWork.from_dict(trial.config))
    found = {"points": points, "seconds": 1.0, "hostname": "with-v100", "profile": profile}
    scheduler.on_trial_complete(None, trial, found)
    (record,) = outcome(store, fold=0)
    assert (record["node"], record["profile"]) == ("with-v100", profile)


def test_ray_s_own_asha_stops_configs_and_the_board_records_them_as_pruned():
    store = MemoryStore()
    board, slots = planted_board(store, scheduler="asha-async"), Slots()
    scheduler = AsyncBoardScheduler(board, slots, grace_epochs=2, max_epochs=MAX_EPOCHS)
    tune = FakeTune(board, slots, scheduler)
    tune.run()
    states = [record["state"] for fold in range(2) for record in outcome(store, fold=fold)]
    assert len(states) == 40
    assert states.count("PRUNED") > 4
    assert states.count("COMPLETE") > 0
    assert TrialScheduler.PAUSE not in tune.decisions


def test_a_trial_that_tune_tries_again_has_not_failed():
    """Tune calls on_trial_error before each retry, and on_trial_add after it."""
    store = MemoryStore()
    board, slots = planted_board(store, folds=1), Slots()
    scheduler, searcher = BoardScheduler(board, slots), BoardSearcher(board, slots)
    trial = FakeTrial("t0", searcher.suggest("t0"), status=Trial.ERROR, retries_left=1)
    scheduler.on_trial_add(None, trial)
    scheduler.on_trial_error(None, trial)
    scheduler.on_trial_add(None, trial)
    assert not outcome(store)
    assert slots.taken == {"t0"}, "it is about to run again"


def test_a_trial_that_tune_gives_up_before_it_runs_is_handed_out_again():
    """A worker that is lost while it is reset takes its trial along, whatever max_failures."""
    store = MemoryStore()
    board, slots = planted_board(store, folds=1), Slots()
    scheduler, searcher = BoardScheduler(board, slots), BoardSearcher(board, slots)
    for k in range(MAX_LOSSES + 1):
        assert not outcome(store)
        trial = FakeTrial(f"t{k}", searcher.suggest(f"t{k}"), retries_left=3)
        assert trial.config["numbers"] == [0]
        scheduler.on_trial_add(None, trial)
        scheduler.on_trial_error(None, trial)
        searcher.on_trial_complete(trial.trial_id, error=True)
    assert outcome(store)[0]["state"] == "FAILED", "but not for ever"
    assert not slots.taken


def test_a_trial_out_of_gpu_memory_is_run_once_more_with_a_larger_share():
    store, packing = MemoryStore(), Packing(0.25)
    board, slots = planted_board(store, folds=1), Slots()
    scheduler = BoardScheduler(board, slots, grow=packing.grow)
    searcher = BoardSearcher(board, slots, gpu_share=packing.of)
    for k, share in enumerate((0.25, 0.5)):
        assert not outcome(store), "the config is as good as before"
        trial = FakeTrial(f"t{k}", searcher.suggest(f"t{k}"))
        assert (trial.config["numbers"], trial.config["gpu_share"]) == ([0], share)
        scheduler.on_trial_add(None, trial)
        scheduler.on_trial_complete(None, trial, {"out_of_memory": "2 GiB", "done": True})
        searcher.on_trial_complete(trial.trial_id)
    record = outcome(store)[0]
    assert (record["state"], record["cause"]) == ("FAILED", "out of GPU memory (2 GiB)")
    assert record["score"] is None, "a search learns nothing from it"


def test_a_trial_that_is_lost_for_good_is_recorded_with_its_cause():
    store = MemoryStore()
    board, slots = planted_board(store, folds=1), Slots()
    scheduler = BoardScheduler(board, slots)
    searcher = BoardSearcher(board, slots)
    trial = FakeTrial("t0", searcher.suggest("t0"))
    scheduler.on_trial_add(None, trial)
    scheduler.on_trial_error(None, trial)
    searcher.on_trial_complete("t0", error=True)
    record = outcome(store)[0]
    assert (record["state"], record["cause"]) == ("FAILED", "WorkerCrashedError: gone")
    assert not slots.taken


def test_a_disk_that_takes_no_checkpoint_stops_the_sweep_and_fails_no_config(monkeypatch):
    store, halt = MemoryStore(), Halt()
    board, slots = planted_board(store, folds=1), Slots()
    scheduler, searcher = BoardScheduler(board, slots, halt), BoardSearcher(board, slots)
    trial = FakeTrial("t0", searcher.suggest("t0"), status=Trial.RUNNING, retries_left=3)
    monkeypatch.setattr(
        FakeTrial, "get_error", lambda _: "x\nOSError: [Errno 28] No space left on device"
    )
    scheduler.on_trial_add(None, trial)
    scheduler.on_trial_error(None, trial)
    # Tune's next attempts change nothing any more
    trial.retries_left = 0
    scheduler.on_trial_error(None, trial)
    assert not outcome(store)
    with pytest.raises(UserError, match="No space left"):
        halt.on_step_end(0, [])


@pytest.mark.parametrize("kind", [BoardScheduler, AsyncBoardScheduler])
def test_a_record_that_cannot_be_written_stops_the_sweep_and_fails_no_config(kind, monkeypatch):
    """Tune takes what is raised while a trial ends for that trial's failure."""
    store, halt = MemoryStore(), Halt()
    board, slots = planted_board(store, scheduler="none"), Slots()
    more = {"grace_epochs": 2, "max_epochs": MAX_EPOCHS}
    scheduler = kind(board, slots, halt, **more if kind is AsyncBoardScheduler else {})

    def full(record: object) -> None:
        raise UserError("no room")

    monkeypatch.setattr(store, "save", full)
    searcher = BoardSearcher(board, slots)
    trial = FakeTrial("t0", searcher.suggest("t0"), status=Trial.RUNNING)
    scheduler.on_trial_add(None, trial)
    points = planted_curve(TrialWork.from_dict(trial.config))
    result = {"points": points, "seconds": 1.0, "epochs": len(points), "score": 0.0}
    scheduler.on_trial_complete(None, trial, result)
    with pytest.raises(UserError, match="no room"):
        halt.on_step_end(0, [])
    assert not outcome(store)


def test_a_trial_is_told_what_an_earlier_session_left_of_it():
    board, slots = planted_board(MemoryStore()), Slots()
    searcher = BoardSearcher(board, slots, lambda name: [f"somewhere/{name}/trial.pt"])
    work = TrialWork.from_dict(searcher.suggest("t0"))
    assert work.checkpoints == (f"somewhere/{work.name}/trial.pt",)


def test_a_held_trial_frees_its_slot_and_takes_one_to_go_on():
    slots = Slots(1)
    assert slots.take("a")
    assert slots.take("a"), "it has one already"
    assert not slots.take("b")
    slots.free("a")
    assert slots.take("b")
    slots.free("nobody")
    assert not slots.take("a")
    assert all(Slots(0).take(str(number)) for number in range(100))


def test_nothing_of_the_search_is_saved_with_tune():
    board, slots = planted_board(MemoryStore()), Slots()
    assert BoardSearcher(board, slots).__getstate__() == {}
    assert BoardScheduler(board, slots).__getstate__() == {}
