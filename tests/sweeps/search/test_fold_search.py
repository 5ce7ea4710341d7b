from __future__ import annotations

import math
import random
from collections import Counter
from dataclasses import replace
from functools import partial

import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from planted_search import (
    MAX_EPOCHS,
    MemoryStore,
    Simulation,
    make_search,
    make_study,
    outcome,
    planted_curve,
    run_to_end,
)

from gx2c.errors import UserError
from sweeps.phases.search import best_record
from sweeps.search.board import SearchBoard
from sweeps.search.fold_search import FoldSearch
from sweeps.search.rungs import Decision, RungRule, best_score, make_rule
from sweeps.search.seeds import trial_seed
from trainables.work import TrialWork

SYNCHRONOUS = ("asha", "one-epoch", "none")
RULES = {name: make_rule(name, max_epochs=MAX_EPOCHS, grace_epochs=2) for name in SYNCHRONOUS}


@pytest.fixture(scope="module")
def references() -> dict[str, list]:
    """Each scheduler's records with one worker, never killed."""
    return {name: outcome(run_to_end(0, rule=rule)) for name, rule in RULES.items()}


def test_the_planted_search_has_every_kind_of_end(references):
    states = Counter(record["state"] for record in references["asha"])
    assert set(states) == {"COMPLETE", "PRUNED", "FAILED"}
    assert len(references["asha"]) == 20
    assert any(
        r["state"] == "COMPLETE" and len(r["curve"]) < MAX_EPOCHS for r in references["asha"]
    )


@settings(max_examples=25)
@given(
    scheduler=st.sampled_from(SYNCHRONOUS),
    seed=st.integers(0, 2**32),
    workers=st.integers(1, 12),
    kill_after=st.lists(st.integers(0, 150), max_size=4).map(tuple),
)
def test_records_depend_on_no_timing_no_workers_and_no_kill(
    references, scheduler, seed, workers, kill_after
):
    store = run_to_end(seed, workers=workers, kill_after=kill_after, rule=RULES[scheduler])
    assert outcome(store) == references[scheduler]


def test_another_seed_of_the_sweep_gives_other_records(references):
    store = MemoryStore()
    search = make_search(store, rule=RULES["asha"])
    search.seed_of = partial(trial_seed, 2, "mlp", 0)
    work = search.next_work()
    assert work is not None and work.seeds[0] != references["asha"][0]["seed"]


def test_the_asynchronous_rule_ends_and_never_holds():
    rule = make_rule("asha-async", max_epochs=MAX_EPOCHS, grace_epochs=2)
    store = run_to_end(3, workers=4, rule=rule, kill_after=(30,))
    assert {record["state"] for record in outcome(store)} <= {"COMPLETE", "FAILED"}
    assert [record["number"] for record in outcome(store)] == list(range(20))


def test_an_asynchronous_search_that_goes_on_tells_each_score_with_its_own_values():
    """Later configs may be finished before earlier ones when the driver is killed."""
    rule = make_rule("asha-async", max_epochs=MAX_EPOCHS, grace_epochs=2)
    store = run_to_end(3, workers=4, rule=rule)
    for number in (3, 4, 9):
        del store.texts["mlp", 0, number]
    again = make_search(store, rule=rule)
    handed_out = Simulation(again, random.Random(0), workers=1)
    assert handed_out.run()
    assert handed_out.handed_out == [3, 4, 9]
    told = [
        (trial.params, trial.value)
        for trial in again.study.study.trials
        if trial.state is optuna.trial.TrialState.COMPLETE
    ]
    recorded = [(r.params, r.score) for r in again.records.values() if r.state == "COMPLETE"]
    assert sorted(map(str, told)) == sorted(map(str, recorded))


def test_later_batches_say_nothing_about_an_earlier_config_that_is_made_anew(references):
    store = run_to_end(0, rule=RULES["asha"])
    for number in (1, 3, 6):
        del store.texts["mlp", 0, number]
    assert Simulation(make_search(store, rule=RULES["asha"]), random.Random(5), workers=3).run()
    assert outcome(store) == references["asha"]


def test_a_finished_search_hands_out_nothing():
    store = run_to_end(0)
    search = make_search(store)
    assert search.finished
    assert search.next_work() is None
    assert store.saves == 20


def test_a_search_of_more_configs_continues_from_whole_batches():
    store = run_to_end(0, n_configs=8)
    search = make_search(store, n_configs=16)
    simulation = Simulation(search, random.Random(0), workers=2)
    assert simulation.run()
    assert sorted(set(simulation.handed_out)) == list(range(8, 16))


def test_the_best_is_among_complete_configs_only():
    records = list(run_to_end(0).load("mlp", 0).values())
    best = best_record(records, model="mlp", fold=0)
    complete = [r for r in records if r.state == "COMPLETE"]
    assert best.score == max(r.score for r in complete)
    pruned = [r for r in records if r.state == "PRUNED" and r.score is not None]
    tempting = [r for r in pruned if r.score >= best.score]
    better = [
        *(r for r in records if r is not best),
        type(best)(**{**vars(pruned[0]), "score": best.score + 1, "number": 99}),
        best,
    ]
    assert best_record(better, model="mlp", fold=0) == best, tempting


def test_of_equal_configs_the_first_is_best():
    first, second = (
        type(r)(**{**vars(r), "state": "COMPLETE", "score": -0.5, "number": n})
        for n, r in enumerate(list(run_to_end(0).load("mlp", 0).values())[:2])
    )
    assert best_record([second, first], model="mlp", fold=0) is first


def test_a_record_is_the_curve_s_best_point_and_the_fewest_epochs_of_equals():
    for record in run_to_end(0).load("mlp", 0).values():
        if record.state != "COMPLETE":
            continue
        scores = {p["epochs"]: p["score"] for p in record.curve}
        assert record.score == max(scores.values())
        assert record.epochs == min(p for p, s in scores.items() if s == record.score)
        assert [p["epochs"] for p in record.curve] == list(range(1, len(record.curve) + 1))


def planted_points(work: TrialWork, n: int, *, diverged: bool) -> list[dict]:
    good = {"score": -0.5, "validation": {"mse": 0.5}, "train_mse": 0.1, "learning_rate": 0.1}
    bad = good | {"score": -math.inf, "validation": {}}
    return [{"epochs": k + 1, **(bad if diverged else good)} for k in range(n)]


def test_five_failures_in_a_row_stop_the_search_with_advice_and_stay_visible():
    store = MemoryStore()
    search = make_search(store, rule=RULES["none"])
    ends = [True, True, True, True, False, True, True, True]
    for diverged in ends:
        work = search.next_work()
        search.on_points(work.numbers[0], planted_points(work, 3, diverged=diverged), 1, done=True)
    for _ in range(2):
        work = search.next_work()
        points = planted_points(work, 1, diverged=True)
        if work.numbers[0] < 9:
            search.on_points(work.numbers[0], points, 1.0, done=True)
    with pytest.raises(UserError, match="configs 5 to 9 .* all failed .*gx2c data check") as caught:
        search.on_points(work.numbers[0], points, 1.0, done=True)
    assert "diverged at epoch 3; diverged at epoch 1" in str(caught.value)
    assert [r["state"] for r in outcome(store)].count("FAILED") == 9
    with pytest.raises(UserError, match="all failed"):
        make_search(store, rule=RULES["none"])


def test_a_trial_that_takes_too_long_is_pruned_and_says_why():
    store = MemoryStore()
    search = make_search(store)
    work = search.next_work()
    points = planted_points(work, 1, diverged=False)
    decision, _ = search.on_points(0, points, 61.2, done=False, timed_out=True)
    assert decision is Decision.STOP
    record = search.records[0]
    assert (record.state, record.cause) == ("PRUNED", "stopped after 61 s (--trial-timeout)")
    assert (record.score, record.seconds) == (-0.5, 61.2)


def test_configs_that_diverged_or_have_no_score_are_failed():
    store = run_to_end(0, n_configs=40)
    records = store.load("mlp", 0).values()
    diverged = [r for r in records if r.curve and not r.curve[-1]["validation"]]
    assert diverged
    for record in diverged:
        assert (record.state, record.score) == ("FAILED", None)
        assert record.cause == f"diverged at epoch {len(record.curve)}"


def test_a_config_whose_last_epoch_has_no_score_keeps_its_best():
    """A constant prediction has no correlation; the epochs before it count all the same."""
    search = make_search(MemoryStore(), n_configs=1, rule=RULES["none"])
    work = search.next_work()
    assert work is not None
    points = [point(1, 0.4), point(2, 0.6), point(3, -math.inf)]
    search.on_points(0, points, 1.0, done=True)
    assert (search.records[0].state, search.records[0].score) == ("COMPLETE", 0.6)
    assert search.records[0].epochs == 2


def test_a_config_that_never_had_a_score_is_failed_and_says_why():
    search = make_search(MemoryStore(), n_configs=1, rule=RULES["none"])
    search.next_work()
    search.on_points(0, [point(1, -math.inf), point(2, -math.inf)], 1.0, done=True)
    assert search.records[0].state == "FAILED"
    assert "constant" in search.records[0].cause


def test_a_batch_without_a_single_score_is_pruned_and_told():
    search = make_search(MemoryStore(), n_configs=8)
    works = [search.next_work() for _ in range(8)]
    for work in works:
        assert isinstance(work, TrialWork)
        points = [point(1, -math.inf), point(2, -math.inf)]
        search.on_points(work.numbers[0], points, 1.0, done=False)
    assert search.finished
    assert {r.state for r in search.records.values()} == {"PRUNED"}
    assert not search.study.open, "all were told"
    make_study("mlp", list(search.records.values())).ask(8, 8)


def test_optuna_is_told_every_state():
    store = run_to_end(0)
    search = make_search(store)
    names = {"COMPLETE": "COMPLETE", "PRUNED": "PRUNED", "FAILED": "FAIL"}
    trials = search.study.study.trials
    records = store.load("mlp", 0)
    assert [t.state.name for t in trials] == [names[r.state] for r in records.values()]
    for trial, record in zip(trials, records.values(), strict=True):
        if record.state == "COMPLETE":
            assert trial.value == record.score
        if record.state == "PRUNED" and record.score is not None:
            assert trial.intermediate_values == {len(record.curve): record.score}


def test_a_failed_trial_releases_those_that_wait_for_it():
    search = make_search(MemoryStore(), n_configs=4)
    works = [search.next_work() for _ in range(4)]
    assert search.next_work() is None
    for number in (0, 1, 2):
        decision, released = search.on_points(
            number, [point(1, -1.0), point(2, -float(number))], 1.0, done=False
        )
        assert (decision, released) == (Decision.HOLD, {})
    released = search.on_failure(works[3].numbers, "the worker was lost")
    assert released == {0: Decision.CONTINUE, 1: Decision.STOP, 2: Decision.STOP}
    assert search.promoted == {0}
    assert search.records[3].cause == "the worker was lost"
    assert search.records[3].score is None


def test_reports_about_configs_that_are_finished_are_ignored():
    search = make_search(MemoryStore(), n_configs=2, rule=RULES["none"])
    search.next_work()
    search.on_points(0, [point(1, 0.5)], 1.0, done=True)
    before = search.records[0]
    assert search.on_points(0, [point(1, 0.9)], 1.0, done=True) == (Decision.STOP, {})
    assert search.on_failure([0], "late") == {}
    search.on_prune(0)
    search.on_results([{"number": 0, "score": 1.0, "validation": {}, "seconds": 0.0}])
    assert search.records[0] == before


def closed_form_records(configs_per_trial: int, *, model: str = "geography+genes") -> list:
    store = MemoryStore()
    rule = RungRule((), 32)
    search = make_search(
        store, model=model, n_configs=40, rule=rule, configs_per_trial=configs_per_trial
    )
    sizes = []
    while (work := search.next_work()) is not None:
        sizes.append(len(work.numbers))
        search.on_results(
            [
                {
                    "number": number,
                    "score": -abs(math.sin(float(str(config.hyperparameters["ridge"])) * 9)),
                    "validation": {"mse": 0.1},
                    "seconds": 0.0,
                }
                for number, config in zip(work.numbers, work.configs, strict=True)
            ]
        )
    assert search.finished
    assert max(sizes) == configs_per_trial
    return outcome(store, model)


def test_closed_forms_in_one_trial_or_in_many_are_the_same():
    assert closed_form_records(32) == closed_form_records(1)
    assert [r["curve"] for r in closed_form_records(32)] == [[]] * 40


def test_a_closed_form_that_cannot_be_fitted_fails_alone():
    search = make_search(
        MemoryStore(), model="geography", n_configs=2, rule=RungRule((), 32), configs_per_trial=32
    )
    search.next_work()
    common = {"validation": {}, "seconds": 0.0}
    search.on_results(
        [
            {"number": 0, "score": -math.inf, "cause": "use a larger ridge", **common},
            {"number": 1, "score": -0.1, "validation": {"mse": 0.1}, "seconds": 0.0},
        ]
    )
    assert [search.records[n].state for n in (0, 1)] == ["FAILED", "COMPLETE"]
    assert search.records[0].cause == "use a larger ridge"


@pytest.mark.parametrize("seed", range(3))
def test_an_outer_fold_is_the_same_when_others_run_beside_it(seed):
    alone = [outcome(run_to_end(0, fold=fold), fold=fold) for fold in range(3)]
    store, rng = MemoryStore(), random.Random(seed)
    board = SearchBoard([make_search(store, fold=fold) for fold in range(3)])
    simulations = [Simulation(s, rng, workers=2) for s in board.searches.values()]
    while not board.finished:
        rng.choice([s for s in simulations if not s.search.finished]).step()
    assert [outcome(store, fold=fold) for fold in range(3)] == alone
    params = [[r["params"] for r in records] for records in alone]
    assert params[0][1:] != params[1][1:], "folds search apart"


def test_the_board_asks_searches_in_turn_so_that_none_starves():
    board = SearchBoard([make_search(MemoryStore(), fold=fold) for fold in range(3)])
    folds = [work.fold for work in (board.next_work() for _ in range(24)) if work]
    assert folds == [0, 1, 2] * 8
    assert board.next_work() is None
    assert not board.finished


def test_progress_counts_one_model_only():
    store = run_to_end(0)
    board = SearchBoard([make_search(store), make_search(MemoryStore(), fold=1)])
    progress = board.progress(["mlp"])
    assert (progress.folds_done, progress.folds, progress.done, progress.total) == (1, 2, 20, 40)
    assert progress.pruned + progress.failed < 20
    assert progress.best == max(r["score"] for r in outcome(store) if r["state"] == "COMPLETE")
    assert board.progress(["smt"]).total == 0


def test_best_score_looks_no_further_than_the_milestone():
    curve = [{"epochs": 1, "score": 0.1}, {"epochs": 2, "score": None}, {"epochs": 3, "score": 9.0}]
    assert best_score(curve, 2) == 0.1
    assert best_score(curve, 3) == 9.0
    assert best_score([], 3) == -math.inf


def test_a_trial_that_repeats_epochs_does_not_change_its_record():
    search = make_search(MemoryStore(), n_configs=1, rule=RULES["none"])
    work = search.next_work()
    assert work is not None
    points = planted_curve(work)
    once = _record_of(search, [points])
    search = make_search(MemoryStore(), n_configs=1, rule=RULES["none"])
    search.next_work()
    assert _record_of(search, [points[:3], points[:2], points[1:4], points]) == once


def _record_of(search: FoldSearch, reports: list) -> dict:
    for report in reports[:-1]:
        search.on_points(0, report, 1.0, done=False)
    search.on_points(0, reports[-1], 1.0, done=True)
    return vars(replace(search.records[0], started=0.0, ended=0.0))


def point(epochs: int, score: float) -> dict:
    return {
        "epochs": epochs,
        "score": score,
        "validation": {"mse": 0.5, "pearson_r": score},
        "train_mse": 0.1,
        "learning_rate": 1e-3,
    }
