"""Vertex spins give each region the commonest rotated one."""

from __future__ import annotations

import numpy as np
import pytest

from gx2c.errors import UserError
from gx2c.nulls import baum_spins, make_spins


@pytest.fixture
def vertices():
    points = np.random.default_rng(0).normal(size=(24, 3))
    return 100 * points / np.linalg.norm(points, axis=1, keepdims=True), np.repeat([0, 1], 12)


def test_one_vertex_a_region_is_alexander_bloch(vertices):
    coords, side = vertices
    spins = baum_spins(coords, np.arange(24), side, n_spins=20, seed=2)
    expected = make_spins(coords, side, n_spins=20, seed=2, method="alexander_bloch")
    np.testing.assert_array_equal(spins, expected)


def test_vertices_outside_neither_give_nor_take(vertices):
    coords, side = vertices
    region = np.array([*range(10), -1, -1, *range(10, 20), -1, -1])
    spins = baum_spins(coords, region, side, n_spins=20, seed=2)
    kept = region >= 0
    expected = baum_spins(coords[kept], region[kept], side[kept], n_spins=20, seed=2)
    np.testing.assert_array_equal(spins, expected)
    assert spins.min() >= 0


@pytest.mark.parametrize(
    ("region", "options", "message"),
    [
        (np.arange(23), {}, "24 vertices have 23 regions"),
        (np.arange(24) + 1, {}, r"regions \[0\] have no vertex"),
        (np.full(24, -1), {}, "have no vertex"),
        (np.arange(24), {"n_spins": 0}, "n_spins=0"),
    ],
)
def test_mistakes_are_refused(vertices, region, options, message):
    with pytest.raises(UserError, match=message):
        baum_spins(vertices[0], region, vertices[1], **{"n_spins": 1, "seed": 0, **options})
