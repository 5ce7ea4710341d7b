"""`gx2c sweep best`: the mean of several models, from the search to nulls, files and a rerun."""

from __future__ import annotations

import io
import shutil

import numpy as np
import pytest
import yaml
from rich.console import Console
from serial_sweep import exit_code_of, in_this_process, tiny_options, without_ray
from sweep_fixtures import make_brain

from gx2c.data import load_dataset, write_dataset
from gx2c.errors import UserError
from gx2c.explain import importance
from gx2c.metrics import score_edges
from gx2c.models.names import AVERAGED, BEST
from gx2c.saved.loading import load_model
from gx2c.saved.run import load_run, predict_mean
from sweeps.cli.summary_text import print_summary
from sweeps.compare.leaderboard import make_leaderboard
from sweeps.folder.paths import SweepPaths
from sweeps.folder.records import read_json
from sweeps.folder.results import read_connectome, read_null_scores
from sweeps.nulls import group
from sweeps.nulls.units import unit_of_run
from sweeps.phases import combine as combining
from sweeps.request.plan import make_plan
from sweeps.run import final
from sweeps.run.rerun import run_rerun
from sweeps.run.status import read_status
from sweeps.run.sweep import run_sweep

R = "pearson_r"


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    """A whole sweep with two nulls, one surrogate named, that goes on after its first fold."""
    root = tmp_path_factory.mktemp("best")
    brain = make_brain(n_regions=64, expression_weight=3.0)
    folder = write_dataset(root / "dataset", brain, {"Name": "dataset"})
    options = tiny_options(
        BEST, folder, samples=2, max_epochs=2, ensemble="1x1", null_method="random_field"
    )
    paths = SweepPaths(root / "run")
    with pytest.MonkeyPatch.context() as patch:
        without_ray(patch)
        patch.setattr("sweeps.request.ensemble.CLOSED_FORM_CONFIGS", 3)
        # the control runs, whether this little data show a gain or not
        patch.setattr("sweeps.run.ladder.failed_before", lambda *_: False)
        yield options, paths, run_sweep(options, paths.root)


def predicted(paths, model, fold):
    found = read_connectome(paths.predicted(model, fold, "dataset"))[1]
    return found[~np.eye(len(found), dtype=bool)]


def test_the_prediction_is_the_mean_of_the_models(swept):
    options, paths, summary = swept
    plan = make_plan(options)
    for fold, part in enumerate(summary.folds):
        assert part.weights == dict.fromkeys(AVERAGED, 1 / len(AVERAGED))
        mean = np.mean([predicted(paths, one, fold) for one in AVERAGED], axis=0)
        np.testing.assert_allclose(predicted(paths, BEST, fold), mean, atol=1e-8)
        assert part.test[R] == pytest.approx(np.corrcoef(mean, measured(plan, fold))[0, 1])
        assert summary.details[BEST].folds[fold].values
        # three configs of each closed form
        assert part.n_members == 2 * 3 + 4
    for name, scores in summary.families.items():
        of_folds = [read_json(paths.retrained(name, fold))["test"][R] for fold in range(2)]
        assert scores[R].mean == pytest.approx(np.mean(of_folds))
    assert summary.geography.test == summary.families["geography"]
    assert "mean of 6 models" in summary.verdict.caveat
    assert "configs and epochs of networks that were found" in summary.verdict.caveat


def measured(plan, fold):
    found = plan.brain.connectome_block(plan.folds[fold].test_regions)
    return found[~np.eye(len(found), dtype=bool)]


def test_each_null_averages_all_models_on_the_same_surrogate(swept, monkeypatch):
    """Computed anew, surrogate by surrogate; the geography in the mean stays as it is."""
    options, paths, summary = swept
    plan = make_plan(options)
    found: list[list[np.ndarray]] = []
    real = group._predict
    monkeypatch.setattr(group, "_predict", lambda *g: found.append(real(*g)) or found[-1])
    jobs = nulls_of(plan, paths)
    scores, _ = group.run_null_group(plan.context(), jobs[0])
    fold = plan.folds[0]
    for k, of_null in enumerate(zip(*found, strict=True)):
        assert len(of_null) == len(AVERAGED)
        target = plan.brain.connectome_block(fold.test_regions)
        expected = score_edges(np.mean(of_null, axis=0), target, edges=fold.scored_edges())
        assert scores[k] == pytest.approx(expected)
    by_family = dict(zip((one.job.model for one in jobs[0].families), found, strict=True))
    np.testing.assert_array_equal(*by_family["geography"])
    assert not any(np.allclose(*by_family[name]) for name in ("geography+genes", "mlp", "smt"))
    saved = read_json(paths.null_group(BEST, 0, 0))["scores"]
    assert [one[R] for one in saved] == pytest.approx([one[R] for one in scores])
    assert summary.nulls.n == 2 and len(read_null_scores(paths, BEST)) == 2
    assert "of networks tuned on the true data" in summary.nulls.search


def nulls_of(plan, paths):
    from sweeps.nulls.jobs import SplitNulls
    from sweeps.phases.retrain import finished_jobs
    from sweeps.phases.retrain_job import jobs_of_searches

    records = plan.board(paths).records()
    jobs = finished_jobs(paths, jobs_of_searches(plan, records))
    weights = combining.read_weights(plan, paths)
    return SplitNulls.of(plan, paths, jobs, records, weights=weights).jobs


def test_the_verdict_compares_the_mean_with_its_control_and_its_nulls(swept):
    _, paths, summary = swept
    evidence = summary.verdict.evidence
    assert evidence.r == summary.test[R].mean
    assert evidence.geography.gain == pytest.approx(summary.geography.gain[R].mean)
    assert evidence.coordinates is not None and evidence.nulls["random_field"].n == 2
    control = SweepPaths(paths.coordinates)
    for fold in range(2):
        mean = np.mean([predicted(control, one, fold) for one in AVERAGED], axis=0)
        np.testing.assert_allclose(predicted(control, BEST, fold), mean, atol=1e-8)
    assert not (control.root / "models").exists()


def test_a_saved_mean_predicts_the_tables_of_the_run(swept):
    options, paths, _ = swept
    brain = load_dataset(options.dataset)
    run = load_run(paths.root)
    for fold, model in enumerate(run.models):
        test = [brain.labels.index(label) for label in model.about.test_regions]
        found = model.predict(brain, test)
        np.testing.assert_allclose(
            found[~np.eye(len(test), dtype=bool)], predicted(paths, BEST, fold), atol=2e-7
        )
    mean, deviation = predict_mean(run.models, brain)
    np.testing.assert_allclose(mean, np.mean([m.predict(brain) for m in run.models], axis=0))
    assert np.isfinite(deviation).all()
    with pytest.raises(UserError, match=r"embed one of them: RUN/models/smt"):
        run.models[0].embed(brain)


def test_a_mean_is_explained_as_the_mean_of_its_models(swept):
    options, paths, _ = swept
    run, brain = load_run(paths.root), load_dataset(options.dataset)
    given = {"method": "permutation", "kinds": ["sets"], "sets": {"few": brain.genes[:9]}}
    found = importance(run.models, brain, **given, nulls=1).tables["sets"]
    each = [importance(run.models_of(n), brain, **given) for n in AVERAGED if n != "geography"]
    total = sum(one.tables["sets"]["importance"] for one in each)
    np.testing.assert_allclose(found["importance"], total / len(AVERAGED), atol=1e-8)
    assert set(found["p"]) <= {0.5, 1.0} and (found["null_mean"] != 0).any()


def test_unequal_weights_reach_the_prediction_the_saved_model_and_the_nulls(swept, tmp_path):
    options, paths, _ = swept
    copy, plan = SweepPaths(tmp_path / "run"), make_plan(options)
    shutil.copytree(paths.root, copy.root)
    shares = dict.fromkeys(AVERAGED, 0.0) | {"mlp": 0.75, "geography": 0.25}
    for fold in range(2):
        shutil.rmtree(copy.retrained_dir(BEST, fold))
        combining.combine(plan.brain, plan.folds, copy, fold, shares)
    mean = 0.75 * predicted(copy, "mlp", 0) + 0.25 * predicted(copy, "geography", 0)
    np.testing.assert_allclose(predicted(copy, BEST, 0), mean, atol=1e-8)
    test = plan.folds[0].test_regions
    saved = load_run(copy.root).models[0].predict(plan.brain, test)
    np.testing.assert_allclose(saved[~np.eye(len(test), dtype=bool)], mean, atol=2e-7)
    (null, *_) = nulls_of(plan, copy)
    assert {f.job.model: w for f, w in zip(null.families, null.weights, strict=True)} == {
        "mlp": 0.75,
        "geography": 0.25,
    }


def test_a_final_model_averages_the_models_fitted_on_all_regions(swept, tmp_path):
    _, paths, summary = swept
    with pytest.MonkeyPatch.context() as patch:
        in_this_process(patch, final)
        expected = final.fit_final(paths.root, BEST, tmp_path / "final")
    assert expected[R] == summary.test[R].mean
    model = load_model(tmp_path / "final")
    assert model.about.fold is None and model.about.weights == summary.folds[0].weights
    assert {one.config.name for one in model.fitted} == set(AVERAGED)


def test_a_rerun_gives_the_same_scores(swept, tmp_path):
    _, paths, summary = swept
    again = run_rerun(paths.best, tmp_path / "rerun")
    assert [f.test for f in again.folds] == [f.test for f in summary.folds]
    assert again.families == summary.families and again.folds[0].weights
    changed = yaml.safe_load(paths.best.read_text())
    del changed["sha256"], changed["weights"]
    file = tmp_path / "best.yaml"
    file.write_text(yaml.safe_dump(changed))
    with pytest.raises(UserError, match="it has weights for 0 folds, not for 2"):
        run_rerun(file, tmp_path / "other")


def test_a_sweep_that_was_stopped_goes_on(swept, tmp_path):
    """What is missing is done again, with the same numbers."""
    options, paths, summary = swept
    root = tmp_path / "run"
    shutil.copytree(paths.root, root)
    for lost in ("summary.json", f"retrained/{BEST}/fold_01", "retrained/smt/fold_01", "nulls"):
        path = root / lost
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    stopped = read_status(SweepPaths(root))
    assert stopped["state"] == "stopped" and stopped["retrained"]["done"] == 2 * 7 - 2
    again = run_sweep(options, root, resume=True)
    assert again.test == summary.test and again.nulls == summary.nulls
    finished = read_status(SweepPaths(root))
    assert finished["state"] == "finished" and finished["nulls"] == {"done": 4, "total": 4}
    assert finished["retrained"] == {"done": 14, "total": 14}


def test_it_is_shown_with_its_models(swept):
    _, paths, summary = swept
    shown = io.StringIO()
    print_summary(summary, paths, Console(file=shown, width=80))
    page = paths.report.read_text()
    for name in AVERAGED:
        assert name in shown.getvalue() and name in page
    (row,) = make_leaderboard([paths.root]).rows
    assert row.model == BEST and row.trials == sum(f.trials.total for f in summary.folds)


def test_what_it_cannot_do_is_refused_in_a_sentence(swept, tmp_path, capsys):
    options, paths, _ = swept
    for refused, why in (
        ({"warm_start": ("runs/x",)}, "--warm-start is for a sweep of one of them"),
        ({"train_test_edges": True}, "omit --train-test-edges"),
        ({"features": "coordinates"}, "omit --features"),
        ({"weights": "median"}, "median"),
    ):
        with pytest.raises(UserError, match=why):
            tiny_options(BEST, options.dataset, **refused)
    with pytest.raises(UserError, match="--weights is for best, and mlp is one model"):
        tiny_options("mlp", options.dataset, weights="nnls")
    with pytest.raises(UserError, match="the sweep's own"):
        unit_of_run(paths.root)
    several = ("sweep", f"{BEST},mlp", "--preset", "quick", "--out", str(tmp_path / "out"))
    assert exit_code_of(*several) == 2 and "sweep it alone" in capsys.readouterr().err
