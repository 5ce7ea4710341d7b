"""The whole-pipeline calibration: a small fixed part of it, and the committed table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gx2c.calibration.pipeline import LEVELS, SPACES, Calibrator, gene_covariance_root
from gx2c.data import load_dataset
from gx2c.errors import UserError
from gx2c.nulls import SURROGATES
from sweeps.nulls.calibrate import rates, run_calibration
from sweeps.nulls.calibration_plot import calibration_picture

TABLE = Path(__file__).parents[3] / "docs/null_calibration.tsv"
SEARCHED = TABLE.with_name("null_calibration_searched.tsv")
ASKED = {"dataset": "schaefer100", "power_brains": 0, "seed": 0, "jobs": 1, "brains": 1}


@pytest.fixture(scope="module")
def calibrator():
    return Calibrator.of(load_dataset("schaefer100"), seed=0)


def test_the_shipped_rates_are_those_of_the_committed_tables():
    found = pd.concat(pd.DataFrame(rates(pd.read_csv(t, sep="\t"))) for t in (TABLE, SEARCHED))
    complete = {(False, 40), (True, 20)}
    assert set(zip(found["signal"], found["brains"], strict=True)) == complete
    worst = found[~found["signal"]].groupby(["surrogate", "statistic"])["rate"].max()
    measured = {name: spec.rates for name, spec in SURROGATES.items() if spec.rates is not None}
    for place, statistic in enumerate(("gain over geography", "score of genes and mean")):
        stated = {name: rates[place] for name, rates in measured.items()}
        assert worst[:, statistic].to_dict() == pytest.approx(stated)


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


def test_a_table_goes_on_where_it_ended(tmp_path):
    asked = {**ASKED, "nulls": 19}
    first = run_calibration(tmp_path / "a.tsv", surrogates=["hungarian"], **asked)
    assert len(first) == len(SPACES) * len(LEVELS) * 2
    assert [row["brains"] for row in rates(first)] == [1] * len(first)
    again = run_calibration(tmp_path / "a.tsv", surrogates=["hungarian"], **asked)
    assert _rows(again) == _rows(first)
    both = run_calibration(tmp_path / "a.tsv", surrogates=["hungarian", "random"], **asked)
    assert _rows(both[both["surrogate"] == "hungarian"]) == _rows(first)
    assert len(both) == 2 * len(first)
    with pytest.raises(UserError, match="no surrogate named 'spin'"):
        run_calibration(tmp_path / "a.tsv", surrogates=["spin"], **asked)


def test_the_committed_table_is_what_the_command_gives(tmp_path):
    found = run_calibration(tmp_path / "a.tsv", nulls=39, surrogates=["hungarian"], **ASKED)
    table = pd.read_csv(TABLE, sep="\t")
    committed = table[
        (table["brain"] == 0) & (table["surrogate"] == "hungarian") & ~table["signal"]
    ]
    assert _rows(found) == _rows(committed)


def test_a_search_chooses_in_each_null_and_has_a_table_of_its_own(calibrator, tmp_path):
    asked = {**ASKED, "nulls": 19}
    one = {"signal": False, "n_nulls": 19, "surrogates": ["hungarian"]}
    fixed = list(calibrator.rows(0, "mni", LEVELS[0], **one))
    searched = list(calibrator.rows(0, "mni", LEVELS[0], search=True, **one))
    assert [row.searched for row in (*fixed, *searched)] == [False, False, True, True]
    assert [row.as_good for row in fixed] != [row.as_good for row in searched]
    pd.DataFrame(searched).to_csv(tmp_path / "a.tsv", sep="\t", index=False)
    with pytest.raises(UserError, match="with --search; give another --out"):
        run_calibration(tmp_path / "a.tsv", surrogates=["hungarian"], **asked)


def _rows(table):
    return sorted(map(tuple, table.astype(str).to_numpy()))


def test_the_picture_shows_every_surrogate_and_a_distribution_from_0_to_1():
    table = pd.read_csv(TABLE, sep="\t")
    picture = calibration_picture(table)
    names = set(table["surrogate"])
    panels = [axes for axes in picture.figure.axes if axes.get_title(loc="left") in names]
    assert len(panels) == len(names)
    for axes in panels:
        even, *distributions = axes.get_lines()
        assert len(distributions) == 2
        for curve in distributions:
            assert curve.get_ydata()[0] == 0 and curve.get_ydata()[-1] == 1
            assert (np.diff(curve.get_ydata()) >= 0).all()
    assert picture.words.count("worst rate") == len(names)


def test_too_few_nulls_are_refused(tmp_path):
    with pytest.raises(UserError, match="at least"):
        run_calibration(tmp_path / "a.tsv", nulls=3, **ASKED)


@pytest.mark.slow
def test_unrelated_genes_are_rarely_called_significant(calibrator):
    """Ten synthetic brains of the smoothest kind in MNI space, the default surrogate."""
    rows = [
        row
        for number in range(100, 110)
        for row in calibrator.rows(
            number, "mni", LEVELS[1], signal=False, n_nulls=19, surrogates=["residual_spin"]
        )
    ]
    assert sum(row.as_good == 0 for row in rows) <= 3, rows
