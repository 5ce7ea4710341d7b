"""Two commands lead from other people's files to a finished sweep."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from real_sweeps import gx2c, result_of, sweep

from gx2c.data import load_dataset

pytestmark = pytest.mark.slow


def test_files_then_a_sweep_then_one_of_another_target(tiny_dataset: Path, tmp_path: Path) -> None:
    brain, raw, out = load_dataset(tiny_dataset), tmp_path / "raw", tmp_path / "brain"
    raw.mkdir()
    labels = list(brain.labels)
    connectome = pd.DataFrame(brain.connectome, index=labels, columns=labels)
    connectome.to_csv(raw / "fc.csv")
    pd.DataFrame(brain.expression, index=labels, columns=list(brain.genes)).to_csv(
        raw / "expression.csv"
    )
    places = pd.DataFrame(brain.coords_mm, columns=["x", "y", "z"])
    sides = ["LR"[side] for side in brain.hemisphere]
    places.assign(label=labels, hemisphere=sides).to_csv(raw / "regions.csv", index=False)
    # its rows are in another order, and its values in another range
    (3 * connectome.iloc[::-1, ::-1]).to_csv(tmp_path / "meg.csv")
    measure = f"MEG={tmp_path / 'meg.csv'}"
    done = gx2c("data", "import", str(raw), "--measure", measure, "--out", str(out), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    genes = result_of(sweep("kernel_ridge", out, tmp_path / "genes", "--nulls", "0"))
    assert genes["test"]["pearson_r"]["mean"] > 0.3
    place = [
        result_of(sweep("geography", out, tmp_path / f"place{i}", "--nulls", "0", *target))
        for i, target in enumerate([(), ("--target", "MEG")])
    ]
    means = [one["test"]["pearson_r"]["mean"] for one in place]
    np.testing.assert_allclose(means[1], means[0], atol=0.02)
