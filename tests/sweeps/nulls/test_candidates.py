"""p over several models on the same surrogates."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sweep_fixtures import make_brain, make_plan, run_nulls, search_and_retrain, summary_of

from gx2c.errors import UserError
from gx2c.metrics import METRICS
from gx2c.nulls import fdr_p_values, max_t_p_values
from gx2c.verdict import NullTest
from sweeps.cli.nulls import nulls_app
from sweeps.compare.finished_run import read_finished
from sweeps.compare.over_runs import over_runs
from sweeps.folder.paths import SweepPaths
from sweeps.folder.results import write_null_scores
from sweeps.folder.summary_file import write_summary
from sweeps.nulls.candidates import Candidate, over_candidates
from sweeps.nulls.evaluation import evaluate_candidates, in_processes
from sweeps.nulls.units import unit_of_run
from sweeps.request.files import write_request

SURROGATES = {"surrogate": "hungarian", "seed": 1}
N = 99


def candidate(name, observed, nulls, **other):
    shape = (len(nulls), len(METRICS))
    return Candidate(
        name,
        SURROGATES | other,
        np.full(len(METRICS), float(observed)),
        np.broadcast_to(nulls[:, None], shape),
    )


def test_copies_of_one_model_cost_nothing_and_unlike_ones_do():
    rng = np.random.default_rng(0)
    nulls = rng.normal(size=(12, N))
    observed = np.sort(nulls[0])[-4] + 1e-9  # three nulls are as good
    same = [candidate(str(k), observed, nulls[0]) for k in range(12)]
    assert {row["p_max_t"] for row in over_candidates(same)} == {4 / (N + 1)}
    other = [candidate("best", observed, nulls[0])]
    other += [candidate(str(k), 0.0, row) for k, row in enumerate(nulls[1:])]
    best = over_candidates(other)[0]
    assert best["p_value"] == 4 / (N + 1)
    assert best["p_max_t"] > 0.15, "the best of eleven others is often as good"


def test_it_is_max_t_and_fdr_over_models():
    rng = np.random.default_rng(1)
    nulls = rng.normal(size=(3, N)) * [[1], [5], [0.1]]
    observed = np.array([2.5, 1.0, 0.35])
    rows = over_candidates([candidate(str(k), observed[k], nulls[k]) for k in range(3)])
    np.testing.assert_allclose([row["p_max_t"] for row in rows], max_t_p_values(observed, nulls.T))
    single = np.array([row["p_value"] for row in rows])
    np.testing.assert_allclose([row["p_fdr"] for row in rows], fdr_p_values(single))


def test_other_surrogates_are_refused_in_one_sentence():
    nulls = np.arange(N, dtype=float)
    pair = [candidate("a", 1, nulls), candidate("b", 1, nulls, seed=2)]
    with pytest.raises(UserError, match=r"b and a were not tested .* \(different seed\)"):
        over_candidates(pair)
    with pytest.raises(UserError, match="a is the only model"):
        over_candidates(pair[:1])
    with pytest.raises(UserError, match="pearson_r of c is undefined"):
        over_candidates([pair[0], candidate("c", np.nan, nulls)])


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Two closed forms on one brain whose connectome genes make in part."""
    root = tmp_path_factory.mktemp("runs")
    brain = make_brain(n_regions=40, seed=4, expression_weight=2.0)
    for model in ("geography+genes", "kernel_ridge"):
        plan = make_plan(
            model, brain=brain, nulls=19, samples=2, genes="all", null_method="hungarian"
        )
        paths = SweepPaths(root / model)
        write_request(paths, plan)
        nulls = run_nulls(plan, paths, search_and_retrain(plan, paths))
        write_summary(paths, summary_of(plan, paths, nulls))
    return brain, root


def test_the_nulls_of_finished_runs_are_joined(finished):
    _, root = finished
    runs = [read_finished(path) for path in sorted(root.iterdir())]
    found = over_runs(runs)
    assert set(found) == {run.root for run in runs}
    for run in runs:
        row, nested = found[run.root], run.summary.nulls.over_geography
        assert row["candidates"] == 2 and row["p_max_t"] >= row["p_value"]
        if nested:
            assert row["p_value"] == nested.by_metric["pearson_r"].p_value
            assert row["null_mean"] == pytest.approx(nested.by_metric["pearson_r"].null_mean)
    assert over_runs(runs[:1]) == {}


def with_later(run, scores, test):
    """Plant the scores of `random_field` nulls and the test that the verdict made of them."""
    table = pd.DataFrame({name: scores for name in METRICS})
    write_null_scores(run.paths, f"random_field/{run.model}", table.rename_axis("null"))
    before, nulls = run.summary.verdict, run.summary.nulls.model_copy(update={"n": len(scores)})
    tests = {"random_field": test} if test else {}
    evidence = replace(before.evidence, nulls={**before.evidence.nulls, **tests})
    more = {"random_field": nulls.model_copy(update={"method": "random_field"})}
    planted = {"more_nulls": more if test else {}, "verdict": replace(before, evidence=evidence)}
    return replace(run, summary=run.summary.model_copy(update=planted))


def test_every_surrogate_of_the_ladder_counts_over_all_runs(finished):
    """Also one that ended early or was not needed for some, which depends on their results."""
    runs = [read_finished(path) for path in sorted(finished[1].iterdir())]
    r = np.array([run.summary.score("pearson_r").mean for run in runs])
    # one null of 19 is as good as the first model, and eight as the second
    scores = r[:, None] - 1 - np.random.default_rng(0).uniform(size=(2, 19))
    scores[0, :1], scores[1, :8] = r[0] + 0.1, r[1] + 0.1

    def joint(*tests):
        planted = [with_later(*one) for one in zip(runs, scores, tests, strict=True)]
        found = over_runs(planted)
        return [found[run.root]["p_joint"]["random_field"] for run in runs]

    own = NullTest(2 / 20, 19), NullTest(9 / 20, 19)
    geography = np.array([run.summary.rival("pearson_r").mean for run in runs])
    wanted = max_t_p_values(r - geography, (scores - geography[:, None]).T)
    np.testing.assert_allclose(joint(*own), wanted)
    assert joint(own[0], NullTest(0.9, 10, stopped=True)) == pytest.approx([0.2, 0.9])
    assert joint(own[0], None) == pytest.approx([0.2, 1.0])
    assert "random_field" not in over_runs(runs)[runs[0].root]["p_joint"]


def test_finished_runs_are_held_against_other_nulls_together(finished, tmp_path, monkeypatch):
    brain, root = finished
    monkeypatch.setattr("sweeps.request.plan.load_dataset", lambda name, **_: brain)
    asked = {"nulls": 19, "null_method": "moran", "null_moves": "genes", "null_search": None}
    units = {path.name: unit_of_run(path, **asked) for path in sorted(root.iterdir())}
    summaries, rows = evaluate_candidates(units, tmp_path / "out", in_processes(1))
    assert json.loads((tmp_path / "out/candidates.json").read_text())["models"] == rows
    assert [row["model"] for row in rows] == ["geography+genes", "kernel_ridge"]
    nested = summaries[0].nulls.over_geography.by_metric["pearson_r"]
    assert rows[0]["p_value"] == nested.p_value
    assert rows[0]["gain"] == pytest.approx(nested.gain)
    assert rows[1]["p_value"] == summaries[1].nulls.p_value
    other = unit_of_run(root / "kernel_ridge", **asked | {"nulls": 18})
    mixed = units | {"kernel_ridge": other}
    with pytest.raises(UserError, match="different number of nulls"):
        evaluate_candidates(mixed, tmp_path / "none", in_processes(1))
    assert not (tmp_path / "none").exists()


def test_the_command_takes_several_runs(finished, tmp_path, monkeypatch):
    from typer.testing import CliRunner

    brain, root = finished
    monkeypatch.setattr("sweeps.request.plan.load_dataset", lambda name, **_: brain)
    asked = [
        "evaluate",
        *map(str, sorted(root.iterdir())),
        "--n",
        "4",
        "--out",
        str(tmp_path / "a"),
    ]
    result = CliRunner().invoke(nulls_app, asked)
    assert result.exit_code == 0, result.output
    assert "over 2 models" in result.output and "p_max_t" in result.output
    refused = CliRunner().invoke(nulls_app, [*asked, "--frozen"])
    assert isinstance(refused.exception, UserError)
