"""One schema of summary.json: what is written is read, by this version and of earlier ones."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from report_fixtures import make_run
from report_fixtures import read_summary as read_plain
from report_fixtures import write_summary as write_plain

from gx2c.errors import UserError
from gx2c.sealed import unsealed
from sweeps.folder.paths import SweepPaths
from sweeps.folder.summary_file import read_summary, write_summary
from sweeps.report.build import write_report


@pytest.fixture
def run(tmp_path: Path) -> SweepPaths:
    return make_run(tmp_path / "run")


def test_what_is_read_is_written_again_key_by_key(run):
    before = read_plain(run)
    write_summary(run, read_summary(run))
    assert unsealed(read_plain(run), run.summary, hint="") == before


def test_metrics_have_attributes_and_undefined_ones_are_nan(run):
    plain = read_plain(run)
    plain["nulls"]["new_metric"] = {"mean": 0.25, "sd": None}
    plain["geography"]["gain"] = {}
    write_plain(run, plain)
    summary = read_summary(run)
    assert summary.nulls.spread("new_metric").mean == 0.25
    assert math.isnan(summary.nulls.spread("new_metric").sd)
    assert math.isnan(summary.gain("pearson_r").mean)
    assert summary.score("pearson_r").mean == plain["test"]["pearson_r"]["mean"]
    assert summary.rival_folds[2].test == plain["geography"]["folds"][2]["test"]


def test_an_undefined_score_is_null_in_the_file(run):
    summary = read_summary(run)
    fold = summary.folds[0].model_copy(update={"test": {"mse": math.nan}})
    write_summary(run, summary.model_copy(update={"folds": [fold]}))
    assert json.loads(run.summary.read_text())["folds"][0]["test"] == {"mse": None}


@pytest.mark.parametrize(
    ("where", "change"),
    [
        ("folds.0.fold", {"folds": [{"fold": "0"}]}),
        ("seed", {"seed": None}),
        ("test.mse", {"test": {"mse": 3}}),
        ("nulls.p", {"nulls": {"n": 3, "p": 0.5}}),
        ("colour", {"colour": "red"}),
    ],
)
def test_what_is_no_summary_is_refused_with_its_first_problem_and_what_to_do(run, where, change):
    write_plain(run, read_plain(run) | change)
    with pytest.raises(UserError, match=rf"\({where}.*--resume") as caught:
        read_summary(run)
    assert "\n" not in str(caught.value)


def test_a_summary_of_a_version_with_passes_is_read_and_shown(run):
    text = run.summary.read_text().replace('"epochs"', '"passes"')
    run.summary.write_text(text.replace('"max_epochs"', '"max_passes"'))
    assert '"max_passes"' in run.summary.read_text()
    summary = read_summary(run)
    assert summary.folds[0].epochs >= 12
    assert summary.folds[0].best_config["training"]["max_epochs"] == 30
    assert "passes" not in write_report(run).read_text()


def test_a_finished_run_needs_a_summary(tmp_path):
    with pytest.raises(UserError, match="holds no finished run .*--resume"):
        read_summary(SweepPaths(tmp_path))


def test_a_summary_cannot_be_changed_by_who_reads_it(run):
    with pytest.raises(ValueError, match="frozen"):
        read_summary(run).seed = 2
