from __future__ import annotations

import numpy as np
import pytest

from gx2c.data.brain import Regions
from gx2c.models.closed_form.distance import exponential_decay, gaussian_kernel
from gx2c.models.features import mirrored_distance


@pytest.fixture
def regions():
    rng = np.random.default_rng(0)
    coords_mm = rng.uniform([-60, -90, -40], [60, 60, 70], size=(24, 3))
    hemisphere = (coords_mm[:, 0] > 0).astype(np.int64)
    return Regions(rng.normal(size=(24, 5)), coords_mm, hemisphere)


def distance_between(regions):
    """By hand: fold x, then Pythagoras."""
    x, y, z = regions.coords_mm.T
    folded = np.stack([np.abs(x), y, z], axis=1)
    return np.sqrt(((folded[:, None] - folded[None]) ** 2).sum(-1))


def test_mirrored_distance_is_that_of_folded_coordinates(regions):
    np.testing.assert_allclose(
        mirrored_distance(regions.coords_mm, regions.coords_mm), distance_between(regions)
    )


@pytest.mark.parametrize(("floor", "length_mm"), [(0.2, 15.0), (-0.1, 40.0), (0.0, 8.0)])
def test_exponential_decay_recovers_planted_parameters(regions, floor, length_mm):
    distance = distance_between(regions)
    connectome = floor + (1 - floor) * np.exp(-distance / length_mm)
    model = exponential_decay()
    model.fit(regions, connectome)
    assert model.fitted == (
        pytest.approx(floor, abs=1e-4),
        pytest.approx(length_mm, rel=1e-4),
    )
    np.testing.assert_allclose(model.predict(regions), connectome, atol=1e-4)


@pytest.mark.parametrize("sigma_mm", [12.0, 25.0, 38.0])
def test_gaussian_kernel_recovers_planted_sigma(regions, sigma_mm):
    connectome = np.exp(-(distance_between(regions) ** 2) / (2 * sigma_mm**2))
    model = gaussian_kernel()
    model.fit(regions, connectome)
    assert model.fitted == (pytest.approx(sigma_mm, rel=1e-5),)
    np.testing.assert_allclose(model.predict(regions), connectome, atol=1e-6)


def test_parameters_stay_within_the_published_bounds(regions):
    distance = distance_between(regions)
    wide = gaussian_kernel()
    wide.fit(regions, np.exp(-(distance**2) / (2 * 90.0**2)))
    assert wide.fitted == (pytest.approx(40.0, rel=1e-3),)
    slow = exponential_decay()
    slow.fit(regions, np.exp(-distance / 400.0))
    assert slow.fitted[1] <= 100.0


@pytest.mark.parametrize("model", [exponential_decay(), gaussian_kernel()])
def test_each_undirected_edge_counts_and_the_diagonal_does_not(model, regions):
    rng = np.random.default_rng(1)
    noise = rng.normal(scale=0.1, size=(24, 24))
    connectome = np.exp(-distance_between(regions) / 20) + noise + noise.T
    model.fit(regions, connectome)
    before = model.predict(regions)
    np.fill_diagonal(connectome, 1e6)
    model.fit(regions, connectome)
    np.testing.assert_array_equal(model.predict(regions), before)
