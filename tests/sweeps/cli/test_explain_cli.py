"""The commands that explain saved models, on a small run of a transformer with a CLS token."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from serial_sweep import exit_code_of
from sweep_fixtures import finish, make_brain, make_plan

from gx2c.data import load_dataset, write_dataset
from gx2c.explain import attention_maps, importance, knock_out
from gx2c.saved.run import load_run
from sweeps.folder.explained import read_attention, read_embedding
from sweeps.folder.paths import SweepPaths
from sweeps.folder.results import read_connectome
from sweeps.report.embedding import neighbours_of
from sweeps.report.explained import read_explained
from sweeps.request.files import write_request


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> SweepPaths:
    root = tmp_path_factory.mktemp("explained")
    folder = write_dataset(root / "dataset", make_brain(), {"Name": "dataset"})
    few = {"samples": 1, "max_epochs": 1, "grace_epochs": 1, "nulls": 0, "ensemble": "1x2"}
    plan = make_plan("smt_cls", brain=load_dataset(folder), dataset=str(folder), **few)
    paths = SweepPaths(root / "run")
    write_request(paths, plan)
    finish(plan, paths)
    return paths


def test_attention_of_every_member_is_written(run, tmp_path):
    dataset, out = run.root.parent / "dataset", tmp_path / "attention"
    assert exit_code_of("attention", str(run.root), "--out", str(out)) == 0
    model = load_run(run.root).models[1]
    for member, found in enumerate(attention_maps(model, load_dataset(dataset))):
        stem = out / f"smt_cls_fold_01_member_{member:02d}"
        np.testing.assert_array_equal(np.load(f"{stem}.npy"), found.maps)
        groups = pd.read_csv(f"{stem}_groups.tsv", sep="\t")
        assert groups["count"][0] == len(model.about.test_regions) == groups["count"][1:].sum()
        tokens = pd.read_csv(f"{stem}_tokens.tsv", sep="\t", keep_default_na=False)
        assert list(tokens["token"])[0] == "CLS" and list(groups["group"]) == list(found.groups)
        assert " ".join(tokens["columns"]).split() == list(model.genes)
        assert tokens["received_all"].sum() == pytest.approx(1, abs=1e-6)
        cls = found.maps[0, :, :, 0].mean(axis=(0, 1))
        np.testing.assert_allclose(tokens["cls_all"], cls, rtol=1e-6)
        n_layers, n_heads = found.maps.shape[1:3]
        picture = Path(f"{stem}_heads.svg").read_text()
        assert picture.count("layer ") >= n_layers * n_heads and "CLS" in picture
        read = read_attention(stem)
        assert (read.tokens, read.groups) == (found.tokens, found.groups)
        np.testing.assert_array_equal(read.counts, found.counts)
    assert len(list(out.iterdir())) == 2 * 2 * 5 + 1


def test_rankings_and_their_pictures_are_written(run, tmp_path, capsys):
    out, sets = tmp_path / "explained", tmp_path / "sets.gmt"
    sets.write_text("few\t\tGENE1\tGENE2\tGENE3\tGENE4\tGENE5\n")
    given = ("explain", str(run.root), "--sets", str(sets), "--nulls", "0")
    assert exit_code_of(*given, "--out", str(out)) == 0
    models, brain = load_run(run.root).models, load_dataset(run.root.parent / "dataset")
    few = {"few": [f"GENE{k}" for k in range(1, 6)]}
    found = importance(models, brain, sets=few)
    said = capsys.readouterr().out
    for kind in ("genes", "chromosomes", "sets"):
        table = pd.read_csv(out / f"{kind}.tsv", sep="\t")
        expected = found.tables[kind]
        assert list(table["unit"].astype(str)) == list(expected["unit"])
        np.testing.assert_allclose(table["importance"], expected["importance"], rtol=1e-6)
        assert set(table["p"]) == set(table["q"]) == {"not tested"}
        assert "not tested" in (out / f"{kind}.svg").read_text()
    assert "by gradients, 0 nulls" in said and "not tested" in said
    wrong = (*given[:2], "--units", "cells", "--out", str(tmp_path / "no"))
    assert exit_code_of(*wrong) == 2 and not (tmp_path / "no").exists()


def test_a_knock_out_is_a_table_and_a_picture(run, tmp_path, capsys):
    models, brain = load_run(run.root).models, load_dataset(run.root.parent / "dataset")
    genes, out = models[0].genes[:3], tmp_path / "without"
    given = ("explain", str(run.root), "--knock-out", ",".join(genes), "--quantile", "0.1")
    assert exit_code_of(*given, "--out", str(out)) == 0
    found = knock_out(models, brain, genes, quantile=0.1)
    off = ~np.eye(brain.n_regions, dtype=bool)
    for kind, values in (("Mean", found.change), ("Sd", found.deviation)):
        (path,) = out.glob(f"*KnockOut{kind}_*_relmat.tsv")
        labels, written = read_connectome(path)
        assert labels == brain.labels
        np.testing.assert_allclose(written[off], values[off], rtol=1e-6, atol=1e-9)
    assert "Change of the connectome" in (out / "change.svg").read_text()
    assert "3 genes, 4 members" in capsys.readouterr().out
    wrong = ("explain", str(run.root), "--quantile", "0.1", "--out", str(tmp_path / "no"))
    assert exit_code_of(*wrong) == 2
    assert "--quantile goes with --knock-out" in capsys.readouterr().err


def test_results_go_into_the_run_for_its_report(run, tmp_path, capsys):
    own = shutil.copytree(run.root, tmp_path / "run")
    gene = load_run(own).models[0].genes[0]
    for given in (["embed"], ["attention"], ["explain", "--knock-out", gene]):
        assert exit_code_of(given[0], str(own), *given[1:]) == 0
        assert "gx2c report" in capsys.readouterr().out
    assert exit_code_of("explain", str(own), "--nulls", "0", "--units", "genes,chromosomes") == 0
    found = read_explained(SweepPaths(own))
    assert found.problems == {} and list(found.rankings) == ["genes", "chromosomes"]
    assert set(found.rankings["genes"]["p"]) == {"not tested"}
    assert found.rankings["genes"]["importance"].dtype == float
    assert len(found.attention) == len(found.embeddings) == 4 and list(found.knock_outs) == [gene]
    labels, embedding = read_embedding(found.embeddings["smt_cls, fold 1, member 1"])
    brain = load_dataset(run.root.parent / "dataset")
    np.testing.assert_array_equal(embedding, load_run(own).models[1].embed(brain)[1])
    assert labels == brain.labels
    for given, words in (
        (["embed", str(own)], "exists already; delete it"),
        (["embed", str(own), "--dataset", "schaefer100"], "--out is needed"),
        (["attention", "smt"], "--out is needed"),
    ):
        assert exit_code_of(*given) == 2 and words in capsys.readouterr().err


def test_embeddings_are_drawn_by_t_sne(run, tmp_path):
    out = tmp_path / "embedded"
    assert exit_code_of("embed", str(run.root), "--plane", "tsne", "--out", str(out)) == 0
    assert "t-SNE axis 1" in next(out.glob("*.svg")).read_text()
    groups = np.repeat(np.eye(3) * 20, 12, axis=0)
    groups = groups + np.random.default_rng(0).standard_normal(groups.shape)
    places = neighbours_of(groups)
    np.testing.assert_array_equal(places, neighbours_of(groups))
    gaps = np.linalg.norm(places[:, None] - places, axis=2) + 1e9 * np.eye(36)
    assert (gaps.argmin(axis=1) // 12 == np.arange(36) // 12).all()
    wrong = ("embed", str(run.root), "--plane", "sphere", "--out", str(tmp_path / "no"))
    assert exit_code_of(*wrong) == 2 and not (tmp_path / "no").exists()
