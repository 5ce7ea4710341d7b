from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest
import torch
from trial_fixtures import closed_form_work, make_context, network_work, without_time

from gx2c.fit import FitConfig
from trainables.runners import ClosedFormRunner, NetworkRunner, make_runner
from trainables.work import TrialContext, TrialWork


@pytest.fixture(scope="module")
def context() -> TrialContext:
    return make_context()


def run(runner: Any) -> list[dict[str, Any]]:
    results = [runner.step()]
    while not results[-1]["done"]:
        results.append(runner.step())
    return results


def curve(results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [point for result in results for point in without_time(result)["points"]]


def test_work_comes_back_from_plain_values():
    for work in (network_work(3), closed_form_work((0.1, 1.0))):
        assert TrialWork.from_dict(work.to_dict()) == work


def test_names_are_unique_and_short():
    works = [network_work(n, fold=f) for n in range(3) for f in range(2)]
    names = {work.name for work in [*works, closed_form_work((1.0, 2.0, 3.0))]}
    assert len(names) == 7
    assert "geography_fold0_config0-2" in names
    assert "mlp_fold1_config2" in names


def test_the_kind_of_model_chooses_the_runner(context):
    assert isinstance(make_runner(network_work(), context), NetworkRunner)
    assert isinstance(make_runner(closed_form_work((1.0,)), context), ClosedFormRunner)


def test_a_network_reports_at_milestones_and_at_its_end(context):
    results = run(make_runner(network_work(milestones=(2, 6)), context))
    assert [r["epochs"] for r in results] == [2, 6, 8]
    assert [r["done"] for r in results] == [False, False, True]
    assert [p["epochs"] for p in curve(results)] == list(range(1, 9))
    assert results[-1]["score"] == max(p["score"] for p in curve(results))
    assert results[0]["seconds"] < results[-1]["seconds"]


def test_how_often_a_network_reports_changes_nothing(context):
    rarely = curve(run(make_runner(network_work(milestones=()), context)))
    hasty = dataclasses.replace(context, report_interval_s=0.0)
    often = run(make_runner(network_work(milestones=()), hasty))
    assert [len(r["points"]) for r in often] == [1] * 8
    assert curve(often) == rarely
    assert len(rarely) == 8


def test_patience_ends_a_network_before_its_last_epoch(context):
    work = network_work(max_epochs=300, patience=3, milestones=())
    results = run(make_runner(work, context))
    scores = [p["score"] for p in curve(results)]
    assert len(scores) < 300
    assert len(scores) - (int(np.argmax(scores)) + 1) == 3


def test_a_network_that_takes_too_long_says_so(context):
    hasty = dataclasses.replace(context, trial_timeout_s=1e-9)
    result = make_runner(network_work(milestones=()), hasty).step()
    assert (result["epochs"], result["done"], result["timed_out"]) == (1, False, True)
    patient = dataclasses.replace(context, trial_timeout_s=1e9)
    assert not any(r["timed_out"] for r in run(make_runner(network_work(), patient)))


def test_a_network_that_diverges_is_done_and_says_so(context):
    work = network_work(max_epochs=40, schedule="constant")
    # without biases that grow slowly, float32 overflows within a few epochs
    wild = dataclasses.replace(work.configs[0].training, learning_rate=1e30)
    config = dataclasses.replace(work.configs[0], training=wild)
    results = run(make_runner(dataclasses.replace(work, configs=(config,)), context))
    last = curve(results)[-1]
    assert last["score"] == -math.inf
    assert last["validation"] == {}
    assert last["epochs"] < 40


@pytest.mark.parametrize("schedule", ["plateau", "cosine", "constant"])
@pytest.mark.parametrize("at", [1, 3, 7])
def test_a_saved_network_continues_exactly(context, tmp_path, at, schedule):
    hasty = dataclasses.replace(context, report_interval_s=0.0)
    work = network_work(milestones=(), schedule=schedule)
    whole = make_runner(work, hasty)
    expected = curve(run(whole))
    first = make_runner(work, hasty)
    for _ in range(at):
        first.step()
    torch.save(first.state_dict(), tmp_path / "state.pt")
    # what the first goes on to do must not reach what was saved
    first.step()
    second = make_runner(work, hasty)
    second.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    rest = run(second)
    assert curve(rest) == expected[at:]
    assert rest[-1]["score"] == max(p["score"] for p in expected)
    for name, weight in whole.nested.fit.weights().items():
        assert torch.equal(weight, second.nested.fit.weights()[name])


def test_closed_forms_together_or_alone_score_the_same(context):
    ridges = (0.01, 1.0, 30.0)
    together = make_runner(closed_form_work(ridges), context).step()
    assert together["done"]
    assert [r["number"] for r in together["results"]] == [0, 1, 2]
    for number, ridge in enumerate(ridges):
        alone = make_runner(closed_form_work((ridge,)), context).step()["results"][0]
        both = without_time(together)["results"][number]
        assert both | {"number": 0} == without_time({"results": [alone]})["results"][0]


def test_a_batch_of_closed_forms_that_is_slow_reports_as_it_goes(context):
    work = closed_form_work((0.01, 1.0, 30.0))
    hasty = dataclasses.replace(context, report_interval_s=0.0)
    results = run(make_runner(work, hasty))
    assert [len(r["results"]) for r in results] == [1, 1, 1]
    assert [r["done"] for r in results] == [False, False, True]
    together = make_runner(work, context).step()["results"]
    scores = [r["results"][0]["score"] for r in results]
    assert scores == [r["score"] for r in together]
    first, second = make_runner(work, hasty), make_runner(work, hasty)
    first.step()
    second.load_state_dict(first.state_dict())
    assert [r["results"][0]["number"] for r in run(second)] == [1, 2]


def test_a_closed_form_that_cannot_be_fitted_does_not_take_others_along(context):
    configs = (
        FitConfig("geography", {"ridge": 1.0}),
        # the searcher never asks for this; a failing imputation raises the same error
        FitConfig("geography", {"ridge": -1.0}),
        FitConfig("geography", {"ridge": 2.0}),
    )
    work = TrialWork("geography", 0, (0, 1, 2), configs, (0, 1, 2))
    results = make_runner(work, context).step()["results"]
    assert [math.isfinite(r["score"]) for r in results] == [True, False, True]
    assert "ridge" in results[1]["cause"]
    assert [r["cause"] for r in results[::2]] == ["", ""]


def test_the_seed_of_a_network_is_the_work_s(context):
    work = network_work()
    again = dataclasses.replace(work, seeds=(7,))
    first, second = (curve(run(make_runner(w, context))) for w in (work, again))
    assert first != second
    assert curve(run(make_runner(work, context))) == first
