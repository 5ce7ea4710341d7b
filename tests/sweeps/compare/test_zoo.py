"""Many models under one folder, ranked; every sweep is real, but Ray stays away."""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
from html import escape
from pathlib import Path
from typing import Any

import pytest
import yaml
from sweep_fixtures import run_board_serially

from gx2c.data import load_dataset
from gx2c.data.side_files import with_gene_vectors
from gx2c.errors import UserError
from gx2c.saved.origin import measured_checksum
from sweeps.compare import zoo as zoo_module
from sweeps.compare.leaderboard import Leaderboard, best_networks, has_flattened, make_leaderboard
from sweeps.compare.leaderboard_page import heading_of, leaderboard_picture, markdown_of
from sweeps.compare.zoo import ZooRequest, parse_models, sweep_zoo
from sweeps.folder.paths import SweepPaths
from sweeps.folder.records import read_as, write_bytes
from sweeps.folder.summary_file import Summary, read_summary, write_summary
from sweeps.folder.summary_parts import FoldSummary
from sweeps.request.options import PRESETS, make_options
from sweeps.run import sweep as sweep_module
from sweeps.run.estimate import Estimate

MODELS_SWEPT = ("geography", "cge", "exponential_decay", "bilinear_lowrank")
TINY: dict[str, Any] = {
    "folds": 2,
    "inner_folds": 2,
    "samples": 2,
    "max_epochs": 3,
    "genes": "20_var",
    "nulls": 2,
}


@pytest.fixture(scope="module")
def without_ray():
    """Do all work in this process."""

    @contextlib.contextmanager
    def session(**_: Any):
        yield 2

    def run_tasks(function: Any, jobs: Any, *, shared: Any, **_: Any):
        yield from ((job, function(shared, job)) for job in jobs)

    def run_search(plan: Any, paths: Any, board: Any, *_: Any) -> list[str]:
        run_board_serially(plan, board)
        return []

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(zoo_module, "ray_session", session)
        patch.setattr(sweep_module, "ray_session", session)
        patch.setattr(sweep_module, "run_tasks", run_tasks)
        patch.setattr(sweep_module, "run_search", run_search)
        # nothing here is about dashboards
        patch.setattr(sweep_module, "write_study", lambda *_: None)
        yield


@pytest.fixture(scope="module")
def request_of(tiny_dataset):
    def make(*models: str, **given: Any) -> ZooRequest:
        chosen = models or MODELS_SWEPT
        return ZooRequest(chosen, "quick", {"dataset": str(tiny_dataset)} | TINY | given)

    return make


@pytest.fixture(scope="module")
def swept(without_ray, request_of, tmp_path_factory):
    """A finished zoo: its folder, its leaderboard and what it said."""
    out, said = tmp_path_factory.mktemp("zoo") / "all", []
    board = sweep_zoo(request_of(), out, say=said.append)
    return out, board, said


def test_the_time_is_estimated_before_anything_runs(swept):
    _, _, said = swept
    assert said[0].startswith("timing a few configs of each of 4 models")
    assert said[1].startswith("4 models, about ")
    assert all(model in said[1] for model in MODELS_SWEPT)
    assert said[2].startswith("geography")


def test_a_model_is_timed_on_its_own_genes_and_side_files(monkeypatch):
    plans = {}

    def estimate(plan):
        plans[plan.options.model] = plan
        return Estimate(0.0, 0.0, 0.0)

    monkeypatch.setattr(zoo_module, "estimate_model", estimate)
    request = ZooRequest(("geography", "mlp", "smt_celltype"), "quick", {})
    _, left_out = zoo_module._estimate_all(request, load_dataset("schaefer100"))
    assert left_out == {}
    assert plans["smt_celltype"].brain.gene_vectors is not None
    assert plans["smt_celltype"].genes.which == "100_var"
    assert plans["mlp"].genes.which == "500_var"


def test_a_model_with_a_file_of_its_own_is_tested_on_the_same_data():
    brain = load_dataset("schaefer100")
    with_groups = with_gene_vectors(brain, "groups")
    assert with_groups.checksum != brain.checksum
    assert measured_checksum(with_groups) == measured_checksum(brain)
    connectome = brain.connectome.copy()
    connectome[0, 1] = connectome[1, 0] = 0.0
    other = dataclasses.replace(brain, connectome=connectome)
    renamed = dataclasses.replace(brain, labels=(f"{brain.labels[0]}a", *brain.labels[1:]))
    assert len({measured_checksum(b) for b in (brain, other, renamed)}) == 3


def test_every_model_has_a_run_and_a_row_in_order_of_its_score(swept):
    out, board, _ = swept
    rows = board.rows
    assert {row.model for row in rows} == set(MODELS_SWEPT)
    means = [row.test["pearson_r"].mean for row in rows]
    assert means == sorted(means, reverse=True)
    for row in rows:
        summary = read_summary(SweepPaths(out / row.model))
        assert row.test == summary.test
        assert row.trials == sum(f.trials.total for f in summary.folds)


def test_geography_is_searched_once_and_is_the_same_beside_every_model(swept):
    out, board, _ = swept
    first = out / "geography"
    for model in MODELS_SWEPT[1:]:
        for path in sorted((first / "records/geography").rglob("*.json")):
            theirs = out / model / path.relative_to(first)
            assert theirs.read_bytes() == path.read_bytes()
        summary = read_summary(SweepPaths(out / model))
        assert summary.geography.test == board.geography
    geography = next(row for row in board.rows if row.model == "geography")
    assert geography.trials == 2 * zoo_module.MIN_GEOGRAPHY_CONFIGS
    assert geography.gain is None


def test_taken_over_or_searched_alone_geography_comes_to_the_same(
    swept, without_ray, request_of, tmp_path
):
    out, _, _ = swept
    options = request_of().options("cge")
    alone = sweep_module.run_sweep(options, tmp_path / "alone")
    beside = read_summary(SweepPaths(out / "cge"))
    assert alone.geography.test == beside.geography.test
    assert alone.nulls.p_values == beside.nulls.p_values


def test_closed_forms_and_the_best_networks_have_nulls(swept):
    _, board, _ = swept
    rows = {row.model: row for row in board.rows}
    assert rows["cge"].null_search == "full"
    assert rows["bilinear_lowrank"].null_search == "configs and epochs tuned on the true data"
    assert rows["cge"].p_floor == pytest.approx(1 / 3)
    # no genes, nothing to spin
    assert rows["exponential_decay"].p_value is rows["geography"].p_value is None


def test_a_finished_zoo_that_is_resumed_does_nothing_again(swept, request_of):
    out, board, _ = swept
    files = {p: p.stat().st_mtime_ns for p in out.rglob("*.json") if "leaderboard" not in p.name}
    said: list[str] = []
    again = sweep_zoo(request_of(), out, resume=True, say=said.append)
    assert {p: p.stat().st_mtime_ns for p in files} == files
    assert again.rows == board.rows
    assert len(said) == 2


def test_a_run_that_was_begun_goes_on(swept, without_ray, request_of, tmp_path):
    finished, board, _ = swept
    out = Path(shutil.copytree(finished, tmp_path / "all"))
    for path in (out / "cge/summary.json", out / "cge/records/cge/fold_01/config_00001.json"):
        path.unlink()
    again = sweep_zoo(request_of(), out, resume=True, say=lambda _: None)
    for mine, theirs in zip(again.rows, board.rows, strict=True):
        assert mine.model_copy(update={"seconds": theirs.seconds}) == theirs


def test_other_options_do_not_go_on(swept, request_of):
    out, _, _ = swept
    with pytest.raises(UserError, match="other models or options"):
        sweep_zoo(request_of(seeds="2"), out, resume=True)
    with pytest.raises(UserError, match="exists already"):
        sweep_zoo(request_of(), out)


def test_a_model_that_fails_is_said_and_the_others_are_ranked(
    without_ray, request_of, tmp_path, monkeypatch
):
    run_sweep = zoo_module.run_sweep

    def failing(options: Any, out: Path, **keywords: Any) -> Any:
        if options.model == "cge":
            raise UserError("no config of cge was fully trained")
        return run_sweep(options, out, **keywords)

    monkeypatch.setattr(zoo_module, "run_sweep", failing)
    board = sweep_zoo(request_of("geography", "cge", nulls=0), tmp_path / "all")
    assert [row.model for row in board.rows] == ["geography"]
    assert board.left_out == {"cge": "no config of cge was fully trained"}
    assert "Left out: cge (no config" in markdown_of(board)


def test_the_files_say_what_the_board_says(swept):
    out, board, _ = swept
    read = read_as(Leaderboard, out / "leaderboard.json")
    # nan equals nothing
    assert repr(read.rows) == repr(board.rows)
    table = (out / "leaderboard.md").read_text()
    picture = (out / "leaderboard.svg").read_text()
    page = (out / "leaderboard.html").read_text()
    assert f"<h1>{escape(heading_of(board))}</h1>" in page
    for model in MODELS_SWEPT:
        assert f"| {model} |" in table
        assert f">{model}<" in picture
    assert picture == leaderboard_picture(board).svg(on_page=False)
    assert picture.startswith("<svg") and 'xmlns="http://www.w3.org/2000/svg"' in picture


def test_runs_of_other_folds_are_not_ranked_together(swept, without_ray, request_of, tmp_path):
    out, _, _ = swept
    other = sweep_module.run_sweep(request_of(seeds="2", nulls=0).options("cge"), tmp_path / "run")
    assert other.seed == 2
    with pytest.raises(UserError, match="have different data, folds"):
        make_leaderboard([out / "cge", tmp_path / "run"])


def test_runs_of_one_model_are_told_apart_by_their_settings(
    swept, without_ray, request_of, tmp_path
):
    out, _, _ = swept
    sweep_module.run_sweep(request_of(samples=3).options("cge"), tmp_path / "run")
    board = make_leaderboard([out / "cge", tmp_path / "run"])
    names = [row.name for row in board.rows]
    assert len(set(names)) == 2 and all(n.startswith("cge (samples ") for n in names)
    assert [row.candidates for row in board.rows] == [2, 2], "max-T over both"
    assert "| cge (samples 3) |" in markdown_of(board)
    with pytest.raises(UserError, match="both runs of cge with the same settings"):
        make_leaderboard([out / "cge", out / "cge"])


class TestRequest:
    def test_names(self):
        assert parse_models("mlp, cge,mlp") == ("geography", "mlp", "cge")
        assert parse_models("all")[0] == "geography"
        assert {"smt", "mlp", "cge"} <= set(parse_models("all"))
        with pytest.raises(UserError, match=r"no models \['smd'\]"):
            parse_models("smd,cge")

    def test_nulls_run_on_the_bilateral_split_unless_asked_for(self):
        def nulls(**given: Any) -> tuple[int, int, int]:
            request = ZooRequest(("cge", "mlp"), "quick", given)
            return (
                request.options("cge").nulls,
                request.options("mlp").nulls,
                request.options("mlp", with_nulls=True).nulls,
            )

        n = PRESETS["quick"]["nulls"]
        assert nulls() == (n, 0, n)
        assert nulls(split="random") == (0, 0, 0)
        assert nulls(split="random", nulls=5) == (5, 0, 5)
        assert nulls(null_search="none") == (n, 0, n)

    def test_each_run_has_a_storage_of_its_own(self):
        request = ZooRequest(("cge",), "quick", {"storage": "s3://bucket/zoo/"})
        assert request.options("cge").storage == "s3://bucket/zoo/cge"


class TestFlattened:
    RISING = [-1.0 + 0.01 * k for k in range(60)]

    def test_a_curve_that_still_rises_has_not(self):
        assert not has_flattened(self.RISING)

    def test_a_curve_that_stopped_has(self):
        assert has_flattened(self.RISING + [self.RISING[-1]] * 20)
        assert has_flattened(self.RISING + [-0.9] * 20)

    def test_a_last_step_that_is_small_beside_the_rise_does_not_count(self):
        flat = [-1.0, *[-0.1] * 58, -0.0999]
        assert has_flattened(flat)

    def test_scores_that_are_missing_are_no_rise(self):
        assert has_flattened([None, -0.5, -0.5, None, -0.5])
        assert has_flattened([-0.5])


def test_networks_are_ranked_by_validation_and_not_by_test(tmp_path):
    for model, validation, test in (("mlp", 0.02, 0.9), ("smt", 0.01, 0.1), ("cge", 0.0, 1.0)):
        paths = SweepPaths(tmp_path / model)
        options = make_options(model, preset="quick").to_dict()
        write_bytes(paths.sweep, yaml.safe_dump(options).encode())
        fold = FoldSummary(fold=0, validation={"mse": validation}, test={"pearson_r": test})
        summary = Summary(
            model=model, dataset="d", split="random", seed=1, n_regions=9, folds=[fold], test={}
        )
        write_summary(paths, summary)
    runs = [tmp_path / model for model in ("mlp", "smt", "cge")]
    # cge is a closed form and has its nulls anyway
    assert best_networks(runs, 3) == ["smt", "mlp"]
    assert best_networks(runs, 1) == ["smt"]


def test_the_request_is_kept_for_people(swept):
    out, _, _ = swept
    plain = yaml.safe_load((out / "models.yaml").read_text())
    assert plain["models"] == list(MODELS_SWEPT)
    assert plain["given"]["samples"] == 2
