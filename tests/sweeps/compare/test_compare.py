"""Runs compared fold by fold: what is paired, tested, listed and refused."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from rich.console import Console
from statsmodels.stats.multitest import multipletests

from gx2c.errors import UserError
from gx2c.metrics import METRICS, corrected_resampled_t
from sweeps.cli import app as cli
from sweeps.cli.tables import print_comparison
from sweeps.compare.comparison_page import write_comparison
from sweeps.compare.paired import compare_runs
from sweeps.folder.paths import SweepPaths
from sweeps.report.wording import signed
from sweeps.request.options import make_options

N_REGIONS, N_FOLDS = 20, 4


def scores(value: float) -> dict[str, float]:
    return {name: value if m.larger_is_better else 1 - value for name, m in METRICS.items()}


def fold_regions(seed: int) -> list[dict[str, Any]]:
    order = [f"R{i}" for i in np.random.default_rng(seed).permutation(N_REGIONS)]
    blocks = [order[k::N_FOLDS] for k in range(N_FOLDS)]
    return [{"train": sorted(set(order) - set(b)), "test": b, "inner": []} for b in blocks]


def write_run(
    root: Path,
    model: str,
    *,
    test: list[float],
    geography: list[float] | None = None,
    seed: int = 1,
    split: str = "random",
    checksum: str = "abc",
    folds: list[dict[str, Any]] | None = None,
    **more: Any,
) -> Path:
    """Write the files that a comparison reads of a finished run."""
    paths = SweepPaths(root / f"{model}-{split}-{seed}")
    paths.root.mkdir(parents=True)
    options = make_options(model, preset="quick", split=split, seeds=str(seed), **more)
    paths.sweep.write_text(yaml.safe_dump(options.to_dict()))
    paths.inputs.write_text(json.dumps({"checksum": checksum}))
    paths.folds.write_text(json.dumps({"folds": folds or fold_regions(seed)}))
    summary = {
        "model": model,
        "dataset": "tiny",
        "split": split,
        "seed": seed,
        "n_regions": N_REGIONS,
        "test": {},
        "folds": [{"fold": k, "test": scores(v)} for k, v in enumerate(test)],
        "geography": {
            "folds": [
                {"fold": k, "test": scores(v)} for k, v in enumerate(geography or [0.5] * N_FOLDS)
            ],
            "test": {},
            "gain": {},
        },
    }
    paths.summary.write_text(json.dumps(summary))
    return paths.root


def of_metric(result: dict[str, Any], metric: str = "pearson_r") -> list[dict[str, Any]]:
    return [c for c in result["splits"][0]["comparisons"] if c["metric"] == metric]


def test_a_model_is_tested_against_geography_over_seeds_and_folds(tmp_path):
    rng = np.random.default_rng(3)
    mine = {seed: rng.uniform(0.4, 0.7, N_FOLDS).tolist() for seed in (1, 2, 3)}
    rival = {seed: rng.uniform(0.4, 0.6, N_FOLDS).tolist() for seed in (1, 2, 3)}
    runs = [write_run(tmp_path, "mlp", test=mine[s], geography=rival[s], seed=s) for s in mine]
    # the order in which runs are named changes nothing
    (found,) = of_metric(compare_runs(runs[::-1]))
    differences = [m - g for s in mine for m, g in zip(mine[s], rival[s], strict=True)]
    direct = corrected_resampled_t(differences, n_test=[5] * 12, n_train=[15] * 12)
    assert (found["n"], found["df"]) == (12, 11)
    assert (found["t"], found["p_value"]) == pytest.approx((direct.t, direct.p_value))
    assert [d["difference"] for d in found["differences"]] == pytest.approx(differences)


def test_the_page_of_a_comparison_says_what_its_test_says(tmp_path):
    better, same = [0.6, 0.61, 0.62, 0.6], [0.5, 0.52, 0.48, 0.51]
    runs = [write_run(tmp_path, name, test=r) for name, r in (("mlp", better), ("cge", same))]
    result = compare_runs(runs)
    page = write_comparison(tmp_path / "out", result).read_text()
    found = {c["model"]: c for c in of_metric(result)}
    assert found["mlp"]["q_value"] <= 0.05 < found["cge"]["q_value"]
    said = "Of 2 comparisons with geography, 1 better and 0 worse by more than chance"
    assert said in page and page.count("<h1>") == 1
    assert f"<b>{signed(found['mlp']['mean'])}</b>" in page
    assert f"<td>{signed(found['cge']['mean'])}</td>" in page
    assert f"mlp, seed 1 fold 2: {signed(found['mlp']['differences'][2]['difference'])}" in page
    assert not re.search(r"https?://|<script", page)
    network = write_run(tmp_path, "mlp", test=better, split="network")
    page = write_comparison(tmp_path / "out", compare_runs([network])).read_text()
    assert "1 model against geography; the folds allow no test" in page and "<th>p" not in page


def test_losses_are_turned_so_that_positive_is_better(tmp_path):
    run = write_run(tmp_path, "mlp", test=[0.6, 0.7, 0.65, 0.62])
    (mse,) = of_metric(compare_runs([run]), "mse")
    assert mse["mean"] == pytest.approx(0.1425)


def test_two_models_are_paired_on_the_same_folds(tmp_path):
    one = write_run(tmp_path, "mlp", test=[0.6, 0.7, 0.5, 0.4])
    two = write_run(tmp_path, "cge", test=[0.5, 0.6, 0.5, 0.5])
    (found,) = of_metric(compare_runs([one, two], against="cge"))
    assert (found["model"], found["against"]) == ("mlp", "cge")
    assert [d["difference"] for d in found["differences"]] == pytest.approx([0.1, 0.1, 0, -0.1])


def test_two_settings_of_one_model_are_compared_by_name(tmp_path):
    runs = [
        write_run(tmp_path / genes, "mlp", test=[level] * N_FOLDS, seed=seed, genes=genes)
        for genes, level in (("all", 0.6), ("100_var", 0.7))
        for seed in (1, 2)
    ]
    (found,) = of_metric(compare_runs(runs, against="mlp (genes all)"))
    assert found["model"] == "mlp (genes 100_var)"
    assert len(found["differences"]) == 2 * N_FOLDS
    assert found["mean"] == pytest.approx(0.1)
    with pytest.raises(
        UserError, match=r"choose from \['mlp \(genes 100_var\)', 'mlp \(genes all\)"
    ):
        compare_runs(runs, against="mlp")


def test_the_same_settings_twice_are_refused(tmp_path):
    # what is no setting may differ
    runs = [
        write_run(tmp_path / n, "mlp", test=[0.6] * N_FOLDS, nulls=int(n), time_budget_min=int(n))
        for n in "12"
    ]
    with pytest.raises(UserError, match="both runs of mlp with seed 1 and the same settings"):
        compare_runs(runs)


def test_the_false_discovery_rate_is_over_models_of_one_split_and_metric(tmp_path):
    rng = np.random.default_rng(0)
    models = ("mlp", "cge", "kernel_ridge", "smt")
    runs = [
        write_run(tmp_path, model, split=split, test=(0.5 + rng.normal(0.05, 0.05, 4)).tolist())
        for split in ("random", "spatial")
        for model in models
    ]
    result = compare_runs(runs)
    assert [s["split"] for s in result["splits"]] == ["random", "spatial"]
    for split in result["splits"]:
        for metric in METRICS:
            mine = [c for c in split["comparisons"] if c["metric"] == metric]
            expected = multipletests([c["p_value"] for c in mine], method="fdr_bh")[1]
            assert [c["q_value"] for c in mine] == pytest.approx(expected)
            assert len(mine) == len(models)


def test_a_partition_is_listed_and_not_tested(tmp_path):
    folds = fold_regions(0)
    runs = [
        write_run(tmp_path, "mlp", split="network", seed=seed, test=[0.6] * 4, folds=folds)
        for seed in (1, 2)
    ]
    result = compare_runs(runs)
    assert result["splits"][0]["test"] is None
    (found,) = of_metric(result)
    assert "p_value" not in found and "q_value" not in found
    assert [(d["seed"], d["fold"]) for d in found["differences"]][4] == (2, 0)
    assert "fold by fold" in shown(result)


def test_seeds_with_the_same_folds_are_no_repeats_whatever_the_rule_is_called(tmp_path):
    folds = fold_regions(0)
    runs = [
        write_run(tmp_path, "mlp", split="random", seed=seed, test=[0.6] * 4, folds=folds)
        for seed in (1, 2)
    ]
    assert compare_runs(runs)["splits"][0]["test"] is None


def test_pairs_of_blocks_are_listed_for_they_share_regions(tmp_path):
    run = write_run(tmp_path, "mlp", test=[0.6, 0.5, 0.7, 0.4], score="block-pairs")
    (split,) = compare_runs([run])["splits"]
    assert split["test"] is None
    assert "share held-out regions" in split["note"]


def test_a_split_that_uses_the_target_says_so(tmp_path):
    run = write_run(tmp_path, "mlp", split="community-target", test=[0.6, 0.5, 0.7, 0.4])
    assert "community-target split (split uses the target)" in " ".join(
        shown(compare_runs([run])).split()
    )


def test_what_is_learned_may_differ_and_what_is_scored_may_not(tmp_path):
    test = [0.6, 0.5, 0.7, 0.4]
    plain = write_run(tmp_path, "mlp", test=test)
    residual = write_run(tmp_path, "geography+smt", test=test)
    assert len(of_metric(compare_runs([plain, residual]))) == 2
    binary = write_run(tmp_path, "smt_cls", test=test, binarise=0.2)
    with pytest.raises(UserError, match="have different targets or scores"):
        compare_runs([plain, binary])


def test_the_table_says_what_it_generalises_to(tmp_path):
    run = write_run(tmp_path, "mlp", test=[0.6, 0.7, 0.65, 0.62])
    text = shown(compare_runs([run]))
    assert "+0.142" in text or "+0.143" in text
    assert "not to other people" in text
    assert "false discovery rate" in text


def shown(result: dict[str, Any]) -> str:
    console = Console(file=io.StringIO(), width=160, force_terminal=True, color_system=None)
    print_comparison(result, "pearson_r", console)
    return console.file.getvalue()


def test_the_command_prints_a_table_or_json(tmp_path, capsys):
    run = write_run(tmp_path, "mlp", test=[0.6, 0.7, 0.65, 0.62])
    for more in ([], ["--json"]):
        with pytest.raises(SystemExit) as stop:
            cli.main(["compare", str(run), *more])
        assert not stop.value.code
    out = capsys.readouterr().out
    assert json.loads(out[out.index("{") :])["against"] == "geography"


class TestRefused:
    def refuse(self, words: str, runs: list[Path], **given: Any) -> None:
        with pytest.raises(UserError, match=words):
            compare_runs(runs, **given)

    def test_what_cannot_be_paired(self, tmp_path):
        one = write_run(tmp_path / "a", "mlp", test=[0.6] * 4)
        twin = write_run(tmp_path / "b", "mlp", test=[0.6] * 4)
        other_data = write_run(tmp_path / "c", "cge", test=[0.5] * 4, checksum="xyz")
        other_seed = write_run(tmp_path / "d", "cge", test=[0.5] * 4, seed=2)
        other_folds = write_run(tmp_path / "e", "smt", test=[0.5] * 4, folds=fold_regions(9))
        self.refuse("the same settings; give only one of them", [one, twin])
        self.refuse("different data", [one, other_data])
        self.refuse("runs of the same seeds", [one, other_seed], against="cge")
        self.refuse("folds of different regions", [one, other_folds], against="smt")
        self.refuse("no run of smt_cls is given", [one], against="smt_cls")

    def test_geography_alone(self, tmp_path):
        run = write_run(tmp_path, "geography", test=[0.5] * 4)
        self.refuse("the only model given is geography", [run])

    def test_what_is_not_finished(self, tmp_path):
        run = write_run(tmp_path, "mlp", test=[0.6] * 4)
        SweepPaths(run).summary.unlink()
        self.refuse("no finished run", [run])

    def test_a_metric_that_is_not_there(self, tmp_path, capsys):
        with pytest.raises(SystemExit) as stop:
            cli.main(["compare", str(tmp_path), "--metric", "accuracy"])
        assert stop.value.code == 2
        assert "no metric 'accuracy'" in capsys.readouterr().err
