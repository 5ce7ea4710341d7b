"""Ensembles from the search to the summary, the files and a rerun."""

from __future__ import annotations

import dataclasses
import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from rich.console import Console
from serial_sweep import exit_code_of, in_this_process
from sweep_fixtures import finish, make_brain, make_plan

from gx2c.data import load_dataset, write_dataset
from gx2c.errors import UserError
from gx2c.fit import FitConfig, validate_closed_form
from gx2c.metrics import score_edges
from gx2c.saved.loading import load_model
from gx2c.saved.run import load_run
from sweeps.cli.summary_text import print_summary
from sweeps.compare.leaderboard import make_leaderboard
from sweeps.compare.leaderboard_page import BASELINE, table_of
from sweeps.compare.zoo import parse_models
from sweeps.folder.paths import SweepPaths
from sweeps.folder.records import ranked, read_json
from sweeps.folder.results import read_connectome, write_connectome
from sweeps.phases import retrain as retrain_phase
from sweeps.phases.retrain_job import jobs_of_searches
from sweeps.report.build import write_report
from sweeps.report.embedding import components_of
from sweeps.request.ensemble import EnsembleSize, ensemble_size, parse_ensemble
from sweeps.request.files import write_request
from sweeps.run import final as final_module
from sweeps.run.best_file import read_best
from sweeps.run.final import on_all_regions
from sweeps.run.rerun import run_rerun

METRIC, NAME = "pearson_r", "geography+mlp"


@pytest.fixture(autouse=True, scope="module")
def few_of_geography():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sweeps.request.plan.MIN_GEOGRAPHY_CONFIGS", 4)
        patch.setattr("sweeps.request.ensemble.CLOSED_FORM_CONFIGS", 3)
        yield


def sweep(root, model, **options):
    folder = write_dataset(
        root / "dataset", make_brain(n_regions=64, expression_weight=3.0), {"Name": "dataset"}
    )
    plan = make_plan(
        model,
        brain=load_dataset(folder),
        dataset=str(folder),
        **{"nulls": 0, "samples": 4, "max_epochs": 3, "grace_epochs": 3} | options,
    )
    paths = SweepPaths(root / "run")
    write_request(paths, plan)
    return plan, paths, finish(plan, paths)


@pytest.fixture(scope="module")
def networks(tmp_path_factory):
    """The best 2 configs of an MLP after geography, each with 2 seeds."""
    root = tmp_path_factory.mktemp("networks")
    return sweep(root, NAME, ensemble="2x2", seeds="3")


def test_the_summary_holds_the_ensemble_and_the_best_config_alone(networks):
    plan, paths, summary = networks
    alone = dataclasses.replace(plan, options=dataclasses.replace(plan.options, ensemble="1"))
    for fold in summary.folds:
        members = read_json(paths.retrained(NAME, fold.fold))["member_scores"]
        assert fold.n_members == len(members) == 4 and fold.single[METRIC] == members[0][METRIC]
        spread = np.std([one[METRIC] for one in members], ddof=1)
        assert fold.spread[METRIC] == pytest.approx(spread)
        averaged = fold.test[METRIC] not in [one[METRIC] for one in members]
        assert averaged == (spread > 0) == (fold.weight > 0), "geography alone has no spread"
    assert sorted(fold.weight for fold in summary.folds) == [0.0, 0.25]
    assert summary.single[METRIC].mean == np.mean([f.single[METRIC] for f in summary.folds])
    (first, *_) = jobs_of_searches(alone, plan.board(paths).records())
    assert first.members == (first.members[0],)
    assert first.seed == read_json(paths.retrained(NAME, 0))["seed"]


def test_members_are_the_best_configs_with_different_seeds(networks):
    plan, paths, _ = networks
    for fold in range(len(plan.folds)):
        record = read_json(paths.retrained(NAME, fold))
        members = [record, *record["others"]]
        best = ranked(plan.board(paths).records()[NAME, fold])[:2]
        hyperparameters = [one.config["hyperparameters"] for one in best for _ in range(2)]
        assert [one["config"]["hyperparameters"] for one in members] == hyperparameters
        assert len({one["seed"] for one in members}) == 4


def test_geography_is_the_ensemble_that_was_taken_out(networks):
    plan, paths, summary = networks
    for fold in range(len(plan.folds)):
        geography = read_json(paths.retrained("geography", fold))
        members = [geography, *geography["others"]]
        assert len(members) == 3
        taken = read_json(paths.retrained(NAME, fold))["config"]["task"]["geography"]
        assert [one["config"]["hyperparameters"] for one in members] == taken
        assert summary.rival_folds[fold].test == geography["test"]
        if summary.folds[fold].weight == 0:
            names = ("geography", NAME)
            shown = [read_connectome(paths.predicted(n, fold, "dataset"))[1] for n in names]
            np.testing.assert_allclose(*shown, atol=1e-9)


def test_a_saved_ensemble_predicts_the_tables_of_the_run(networks, tmp_path):
    """In every printed digit, after geography and with its weight, from the files alone."""
    plan, paths, _ = networks
    run = load_run(paths.root)
    assert [model.n_members for model in run.models] == [4, 4]
    for name, models in ((NAME, run.models), ("geography", run.geography)):
        for number, (fold, model) in enumerate(zip(plan.folds, models, strict=True)):
            predicted = model.predict(plan.brain, fold.test_regions)
            write_connectome(tmp_path / "table.tsv", model.about.test_regions, predicted)
            table = paths.predicted(name, number, "dataset")
            assert (tmp_path / "table.tsv").read_bytes() == table.read_bytes()
            members = model.predict_members(plan.brain, fold.test_regions)
            recorded = read_json(paths.retrained(name, number))["member_scores"]
            for one, scores in zip(members, recorded, strict=True):
                found = score_edges(one, plan.brain.connectome_block(fold.test_regions))
                assert found[METRIC] == pytest.approx(scores[METRIC], abs=1e-9)


def test_predict_writes_mean_and_spread_of_all_members(networks, tmp_path, capsys):
    """The dataset itself, and a table of half its genes' rows under its labels, as new data."""
    plan, paths, _ = networks
    brain, models = plan.brain, load_run(paths.root).models
    table = tmp_path / "new.tsv"
    rows = [[label, *values] for label, values in zip(brain.labels, brain.expression, strict=True)]
    shown = [["region", *brain.genes], *rows[::2]]
    table.write_text("\n".join("\t".join(map(str, row)) for row in shown))
    for expression, rows in ((plan.options.dataset, np.arange(64)), (table, np.arange(0, 64, 2))):
        out = tmp_path / f"out{len(rows)}"
        given = ("predict", str(paths.root), "--expression", str(expression), "--out", str(out))
        assert exit_code_of(*given) == 0
        members = np.concatenate([m.predict_members(brain, rows) for m in models])
        for kind, values in (("Mean", members.mean(axis=0)), ("Sd", members.std(axis=0, ddof=1))):
            (path,) = out.glob(f"*desc-{NAME}{kind}_meas-PearsonCorrelation_relmat.tsv")
            labels, found = read_connectome(path)
            assert labels == tuple(brain.labels[i] for i in rows)
            off = ~np.eye(len(rows), dtype=bool)
            np.testing.assert_allclose(found[off], values[off], rtol=1e-6, atol=1e-9)
    text = capsys.readouterr().out
    assert "mean and SD over 8 members (2 folds)" in text
    assert "32 of 32 regions are, or may overlap, training regions" in text
    assert exit_code_of(*given) == 2
    assert "exists already" in capsys.readouterr().err


def test_embed_writes_the_embeddings_of_every_member_with_a_picture(networks, tmp_path, capsys):
    plan, paths, _ = networks
    more = ("--dataset", plan.options.dataset, "--out", str(tmp_path / "embedded"))
    model = paths.model_dir(NAME, plan.options.seed, 1)
    assert exit_code_of("embed", str(model), *more) == 0
    found = load_model(model).embed(plan.brain)
    assert len(found) == 4 and len(list((tmp_path / "embedded").glob("*_member_*"))) == 12
    for member, embedding in enumerate(found):
        stem = tmp_path / "embedded" / f"{NAME}_fold_01_member_{member:02d}"
        np.testing.assert_array_equal(np.load(f"{stem}.npy"), embedding)
        table = pd.read_csv(f"{stem}.tsv", sep="\t", index_col="region")
        assert list(table.index) == list(plan.brain.labels)
        np.testing.assert_allclose(table.to_numpy(), embedding, rtol=1e-6)
        picture = Path(f"{stem}.svg").read_text()
        # every region once in the plane and once on the brain
        for label in plan.brain.labels:
            assert picture.count(f">{label}, ") == picture.count(f">{label}: ") == 1
    components, shares = components_of(found[0])
    centred = found[0] - found[0].mean(axis=0)
    left, values, _ = np.linalg.svd(centred, full_matrices=False)
    np.testing.assert_allclose(shares, (values**2 / (values**2).sum())[:2])
    np.testing.assert_allclose(np.abs(components), np.abs((left * values)[:, :2]), atol=1e-7)
    geography = paths.model_dir("geography", plan.options.seed, 1)
    assert exit_code_of("embed", str(geography), *more[:2], "--out", str(tmp_path / "no")) == 2
    assert "geography is fitted in closed form and encodes no region" in capsys.readouterr().err
    assert not (tmp_path / "no").exists()


@pytest.mark.parametrize("model", [NAME, "geography"])
def test_a_final_model_learns_from_all_regions(model, networks, tmp_path, monkeypatch, capsys):
    """Its configs are the best of a search whose inner folds are the sweep's outer folds."""
    plan, paths, summary = networks
    in_this_process(monkeypatch, final_module)
    given = ("fit", model, "--config", str(paths.root), "--out", str(tmp_path / "final"))
    assert exit_code_of(*given) == 0
    mean = (summary.test if model == NAME else summary.geography.test)[METRIC].mean
    text = capsys.readouterr().out
    assert f"test r {mean:.3f}, the mean over the sweep's folds; no region is left" in text
    final, brain = load_model(tmp_path / "final"), plan.brain
    about = final.about
    assert (about.fold, about.test_regions, about.scores) == (None, [], {})
    assert about.training_regions == list(brain.labels) and about.expected[METRIC] == mean
    whole = on_all_regions(plan)
    (fold,) = whole.folds
    for inner, outer in zip(fold.inner, plan.folds, strict=True):
        np.testing.assert_array_equal(inner.test_regions, outer.test_regions)
    records = whole.board(SweepPaths(tmp_path / "final/search")).records()[model, 0]
    best = [FitConfig.from_dict(one.config) for one in ranked(records)[: len(about.members)]]
    configs = [FitConfig.from_dict(members.config) for members in about.members]
    weights = {config.task.weight for config in configs}
    assert len(weights) == 1 and len(configs) == (2 if model == NAME else 3)
    assert configs == [c.with_weight(*weights) if model == NAME else c for c in best]
    # by hand, a config's score is that of its predictions of these folds
    if model == "geography":
        scores = [validate_closed_form(brain, fold, c, metric="val_mse").score for c in best]
        assert scores == pytest.approx([one.score for one in ranked(records)[:3]])
    found = score_edges(final.predict(brain), brain.connectome)
    assert found[METRIC] > mean, "it has seen these edges"
    # an interrupted fit continues from its records
    before = {path: path.read_bytes() for path in (tmp_path / "final").glob("*.*")}
    (tmp_path / "final/model.json").unlink()
    min((tmp_path / f"final/search/records/{model}").rglob("*.json")).unlink()
    assert exit_code_of(*given) == 0
    assert {path: path.read_bytes() for path in before} == before


def test_a_final_model_needs_a_finished_run_of_the_model(networks, tmp_path, capsys):
    _, paths, _ = networks
    given = ("--config", str(paths.best), "--out", str(tmp_path / "final"))
    assert exit_code_of("fit", "smt", *given) == 2
    assert "smt is no model of it; fit one of ['geography'," in capsys.readouterr().err
    alone = tmp_path / "best.yaml"
    alone.write_bytes(paths.best.read_bytes())
    assert exit_code_of("fit", NAME, "--config", str(alone), *given[2:]) == 2
    assert "contains no sweep" in capsys.readouterr().err
    assert not (tmp_path / "final").exists()


def test_a_rerun_repeats_the_ensemble_and_chooses_no_weight(networks, tmp_path, monkeypatch):
    plan, paths, summary = networks
    monkeypatch.setattr(retrain_phase, "choose_weight", lambda *_, **__: pytest.fail("chosen"))
    again = run_rerun(paths.best, tmp_path / "again")
    for one, other in zip(again.folds, summary.folds, strict=True):
        assert (one.test, one.single, one.spread) == (other.test, other.single, other.spread)
        assert one.weight == other.weight and one.n_members == other.n_members
    assert again.single == summary.single and again.geography.test == summary.geography.test


def test_terminal_report_and_leaderboard_show_it_beside_the_best_config(networks):
    _, paths, summary = networks
    console = Console(width=200, file=io.StringIO(), record=True)
    print_summary(summary, paths, console)
    alone = f"{summary.single[METRIC].mean:.3f}"
    assert f"best config alone    test r {alone}; the model is the mean of 4 " in " ".join(
        console.export_text().splitlines()
    )
    page = write_report(paths).read_text()
    assert "best config alone, test r" in page and "mean of 4 above; SD over them" in page
    assert alone.removeprefix("0") in page
    rows = {row["model"]: row for row in table_of(make_leaderboard([paths.root]))}
    assert rows[BASELINE]["test r"] == f"{summary.rival(METRIC).mean:.3f}"
    (row,) = [row for name, row in rows.items() if name != BASELINE]
    assert (row["best alone"], row["members"]) == (alone, "4")


def test_the_leaderboard_takes_the_name_and_several_models_may(networks):
    (row,) = make_leaderboard([networks[1].root]).rows
    assert (row.name, row.kind) == (NAME, "iterative")
    assert row.test[METRIC].mean == networks[2].test[METRIC].mean
    assert parse_models(f"{NAME},mlp") == ("geography", NAME, "mlp")


def test_one_is_the_single_best_config(tmp_path):
    _, paths, summary = sweep(tmp_path, "kernel_ridge", ensemble="1")
    assert not summary.single and summary.folds[0].n_members == 1
    assert read_json(paths.retrained("geography", 0))["others"] == []


def test_a_bad_member_of_a_best_file_is_named(networks, tmp_path):
    content = yaml.safe_load(networks[1].best.read_text())
    del content["sha256"]
    content["jobs"][0]["others"][1]["config"]["hyperparameters"]["dropout"] = -3.0
    content["jobs"][0]["n_seeds"] = 3
    path = tmp_path / "best.yaml"
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(
        UserError, match="job 0 has 4 members, which 3 seeds do not divide.*dropout"
    ):
        read_best(path)


def test_sizes_are_read_and_closed_forms_have_one_seed():
    assert parse_ensemble("3x2") == (3, 2) and parse_ensemble("1") == (1, 1)
    assert ensemble_size("3x2", "mlp") == (3, 2)
    assert ensemble_size("5x2", "cge") == (5, 1)
    assert ensemble_size("5x2", "geography") == ensemble_size("1x1", "geography") == (3, 1)
    assert ensemble_size("1x1", "mlp") == ensemble_size("1", "geography") == (1, 1)
    assert EnsembleSize(3, 2).among(5, "mlp") == (3, 2)
    assert EnsembleSize(3, 2).among(1, "mlp") == (1, 6) and EnsembleSize(3).among(2, "mlp") == (
        2,
        2,
    )
    assert EnsembleSize(10).among(4, "cge") == (4, 1)
    for wrong in ("0", "3x", "x2", "3x0", "-1", "two"):
        with pytest.raises(UserError, match="--ensemble is"):
            parse_ensemble(wrong)
