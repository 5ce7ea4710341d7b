"""What the benchmark reports, on outcomes computed by hand and on the recorded curves."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from planted_curves import late_bloomer, random_curves

from benchmarks.replay import Pool
from benchmarks.schedulers import (
    REFERENCE,
    asha_rule,
    draw_searches,
    epochs_of,
    make_contenders,
    one_epoch_regret,
    run,
    summarise,
)
from sweeps.request.options import PRESETS, make_options


def outcomes(pool, scheduler, *, share, regret, rival=0.0) -> pd.DataFrame:
    n = len(regret)
    return pd.DataFrame(
        {
            "pool": pool,
            "scheduler": scheduler,
            "search": range(n),
            "share": share,
            "regret": regret,
            "regret_as_stopped": [2 * r for r in regret],
            "regret_of_one_epoch": [rival] * n,
        }
    )


class TestSummary:
    def test_regret_counts_as_found_within_one_standard_error(self):
        by_pool, _ = summarise(
            outcomes("a", "one", share=0.25, regret=[0.0, 1.0, 1.5, 0.6], rival=0.3)
        )
        row = by_pool.loc["a", "one"]
        assert row["fewer_epochs"] == 4.0
        assert (row["finds_best"], row["finds_best_as_stopped"]) == (0.75, 0.25)
        assert row["regret"] == pytest.approx(0.775)
        assert row["regret_95"] == pytest.approx([0.045, 1.4625])
        assert row["gain_on_one_epoch"] == pytest.approx(0.3 - 0.775)
        assert row["loses_to_one_epoch"] == 0.25

    def test_means_weigh_pools_alike_and_average_epochs_not_ratios(self):
        both = pd.concat(
            [
                outcomes("a", "one", share=1 / 2, regret=[0.0, 4.0], rival=1.0),
                outcomes("b", "one", share=1 / 4, regret=[0.0, 0.0], rival=1.0),
            ]
        )
        mean = summarise(both)[1].loc["one"]
        assert mean["fewer_epochs"] == pytest.approx(1 / 0.375)
        assert (mean["finds_best"], mean["least_found"]) == (0.75, 0.5)
        assert (mean["gain_on_one_epoch"], mean["least_gain"]) == (0.0, -1.0)
        # 0 and 2 are the means of the first and of the second search over pools
        assert mean["regret_95"] == pytest.approx([0.05, 1.95])

    def test_one_epoch_is_compared_at_the_same_epochs(self):
        # top 1: 5 + 9 epochs, top 2: 4 + 18, ... none of them 0 before all six are trained
        regret = one_epoch_regret(late_bloomer())
        missed = 7.0 - 5.08
        assert regret(14) == regret(46) == pytest.approx(missed)
        assert regret(50) == pytest.approx(missed / 2)
        assert regret(54) == regret(99) == 0.0


class TestContenders:
    def test_rungs_are_shares_of_the_longest_training(self):
        assert epochs_of(10, 200) == 20
        assert epochs_of(30, 9) == 1
        assert asha_rule(200, first_rung=10, eta=3).milestones == (20, 60, 180)

    @pytest.mark.parametrize("preset", PRESETS)
    def test_every_preset_is_the_reference(self, preset):
        options = make_options("smt", preset=preset)
        n = options.max_epochs
        assert make_contenders(n)[REFERENCE] == (asha_rule(n), options.patience)
        assert asha_rule(n).milestones[0] == options.grace_epochs


def test_a_search_repeats_no_config():
    pool = Pool("planted", random_curves(40, n_epochs=9, patience=4, seed=3), seed_sd=1.0)
    first, again, other = (draw_searches(pool, n_searches=2, seed=seed) for seed in (1, 1, 2))
    assert len({row.tobytes() for row in first[0].scores}) == len(first[0]) == 20
    assert np.array_equal(first[1].scores, again[1].scores)
    assert not np.array_equal(first[0].scores, other[0].scores)


@pytest.fixture(scope="module")
def result():
    return run(n_searches=6)


class TestRun:
    def test_is_reproducible_and_plain(self, result):
        assert json.dumps(run(n_searches=6)) == json.dumps(result)

    def test_training_everything_costs_everything_and_regrets_nothing(self, result):
        tables = [*result["by_pool"].values(), result["mean"]]
        rows = [r for rows in tables for r in rows if r["scheduler"] == "everything"]
        assert len(rows) == len(result["pools"]) + 1 == 7
        for row in rows:
            assert (row["fewer_epochs"], row["regret"], row["finds_best"]) == (1.0, 0.0, 1.0)
