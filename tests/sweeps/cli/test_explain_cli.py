"""The commands that explain saved models, on a small run of a transformer with a CLS token."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from serial_sweep import exit_code_of
from sweep_fixtures import finish, make_brain, make_plan

from gx2c.data import load_dataset, write_dataset
from gx2c.explain import attention_maps
from gx2c.saved.run import load_run
from sweeps.folder.paths import SweepPaths
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
    given = ("attention", str(run.root), "--dataset", str(dataset), "--out", str(out))
    assert exit_code_of(*given) == 0
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
    assert len(list(out.iterdir())) == 2 * 2 * 5
