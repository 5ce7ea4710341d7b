"""Reassignments equal their plain definitions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from gx2c.errors import UserError
from gx2c.nulls import SPIN_METHODS, make_spins, spin_distortion
from gx2c.nulls.spheres import alexander_bloch, hungarian, unit_spheres, vasa

# so that a few spins make several batches
SMALL_BATCHES = {name: replace(m, batch_values=10_000) for name, m in SPIN_METHODS.items()}


@pytest.fixture
def cortex():
    rng = np.random.default_rng(3)
    left = rng.normal(size=(30, 3))
    left /= np.linalg.norm(left, axis=1, keepdims=True)
    return 100 * np.concatenate([left, left[:27] * [-1, 1, 1]]), np.repeat([0, 1], [30, 27])


def random_cosines(n_spins=8, n=12):
    rng = np.random.default_rng(0)
    return rng.uniform(-1, 1, size=(n_spins, n, n))


def greedy(cosine):
    free, assigned = set(range(len(cosine))), {}
    while free:
        columns = set(range(len(cosine))) - set(assigned.values())
        nearest = {i: max(columns, key=lambda j: cosine[i, j]) for i in free}
        farthest = min(free, key=lambda i: cosine[i, nearest[i]])
        assigned[farthest] = nearest[farthest]
        free.remove(farthest)
    return [assigned[i] for i in range(len(cosine))]


def test_vasa_equals_its_definition():
    cosine = random_cosines()
    np.testing.assert_array_equal(vasa(cosine), [greedy(one) for one in cosine])


def test_alexander_bloch_is_the_nearest_and_repeats():
    cosine = random_cosines()
    spins = alexander_bloch(cosine)
    np.testing.assert_array_equal(spins, np.argsort(cosine, axis=2)[:, :, -1])
    assert all(len(set(spin)) < len(spin) for spin in spins.tolist())


@pytest.mark.parametrize("method", sorted(SPIN_METHODS))
def test_each_spin_is_itself_whatever_is_made_beside_it(cortex, method, monkeypatch):
    spins = make_spins(*cortex, n_spins=30, seed=1, method=method)
    monkeypatch.setattr("gx2c.nulls.spins.os.cpu_count", lambda: 2)
    for options in ({"n_spins": 7}, {"n_spins": 11, "first": 19}, {"n_spins": 30, "n_jobs": 2}):
        part = make_spins(*cortex, seed=1, method=method, **options)
        first = options.get("first", 0)
        np.testing.assert_array_equal(part, spins[:, first : first + part.shape[1]])


@pytest.mark.parametrize("n", [1, 2, 12, 60])
def test_hungarian_is_the_best_assignment(n):
    cosine = random_cosines(n_spins=6, n=n)
    best = [linear_sum_assignment(np.sqrt(2 - 2 * one))[1] for one in cosine]
    np.testing.assert_array_equal(hungarian(cosine), best)


def test_threads_give_the_same_spins(cortex, monkeypatch):
    monkeypatch.setattr("gx2c.nulls.spins.os.cpu_count", lambda: 2)
    monkeypatch.setattr("gx2c.nulls.spins.SPIN_METHODS", SMALL_BATCHES)
    alone = make_spins(*cortex, n_spins=1_200, seed=0)
    np.testing.assert_array_equal(make_spins(*cortex, n_spins=1_200, seed=0, n_jobs=2), alone)


def test_filter_redraws_only_what_it_refuses(cortex):
    sphere_coords, hemisphere = cortex
    on_sphere = unit_spheres(sphere_coords, hemisphere)
    free = make_spins(sphere_coords, hemisphere, n_spins=40, seed=0)
    distortion = spin_distortion(free, on_sphere, hemisphere)
    limit = float(np.median(distortion))
    kept = make_spins(sphere_coords, hemisphere, n_spins=40, seed=0, max_distortion=limit)
    assert (spin_distortion(kept, on_sphere, hemisphere) <= limit).all()
    same = distortion <= limit
    np.testing.assert_array_equal(kept[:, same], free[:, same])
    assert 0 < same.sum() < 40
    alone = make_spins(sphere_coords, hemisphere, n_spins=5, first=20, seed=0, max_distortion=limit)
    np.testing.assert_array_equal(alone, kept[:, 20:25])


def test_perfect_rotation_has_no_distortion():
    cube = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]) / np.sqrt(3)
    quarter = np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1]])
    turned = (cube @ quarter.T)[:, None] - cube
    spin = np.linalg.norm(turned, axis=2).argmin(axis=0)[:, None]
    swapped = np.array([1, 0, 2, 3, 4, 5, 6, 7])[:, None]
    side = np.zeros(8, dtype=int)
    assert spin_distortion(spin, cube, side) == pytest.approx([0])
    assert spin_distortion(swapped, cube, side)[0] > 0.05


def test_filter_that_refuses_everything_says_so(cortex, monkeypatch):
    monkeypatch.setattr("gx2c.nulls.spins.MAX_ATTEMPTS", 2)
    with pytest.raises(UserError, match=r"max_distortion=0.0 rejects 2 rotations"):
        make_spins(*cortex, n_spins=2, seed=0, max_distortion=0.0)
