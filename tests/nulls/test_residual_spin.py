from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gx2c.data import make_synthetic_brain
from gx2c.nulls import (
    DEFAULT_SURROGATE,
    SURROGATES,
    caution,
    make_brain_spins,
    make_surrogate,
)
from gx2c.nulls.partial_spins import make_smoother


@pytest.fixture(scope="module")
def brain():
    return make_synthetic_brain(n_regions=60, n_genes=20, seed=1)


def test_the_smooth_part_stays_and_the_rest_is_spun(brain):
    surrogate = make_surrogate("residual_spin", brain, seed=4)
    spin = make_brain_spins(brain, n_spins=3, seed=4)[:, 2]
    centred = brain.expression - brain.expression.mean(0)
    smooth = make_smoother(brain.coords_mm) @ centred
    moved = surrogate.expression(brain, 2) - brain.expression.mean(0) - smooth
    np.testing.assert_allclose(moved, (centred - smooth)[spin], atol=1e-12)


def test_the_smoother_knows_homologues_and_keeps_what_is_smooth(brain):
    smoother = make_smoother(brain.coords_mm)
    flipped = make_smoother(brain.coords_mm * [-1, 1, 1])
    np.testing.assert_allclose(smoother, flipped, atol=1e-12)
    trend = np.sin(brain.coords_mm[:, 1] / 40)
    noise = np.random.default_rng(0).normal(size=60)
    kept = [np.var(smoother @ v) / np.var(v) for v in (trend - trend.mean(), noise)]
    assert kept[0] > 0.5 > kept[1]


def test_one_draw_serves_all_genes_so_that_it_commutes_with_mixing_them(brain):
    surrogate = make_surrogate("residual_spin", brain, seed=4)
    mixing = np.random.default_rng(0).normal(size=(20, 20))
    mixed = replace(brain, expression=brain.expression @ mixing)
    np.testing.assert_allclose(
        surrogate.expression(mixed, 1), surrogate.expression(brain, 1) @ mixing, atol=1e-9
    )


def test_what_was_measured_stands_beside_p():
    assert caution("residual_spin", nested=True) == ""
    assert "may be too liberal" in caution("hungarian", nested=False)
    assert "not been measured" in caution("stitched", nested=True)
    rates = [spec.rates[0] for spec in SURROGATES.values() if spec.rates is not None]
    assert DEFAULT_SURROGATE == "residual_spin"
    assert SURROGATES[DEFAULT_SURROGATE].rates[0] == min(rates)
