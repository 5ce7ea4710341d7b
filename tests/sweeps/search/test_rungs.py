from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeps.search.rungs import SCHEDULERS, RungRule, make_rule, rung_milestones

scores = st.dictionaries(
    st.integers(0, 40), st.floats(-5, 5) | st.just(-math.inf), min_size=1, max_size=25
)


@pytest.mark.parametrize(
    ("grace", "most", "expected"),
    [
        (10, 200, (10, 30, 90)),
        (15, 60, (15, 45)),
        (1, 2, (1,)),
        (1, 1, ()),
        (10, 10, ()),
        (10, 11, (10,)),
        (10, 30, (10,)),
        (50, 20, ()),
    ],
)
def test_milestones_grow_by_three_and_end_below_the_last_epoch(grace, most, expected):
    assert rung_milestones(grace, most) == expected


def test_one_in_three_goes_on():
    table = {number: float(number) for number in range(8)}
    assert RungRule((10,), 8).promoted(table, set(table)) == {6, 7}


def test_at_least_one_goes_on_in_a_small_batch():
    assert RungRule((10,), 8).promoted({0: -2.0, 1: -1.0}, {0, 1}) == {1}


def test_ties_go_to_the_lower_number():
    table = dict.fromkeys(range(8), 0.5)
    assert RungRule((10,), 8).promoted(table, set(table)) == {0, 1}


def test_nothing_goes_on_where_nothing_has_a_score():
    table = dict.fromkeys(range(8), -math.inf)
    assert RungRule((10,), 8).promoted(table, set(table)) == set()


def test_a_config_without_score_never_fills_a_free_place():
    table = {0: 1.0} | dict.fromkeys(range(1, 9), -math.inf)
    assert RungRule((10,), 8).promoted(table, set(table)) == {0}


def test_earlier_batches_are_rivals():
    earlier = {number: 10.0 + number for number in range(8)}
    batch = {number: float(number) for number in range(8, 16)}
    rule = RungRule((10,), 8)
    assert rule.promoted(earlier | batch, set(batch)) == {15}
    weak = {number: -float(number) for number in range(8, 16)}
    assert rule.promoted(earlier | weak, set(weak)) == set()


def test_keep_replaces_the_share():
    table = {number: float(number) for number in range(30)}
    assert RungRule((1,), 0, keep=3).promoted(table, set(table)) == {27, 28, 29}


@given(table=scores, keep=st.integers(0, 4), data=st.data())
def test_promoted_is_the_top_of_the_table_and_among_the_held(table, keep, data):
    held = set(data.draw(st.lists(st.sampled_from(sorted(table)), unique=True)))
    promoted = RungRule((1,), 0, keep=keep).promoted(table, held)
    n_keep = keep or max(1, len(table) // 3)
    assert promoted <= held
    assert len(promoted) <= n_keep
    for number in promoted:
        assert math.isfinite(table[number])
        assert sum(score > table[number] for score in table.values()) < n_keep


@given(table=scores)
def test_promotion_does_not_depend_on_the_order_of_the_table(table):
    rule, turned = RungRule((1,), 0), dict(reversed(table.items()))
    assert rule.promoted(table, set(table)) == rule.promoted(turned, set(turned))


def test_each_scheduler_has_its_rule():
    rules = {name: make_rule(name, max_epochs=60, grace_epochs=15) for name in SCHEDULERS}
    assert (rules["asha"].milestones, rules["asha"].batch_size) == ((15, 45), 8)
    assert rules["none"].milestones == ()
    assert (rules["one-epoch"].milestones, rules["one-epoch"].keep) == ((1,), 3)
    assert rules["one-epoch"].batch_size == 0, "all at once"
    assert not rules["asha-async"].waits
    assert rules["asha-async"].milestones == (15, 45), "ASHA decides on what is reported there"
    assert all(rules[name].waits for name in SCHEDULERS if name != "asha-async")


def test_one_epoch_of_one_epoch_has_no_rung():
    assert make_rule("one-epoch", max_epochs=1, grace_epochs=1).milestones == ()
