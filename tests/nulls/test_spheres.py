"""Spheres that cannot be spun in mirror are refused."""

from __future__ import annotations

import numpy as np
import pytest

from gx2c.errors import UserError
from gx2c.nulls import check_handedness, make_spins
from gx2c.nulls.spheres import unit_spheres

MIRROR = np.array([-1, 1, 1])


@pytest.fixture
def cortex():
    """Twenty pairs, one left region more: an ellipsoid and the spheres it came from."""
    rng = np.random.default_rng(0)
    left = rng.normal(size=(21, 3))
    left /= np.linalg.norm(left, axis=1, keepdims=True)
    sphere_coords = 100 * np.concatenate([left, left[:20] * MIRROR])
    hemisphere = np.repeat([0, 1], [21, 20])
    offset = np.where(hemisphere == 0, -35, 35)[:, None] * [1, 0, 0]
    return sphere_coords, sphere_coords * [0.3, 0.8, 0.5] + offset, hemisphere


def test_mirrored_spheres_pass(cortex):
    check_handedness(*cortex)


def test_unmirrored_right_sphere_is_refused(cortex):
    sphere_coords, coords_mm, hemisphere = cortex
    wrong = np.where(hemisphere[:, None] == 1, sphere_coords * MIRROR, sphere_coords)
    with pytest.raises(UserError, match="change the sign of the right sphere's x"):
        check_handedness(wrong, coords_mm, hemisphere)


def test_one_hemisphere_has_no_handedness(cortex):
    sphere_coords, coords_mm, _ = cortex
    check_handedness(sphere_coords, coords_mm, np.zeros(41, int))


def test_projects_to_radius_one(cortex):
    sphere_coords, _, hemisphere = cortex
    shrunk = sphere_coords * np.linspace(0.8, 1, 41)[:, None]
    np.testing.assert_allclose(unit_spheres(shrunk, hemisphere), sphere_coords / 100)


def test_regions_outside_the_cortex_are_refused(cortex):
    sphere_coords, _, hemisphere = cortex
    sphere_coords[[3, 7]] = np.nan
    with pytest.raises(UserError, match="2 of 41 regions .* spins are for the cortex only"):
        make_spins(sphere_coords, hemisphere, n_spins=1, seed=0)


def test_off_centre_sphere_is_refused(cortex):
    sphere_coords, _, hemisphere = cortex
    with pytest.raises(UserError, match="left sphere coordinates lie .* subtract the sphere's"):
        make_spins(sphere_coords - [100, 0, 0], hemisphere, n_spins=1, seed=0)


def test_shapes_and_codes_are_checked(cortex):
    sphere_coords, _, hemisphere = cortex
    with pytest.raises(UserError, match=r"shape \(41, 2\); 41 regions"):
        unit_spheres(sphere_coords[:, :2], hemisphere)
    with pytest.raises(UserError, match="other than 0"):
        unit_spheres(sphere_coords, hemisphere + 1)
