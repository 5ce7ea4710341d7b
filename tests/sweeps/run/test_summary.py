from __future__ import annotations

import io
import json
import math
import shutil
from typing import Any

import numpy as np
import pandas as pd
import pytest
from rich.console import Console
from sweep_fixtures import make_plan, run_nulls, search_and_retrain, summary_of

from gx2c.metrics import METRICS
from sweeps.cli.summary_text import print_summary, summary_lines
from sweeps.folder.paths import SweepPaths
from sweeps.folder.records import read_json, write_json
from sweeps.folder.summary_file import Summary, read_summary, write_summary
from sweeps.report.build import write_report
from sweeps.request import plan as plan_module
from sweeps.request.options import make_options
from sweeps.request.plan import configs_per_fold
from sweeps.run.summary import gains

LOSSES = ("mse", "mae")


def scores(value: float, loss: float) -> dict[str, float]:
    return {name: loss if name in LOSSES else value for name in METRICS}


def test_a_gain_is_positive_where_the_model_is_better():
    better = gains([scores(0.5, 0.1), scores(0.6, 0.2)], [scores(0.4, 0.3), scores(0.4, 0.3)])
    for name in METRICS:
        assert better[name].mean == pytest.approx(0.15)
        assert better[name].per_fold == pytest.approx([0.2, 0.1] if name in LOSSES else [0.1, 0.2])
        assert better[name].n == 2
    worse = gains([scores(0.1, 0.9)], [scores(0.4, 0.3)])
    assert all(worse[name].mean < 0 for name in METRICS)


def test_a_gain_over_itself_is_nothing():
    same = gains([scores(0.5, 0.1)], [scores(0.5, 0.1)])
    assert all(gain.mean == 0 for gain in same.values())


def test_a_fold_without_a_score_leaves_no_gain():
    gain = gains([scores(math.nan, 0.1), scores(0.5, 0.1)], [scores(0.1, 0.1), scores(0.1, 0.1)])
    assert math.isnan(gain["pearson_r"].mean)
    assert gain["mse"].mean == 0


def test_folds_must_be_the_same():
    with pytest.raises(ValueError, match="zip"):
        gains([scores(0.5, 0.1)], [])


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, SweepPaths, Summary]:
    """A tiny sweep of geography+genes, with nulls, run in this process."""
    paths = SweepPaths(tmp_path_factory.mktemp("finished") / "run")
    plan = make_plan("geography+genes", nulls=3)
    nulls = run_nulls(plan, paths, search_and_retrain(plan, paths))
    return plan, paths, summary_of(plan, paths, nulls)


def test_the_summary_has_all_that_is_promised(finished):
    _, _, found = finished
    summary = found.model_dump(exclude_unset=True)
    promised = {
        "model", "dataset", "split", "seed", "n_regions", "n_genes", "folds", "test", "geography",
        "nulls", "provenance", "seconds",
    }  # fmt: skip
    assert promised <= set(summary)
    for number, fold in enumerate(summary["folds"]):
        assert fold["fold"] == number
        assert {"n_train_regions", "n_test_regions", "best_config", "epochs"} <= set(fold)
        assert set(fold["test"]) == set(METRICS)
        assert set(fold["trials"]) == {"total", "pruned", "failed"}
    for name in METRICS:
        assert {"mean", "sd", "n"} <= set(summary["test"][name])
        assert {"mean", "sd", "n"} <= set(summary["geography"]["test"][name])
        assert "mean" in summary["geography"]["gain"][name]
    assert {"n", "method", "moved", "search", "pearson_r", "gain", "p_value", "p_floor"} <= set(
        summary["nulls"]
    )
    assert {"versions", "git_commit", "dataset", "seeds", "profile", "host", "command"} <= set(
        summary["provenance"]
    )


def test_the_numbers_follow_from_the_folds(finished):
    plan, _, summary = finished
    assert summary.n_genes == 12
    r = [fold.test["pearson_r"] for fold in summary.folds]
    rival = [fold.test["pearson_r"] for fold in summary.rival_folds]
    assert summary.score("pearson_r").mean == pytest.approx(np.mean(r))
    gain = summary.gain("pearson_r").mean
    assert gain == pytest.approx(np.mean(np.subtract(r, rival)))
    regions = [f.n_train_regions + f.n_test_regions for f in summary.folds]
    assert regions == [plan.brain.n_regions] * 2


def test_geography_is_searched_as_much_as_its_rival(finished):
    plan, paths, _ = finished
    counts = {key: len(records) for key, records in plan.board(paths).records().items()}
    assert (
        counts["geography", 0] >= plan_module.MIN_GEOGRAPHY_CONFIGS > counts["geography+genes", 0]
    )
    options = make_options("mlp", preset="quick", samples=50)
    assert configs_per_fold(options, "geography") == 50


def test_the_nulls_are_compared_with_the_same_average(finished):
    _, paths, summary = finished
    table = np.loadtxt(paths.null_scores("geography+genes"), skiprows=1, delimiter="\t")
    r = table[:, 1 + list(METRICS).index("pearson_r")]
    nulls = summary.nulls
    observed = summary.score("pearson_r").mean
    assert nulls.n == len(r) == 3
    assert nulls.spread("pearson_r").mean == pytest.approx(r.mean())
    assert nulls.gain["pearson_r"] == pytest.approx(observed - r.mean())
    assert nulls.p_value == pytest.approx((1 + np.count_nonzero(r >= observed)) / 4)
    assert nulls.p_floor == 0.25
    assert nulls.failed == 0
    assert (nulls.search, nulls.adjusted_for_geography) == ("full", True)


def test_a_score_that_is_undefined_ends_in_a_summary_all_the_same(finished, tmp_path):
    """A constant prediction has no correlation; hours of nulls must not end in an error."""
    plan, paths, _ = finished
    copy = SweepPaths(tmp_path / "run")
    shutil.copytree(paths.root, copy.root)
    record = read_json(copy.retrained("geography+genes", 1))
    record["test"]["pearson_r"] = None
    write_json(copy.retrained("geography+genes", 1), record)
    table = pd.read_csv(copy.null_scores("geography+genes"), sep="\t", index_col="null")
    summary = summary_of(plan, copy, {"geography+genes": table})
    assert math.isnan(summary.score("pearson_r").mean)
    assert math.isnan(summary.nulls.p_value)
    assert math.isnan(summary.nulls.gain["pearson_r"])
    assert math.isfinite(summary.nulls.p_values["mse"])
    assert math.isfinite(summary.nulls.spread("pearson_r").mean)
    write_summary(copy, summary)
    # nan is no nan's equal
    assert repr(read_summary(copy)) == repr(summary), "what is read is what was written"
    assert json.loads(copy.summary.read_text())["nulls"]["p_value"] is None
    assert "undefined" in text_of(summary, copy)
    write_report(copy)


def text_of(summary: Summary, paths: SweepPaths) -> str:
    text = io.StringIO()
    print_summary(summary, paths, Console(width=200, file=text))
    return text.getvalue()


def test_the_table_says_what_the_summary_says(finished):
    _, paths, summary = finished
    text = text_of(summary, paths)
    assert f"{summary.score('pearson_r').mean:.3f}" in text
    assert "gain over geography" in text
    assert f"p = {summary.nulls.p_value:.3f} (floor 0.250)" in text
    assert "search repeated in each null; adjusted for geography" in text
    assert str(paths.report) in text


def test_no_nulls_are_said_to_be_none(finished):
    plan, paths, _ = finished
    summary = summary_of(plan, paths, None)
    assert summary.nulls is None
    assert any("not asked for" in line for line in summary_lines(summary))
