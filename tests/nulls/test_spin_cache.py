"""Cached spins are the spins, made once."""

from __future__ import annotations

import numpy as np
import pytest

from gx2c.errors import UserError
from gx2c.nulls import cached_spins, make_spins


@pytest.fixture
def cortex():
    points = np.random.default_rng(0).normal(size=(20, 3))
    return points / np.linalg.norm(points, axis=1, keepdims=True), np.repeat([0, 1], 10)


def test_fewer_are_read_and_more_are_added(cortex, tmp_path, monkeypatch):
    expected = make_spins(*cortex, n_spins=9, seed=4)
    asked = []

    def spy(*args, **options):
        asked.append((options["first"], options["n_spins"]))
        return make_spins(*args, **options)

    monkeypatch.setattr("gx2c.nulls.spin_cache.make_spins", spy)
    for n in (5, 3, 9, 9):
        found = cached_spins(tmp_path, *cortex, n_spins=n, seed=4)
        np.testing.assert_array_equal(found, expected[:, :n])
        assert found.dtype == np.int64
    assert asked == [(0, 5), (5, 4)]
    assert len(list(tmp_path.iterdir())) == 1


def test_what_spins_depend_on_names_the_file(cortex, tmp_path):
    sphere_coords, hemisphere = cortex
    moved = sphere_coords.copy()
    moved[0] *= [1, 1, -1]
    for number, (coords, options) in enumerate(
        [
            (sphere_coords, {}),
            (moved, {}),
            (sphere_coords, {"method": "vasa"}),
            (sphere_coords, {"max_distortion": 5.0}),
        ]
    ):
        cached_spins(tmp_path, coords, hemisphere, n_spins=2, seed=0, **options)
        assert len(list(tmp_path.iterdir())) == number + 1


def test_no_spins_are_refused_with_and_without_a_file(cortex, tmp_path):
    for _ in range(2):
        with pytest.raises(UserError, match="n_spins"):
            cached_spins(tmp_path, *cortex, n_spins=0, seed=0)
        cached_spins(tmp_path, *cortex, n_spins=2, seed=0)


@pytest.mark.parametrize("damage", [b"", b"x", b"\x93NUMPY"])
def test_a_damaged_file_is_made_anew(cortex, tmp_path, damage):
    first = cached_spins(tmp_path, *cortex, n_spins=2, seed=1)
    (path,) = tmp_path.glob("spins_*.npy")
    path.write_bytes(damage)
    found = cached_spins(tmp_path, *cortex, n_spins=2, seed=1)
    np.testing.assert_array_equal(found, first)
