from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from planted_search import GENES, SCALE, MemoryStore, make_search, make_study

from search_spaces import SEARCH_SPACES
from sweeps.folder.records import ConfigRecord, State
from sweeps.search.fold_study import FoldStudy, frozen_trial
from sweeps.search.rungs import RungRule

BATCH = 8
# enough batches for TPE to leave its random start
BATCHES = 3
STATES: tuple[State, ...] = ("COMPLETE", "PRUNED", "FAILED", "COMPLETE")


def record_of(model: str, number: int, suggestion: Any) -> ConfigRecord:
    state = STATES[number % len(STATES)]
    return ConfigRecord(
        model=model,
        fold=0,
        number=number,
        batch=number // BATCH,
        params=suggestion.params,
        config=suggestion.config.to_dict(),
        seed=number,
        state=state,
        score=None if state == "FAILED" else -0.01 * ((number * 7) % 11),
        epochs=3,
        validation={},
        curve=[{"epochs": p + 1, "score": -0.1} for p in range(3)],
    )


def live_study(model: str, *, seed: int = 7) -> tuple[FoldStudy, list[ConfigRecord]]:
    study, records = make_study(model, [], seed=seed), []
    for batch in range(BATCHES):
        first = batch * BATCH
        asked = study.ask(first, BATCH)
        made = [record_of(model, first + k, suggestion) for k, suggestion in enumerate(asked)]
        for record in made:
            study.tell(record)
        records += made
    return study, records


@pytest.mark.parametrize("model", sorted(SEARCH_SPACES))
def test_a_study_rebuilt_from_records_asks_what_the_live_one_asks(model):
    """For every model: networks, conditional spaces, and a space of nothing at all."""
    live, records = live_study(model)
    store = MemoryStore()
    for record in records:
        store.save(record)
    rebuilt = make_study(model, list(store.load(model, 0).values()))
    first = len(records)
    assert rebuilt.ask(first, BATCH) == live.ask(first, BATCH)


@pytest.mark.parametrize("model", ["smt", "geography+genes"])
def test_a_batch_depends_on_the_seed_and_the_records_alone(model):
    _, records = live_study(model)
    first = len(records)
    batch = make_study(model, records).ask(first, BATCH)
    assert make_study(model, records).ask(first, BATCH) == batch
    assert make_study(model, records, seed=8).ask(first, BATCH) != batch
    # the best and the worst change places: TPE looks elsewhere
    scores = [r.score for r in records if r.state == "COMPLETE"]
    turned = [
        replace(r, score=max(scores) + min(scores) - r.score) if r.state == "COMPLETE" else r
        for r in records
    ]
    assert make_study(model, turned).ask(first, BATCH) != batch


def test_the_first_config_is_the_published_one():
    suggestion = make_study("smt", []).ask(0, 2)[0]
    assert suggestion.params == SEARCH_SPACES["smt"].defaults(SCALE)


def test_the_first_config_is_asked_once_only():
    _, records = live_study("mlp")
    defaults = SEARCH_SPACES["mlp"].defaults(SCALE)
    assert [r.params == defaults for r in records].count(True) == 1


def test_pruned_configs_are_told_with_their_epochs_and_never_as_complete():
    study, records = live_study("mlp")
    for trial, record in zip(study.study.trials, records, strict=True):
        if record.state == "PRUNED":
            assert trial.state.name == "PRUNED"
            assert trial.intermediate_values == {3: record.score}


def test_a_pruned_config_without_a_score_can_be_told():
    study = make_study("mlp", [])
    suggestion = study.ask(0, 1)[0]
    record = replace(record_of("mlp", 1, suggestion), number=0, score=None)
    assert record.state == "PRUNED"
    study.tell(record)
    assert study.study.trials[0].state.name == "PRUNED"
    assert frozen_trial(record, SEARCH_SPACES["mlp"], SCALE, GENES).intermediate_values == {}


def test_a_space_of_nothing_gives_the_same_config_each_time():
    suggestions = make_study("exponential_decay", []).ask(0, 3)
    assert [s.params for s in suggestions] == [{}] * 3
    search = make_search(
        MemoryStore(), model="exponential_decay", n_configs=3, rule=RungRule((), 32)
    )
    assert search.next_work() is not None
