"""What the benchmark reports, on outcomes computed by hand and on the recorded curves."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from planted_curves import late_bloomer, ranked_curves

from benchmarks.contenders import REFERENCE, asha_rule, make_contenders, passes_of
from benchmarks.schedulers import (
    _one_epoch_regret,
    rank_correlation,
    run,
    summarise,
    summarise_means,
    table_of,
)
from sweeps.options import PRESETS


def outcomes(pool, scheduler, *, share, regret, rival=0.0) -> pd.DataFrame:
    n = len(regret)
    return pd.DataFrame(
        {
            "pool": pool,
            "scheduler": scheduler,
            "search": range(n),
            "share": share,
            "regret_mse": regret,
            "regret": regret,
            "regret_as_stopped": [2 * r for r in regret],
            "regret_of_one_epoch": [rival] * n,
        }
    )


class TestSummary:
    def test_regret_counts_as_found_within_one_standard_error(self):
        part = outcomes("a", "one", share=0.25, regret=[0.0, 1.0, 1.5, 0.6], rival=0.3)
        (row,) = summarise(part)
        assert row["fewer_passes"] == 4.0
        assert (row["finds_best"], row["finds_best_as_stopped"]) == (0.75, 0.25)
        assert row["regret"] == pytest.approx(0.775)
        assert row["gain_on_one_epoch"] == pytest.approx(0.3 - 0.775)
        assert row["loses_to_one_epoch"] == 0.25

    def test_means_weigh_pools_alike_and_average_passes_not_ratios(self):
        both = pd.concat(
            [
                outcomes("a", "one", share=1 / 2, regret=[0.0, 4.0], rival=1.0),
                outcomes("b", "one", share=1 / 4, regret=[0.0, 0.0], rival=1.0),
            ]
        )
        (mean,) = summarise_means(both)
        assert mean["fewer_passes"] == pytest.approx(1 / 0.375)
        assert (mean["finds_best"], mean["least_found"]) == (0.75, 0.5)
        assert (mean["gain_on_one_epoch"], mean["least_gain"]) == (0.0, -1.0)
        # 0 and 2 are the means of the first and of the second search over pools
        assert mean["regret_95"] == pytest.approx([0.05, 1.95])

    def test_one_epoch_is_compared_at_the_same_passes(self):
        # top 1: 5 + 9 passes, top 2: 4 + 18, ... none of them 0 before all six are trained
        regret = _one_epoch_regret(late_bloomer())
        missed = 7.0 - 5.08
        assert regret(14) == regret(46) == pytest.approx(missed)
        assert regret(50) == pytest.approx(missed / 2)
        assert regret(54) == regret(99) == 0.0

    def test_rank_correlation_is_one_until_a_late_bloomer_overtakes_all(self):
        assert rank_correlation(ranked_curves([3, 1, 2, 0]), 1) == pytest.approx(1.0)
        # 1 - 6 sum d^2 / (n (n^2 - 1)): one config moves by 5 places, five by 1
        assert rank_correlation(late_bloomer(), 1) == pytest.approx(1 - 6 * 30 / 210)


class TestContenders:
    def test_rungs_are_shares_of_the_longest_training(self):
        assert passes_of(10, 200) == 20
        assert passes_of(30, 9) == 1
        assert asha_rule(200, first_rung=10, eta=3).milestones == (20, 60, 180)

    def test_presets_and_the_reference_are_among_them(self):
        contenders = make_contenders(81)
        assert {REFERENCE, *(f"preset {name}" for name in PRESETS)} <= contenders.keys()


@pytest.fixture(scope="module")
def result():
    return run(n_searches=6)


class TestRun:
    def test_is_reproducible_and_plain(self, result):
        assert json.dumps(run(n_searches=6)) == json.dumps(result)

    def test_asha_is_the_search_of_sweeps(self, result):
        assert result["asha_is_the_search_of_sweeps"] is True

    def test_training_everything_costs_everything_and_regrets_nothing(self, result):
        tables = [*result["by_pool"].values(), result["mean"]]
        rows = [r for rows in tables for r in rows if r["scheduler"] == "everything"]
        assert len(rows) == len(result["pools"]) + 1 == 7
        for row in rows:
            assert (row["fewer_passes"], row["regret"], row["finds_best"]) == (1.0, 0.0, 1.0)

    def test_table_has_a_line_for_every_scheduler(self, result):
        table = table_of(result["mean"], {"found": lambda row: f"{row['finds_best']:.1f}"})
        assert table.splitlines()[:2] == ["| scheduler | found |", "|---|---|"]
        assert len(table.splitlines()) == 2 + len(result["mean"])
