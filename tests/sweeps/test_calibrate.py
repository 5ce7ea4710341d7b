"""The whole-pipeline calibration: a small fixed part of it, and the committed table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gx2c.data import load_dataset
from gx2c.errors import UserError
from gx2c.fit.calibration import LEVELS, SPACES, Calibrator, gene_covariance_root
from gx2c.nulls.calibration import WORST_RATE
from sweeps.calibrate import rates, run_calibration

TABLE = Path(__file__).parents[2] / "docs/null_calibration.tsv"


@pytest.fixture(scope="module")
def calibrator():
    return Calibrator.of(load_dataset("schaefer100"), seed=0)


def test_the_shipped_rates_are_those_of_the_committed_table():
    found = pd.DataFrame(rates(pd.read_csv(TABLE, sep="\t")))
    worst = found[~found["signal"]].groupby(["surrogate", "statistic"])["rate"].max()
    for (surrogate, nested), rate in WORST_RATE.items():
        statistic = "gain over geography" if nested else "score of genes and mean"
        assert worst[surrogate, statistic] == pytest.approx(rate)


def test_genes_say_nothing_of_the_connectome_unless_they_should(calibrator):
    one = calibrator.synthetic(0, "mni", LEVELS[0], signal=False)
    other = calibrator.synthetic(0, "sphere", LEVELS[1], signal=False)
    np.testing.assert_array_equal(one.connectome, other.connectome)
    assert not np.array_equal(one.expression, other.expression)
    planted = calibrator.synthetic(0, "mni", LEVELS[0], signal=True)
    np.testing.assert_array_equal(one.expression, planted.expression)
    assert not np.array_equal(one.connectome, planted.connectome)


@pytest.mark.parametrize("space", SPACES)
def test_fields_have_the_fitted_noise_and_symmetry(calibrator, space):
    brain, fit = calibrator.brain, calibrator.fits[LEVELS[0]]
    root = gene_covariance_root(brain, fit, space)
    covariance = root @ root.T
    np.testing.assert_allclose(np.diag(covariance), 1.0, atol=0.02)
    side = brain.hemisphere
    assert covariance[np.not_equal.outer(side, side)].mean() > 0.1, "homologues are alike"


def test_a_table_goes_on_where_it_ended(tmp_path, monkeypatch):
    monkeypatch.setattr("gx2c.fit.calibration.SURROGATES_COMPARED", ("hungarian",))
    asked = {"dataset": "schaefer100", "power_brains": 0, "nulls": 19, "seed": 0, "jobs": 1}
    first = run_calibration(tmp_path / "a.tsv", brains=1, **asked)
    assert len(first) == len(SPACES) * len(LEVELS) * 2
    again = run_calibration(tmp_path / "a.tsv", brains=1, **asked)
    assert sorted(map(tuple, again.astype(str).to_numpy())) == sorted(
        map(tuple, first.astype(str).to_numpy())
    )


def test_too_few_nulls_are_refused(tmp_path):
    with pytest.raises(UserError, match="at least"):
        run_calibration(
            tmp_path / "a.tsv",
            dataset="schaefer100",
            brains=1,
            power_brains=0,
            nulls=3,
            seed=0,
            jobs=1,
        )


@pytest.mark.slow
def test_unrelated_genes_are_rarely_called_significant(calibrator, monkeypatch):
    """Ten synthetic brains of the smoothest kind in MNI space, the default surrogate."""
    monkeypatch.setattr("gx2c.fit.calibration.SURROGATES_COMPARED", ("residual_spin",))
    rows = [
        row
        for number in range(100, 110)
        for row in calibrator.rows(number, "mni", LEVELS[1], signal=False, n_nulls=19)
    ]
    assert sum(row.as_good == 0 for row in rows) <= 3, rows
