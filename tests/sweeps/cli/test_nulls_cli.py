"""The nulls commands write, check and refuse."""

from __future__ import annotations

import numpy as np
import pytest
from typer.testing import CliRunner

from gx2c.data import load_dataset
from gx2c.errors import UserError
from gx2c.nulls import make_brain_spins
from sweeps.cli.nulls import nulls_app


def run(*arguments):
    result = CliRunner().invoke(nulls_app, [str(a) for a in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.output


def test_made_spins_are_the_spins_and_pass_the_check(tmp_path):
    path = tmp_path / "spins.npy"
    assert "99 regions x 5 spins" in run("make", "--out", path, "--n", 5, "--seed", 2)
    brain = load_dataset("schaefer100")
    np.testing.assert_array_equal(np.load(path), make_brain_spins(brain, n_spins=5, seed=2))
    assert "spins.npy" in run("check", path)
    np.save(path, np.load(path)[:50])
    with pytest.raises(UserError, match=r"shape \(50, 5\)"):
        run("check", path)


def test_check_reports_surrogates_by_name():
    output = run("check", "--surrogate", "moran", "--surrogate", "random", "--n", 2)
    assert "moran" in output and "naive control" in output


def test_false_positives_are_tabled_and_written(tmp_path):
    path = tmp_path / "fpr.tsv"
    output = run(
        *("fpr", "--method", "hungarian", "--smoothness", 40, "--regions", 20),
        *("--pairs", 5, "--nulls", 19, "--out", path),
    )
    assert "hungarian" in output and "hungarian\t40.0" in path.read_text()


def test_mistakes_are_refused(tmp_path):
    with pytest.raises(UserError, match="does not end in .npy"):
        run("make", "--out", tmp_path / "spins.csv")
    with pytest.raises(UserError, match="there is no file"):
        run("check", tmp_path / "none.npy")
