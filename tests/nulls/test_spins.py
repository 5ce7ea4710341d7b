"""Spins are uniform, reproducible one by one, bijective, and keep smoothness."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import cdist

from gx2c.errors import UserError
from gx2c.nulls import SPIN_METHODS, make_spins, read_spins
from gx2c.nulls.spins import rotate_regions, spin_rotations


def planted_spheres(n_left=50, n_right=49):
    """Scatter points evenly on two mirrored spheres of radius 100, less a medial wall."""
    turn = np.arange(60) * np.pi * (3 - np.sqrt(5))
    height = 1 - 2 * (np.arange(60) + 0.5) / 60
    ring = np.sqrt(1 - height**2)
    # the first points face the midline: x > 0 on a left sphere
    left = 100 * np.column_stack([height, ring * np.cos(turn), ring * np.sin(turn)])[10:]
    sphere_coords = np.concatenate([left[:n_left], (left * [-1, 1, 1])[:n_right]])
    return sphere_coords, np.repeat([0, 1], [n_left, n_right])


def spin_once(on_sphere, hemisphere, rotation, method):
    return rotate_regions(on_sphere, hemisphere, rotation[None], method=method)[:, 0]


def test_rotations_are_proper():
    for rotation in spin_rotations(0, range(50)):
        np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
        assert np.linalg.det(rotation) == pytest.approx(1)


def test_rotations_are_uniform():
    rotations = spin_rotations(1, range(4000))
    # Haar: any point lands uniformly, so each of its coordinates is uniform on [-1, 1] ...
    for entry in rotations.reshape(-1, 9).T:
        assert stats.kstest(entry, stats.uniform(-1, 2).cdf).pvalue > 0.001
    # ... and the angle's density is (1 - cos angle) / pi, which a wrong det fix would change
    angle = np.arccos(np.clip((np.trace(rotations, axis1=1, axis2=2) - 1) / 2, -1, 1))
    assert stats.kstest(angle, lambda a: (a - np.sin(a)) / np.pi).pvalue > 0.001
    assert np.abs(rotations.mean(axis=0)).max() < 5 / np.sqrt(3 * 4000)


def test_shape_and_bijection_within_unequal_hemispheres():
    sphere_coords, hemisphere = planted_spheres(50, 49)
    spins = make_spins(sphere_coords, hemisphere, n_spins=25, seed=0)
    assert spins.shape == (99, 25) and spins.dtype == np.int64
    for side in (0, 1):
        members = np.flatnonzero(hemisphere == side)
        np.testing.assert_array_equal(
            np.sort(spins[members], axis=0), np.tile(members[:, None], 25)
        )
    assert len(np.unique(spins, axis=1).T) == 25


def test_order_of_regions_does_not_matter():
    sphere_coords, hemisphere = planted_spheres()
    order = np.random.default_rng(0).permutation(99)
    spins = make_spins(sphere_coords, hemisphere, n_spins=5, seed=0)
    shuffled = make_spins(sphere_coords[order], hemisphere[order], n_spins=5, seed=0)
    np.testing.assert_array_equal(order[shuffled], spins[order])


def test_spin_k_depends_on_seed_and_k_alone():
    sphere_coords, hemisphere = planted_spheres()
    spins = make_spins(sphere_coords, hemisphere, n_spins=12, seed=7)
    np.testing.assert_array_equal(
        make_spins(sphere_coords, hemisphere, n_spins=5, seed=7), spins[:, :5]
    )
    np.testing.assert_array_equal(
        make_spins(sphere_coords, hemisphere, n_spins=4, seed=7, first=8), spins[:, 8:]
    )
    assert not np.array_equal(make_spins(sphere_coords, hemisphere, n_spins=12, seed=8), spins)


def test_streams_of_seeds_do_not_meet():
    rotations = [r for seed in (0, 1, 2**32, 2**32 + 1) for r in spin_rotations(seed, range(3))]
    assert len({rotation.tobytes() for rotation in rotations}) == 12


def test_radius_does_not_matter():
    sphere_coords, hemisphere = planted_spheres()
    scaled = sphere_coords * np.random.default_rng(0).uniform(0.9, 1.1, (99, 1))
    np.testing.assert_array_equal(
        make_spins(sphere_coords, hemisphere, n_spins=3, seed=0),
        make_spins(scaled, hemisphere, n_spins=3, seed=0),
    )


@pytest.mark.parametrize("method", sorted(SPIN_METHODS))
def test_no_rotation_moves_nothing(method):
    sphere_coords, hemisphere = planted_spheres()
    spin = spin_once(sphere_coords / 100, hemisphere, np.eye(3), method)
    np.testing.assert_array_equal(spin, np.arange(99))


def test_homologues_move_alike():
    # a planted pair has mirrored places, so the mirrored rotation moves both the same way
    sphere_coords, hemisphere = planted_spheres(50, 50)
    spins = make_spins(sphere_coords, hemisphere, n_spins=10, seed=3)
    np.testing.assert_array_equal(spins[:50] + 50, spins[50:])


def test_rotation_by_one_step_shifts_a_ring():
    # eight regions on the equator: a turn by 45 degrees carries each onto its neighbour
    turn = np.arange(8) * np.pi / 4
    ring = np.column_stack([np.cos(turn), np.sin(turn), np.zeros(8)])
    rotation = np.array(
        [[np.cos(turn[1]), -np.sin(turn[1]), 0], [np.sin(turn[1]), np.cos(turn[1]), 0], [0, 0, 1]]
    )
    left = spin_once(ring, np.zeros(8, int), rotation, "hungarian")
    np.testing.assert_array_equal(left, (np.arange(8) - 1) % 8)
    right = spin_once(ring, np.ones(8, int), rotation, "hungarian")
    np.testing.assert_array_equal(right, (np.arange(8) + 1) % 8)


def test_hungarian_equals_brute_force():
    rng = np.random.default_rng(0)
    for rotation in spin_rotations(0, range(10)):
        points = rng.normal(size=(6, 3))
        points /= np.linalg.norm(points, axis=1, keepdims=True)
        spin = spin_once(points, np.zeros(6, int), rotation, "hungarian")
        rotated = [rotation @ point for point in points]
        best = min(
            permutations(range(6)),
            key=lambda order: sum(
                np.linalg.norm(points[i] - rotated[j]) for i, j in enumerate(order)
            ),
        )
        assert tuple(spin) == best


def morans_i(maps, weight):
    deviation = maps - maps.mean(axis=0)
    total = np.einsum("im,ij,jm->m", deviation, weight, deviation)
    return len(maps) / weight.sum() * total / (deviation**2).sum(axis=0)


def smooth_maps(sphere_coords, n_maps, rng, *, width=100.0):
    """Independent smooth fields on one sphere, the same kernel for both hemispheres' points."""
    covariance = np.exp(-((cdist(sphere_coords, sphere_coords) / width) ** 2))
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.clip(values, 0, None))
    return root @ rng.standard_normal((len(sphere_coords), n_maps))


def test_spins_keep_autocorrelation_that_permutation_destroys():
    sphere_coords, hemisphere = planted_spheres(50, 0)
    rng = np.random.default_rng(0)
    smooth = smooth_maps(sphere_coords, 1, rng)[:, 0]
    weight = 1 / (cdist(sphere_coords, sphere_coords) + np.eye(50))
    np.fill_diagonal(weight, 0)
    spins = make_spins(sphere_coords, hemisphere, n_spins=100, seed=0)
    shuffles = np.stack([rng.permutation(50) for _ in range(100)], axis=1)
    true = morans_i(smooth[:, None], weight)[0]
    spun, shuffled = (morans_i(smooth[moved], weight).mean() for moved in (spins, shuffles))
    assert spun > 0.75 * true
    assert shuffled < 0.1 * true


def test_independent_smooth_maps_give_near_uniform_p():
    sphere_coords, hemisphere = planted_spheres(50, 0)
    rng = np.random.default_rng(5)
    first, second = (stats.zscore(smooth_maps(sphere_coords, 600, rng), axis=0) for _ in range(2))
    spins = make_spins(sphere_coords, hemisphere, n_spins=199, seed=0)
    shuffles = np.stack([rng.permutation(50) for _ in range(199)], axis=1)
    observed = (first * second).sum(axis=0)

    def rate(moved):
        null = np.einsum("ikm,im->km", first[moved], second)
        p_values = (1 + (null >= observed).sum(axis=0)) / 200
        return (p_values <= 0.05).mean(), p_values.mean()

    spin_rate, spin_mean = rate(spins)
    naive_rate, _ = rate(shuffles)
    assert spin_rate < 0.09
    assert naive_rate > 0.18
    assert 0.45 < spin_mean < 0.55


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"method": "nearest"}, "no spin method named 'nearest'; choose from .'alexander_bloch'"),
        ({"n_spins": 0}, "n_spins=0, seed=0, first=0"),
        ({"seed": -1}, "must not be negative"),
        ({"first": -1}, "must not be negative"),
    ],
)
def test_mistakes_give_one_clear_sentence(changes, message):
    sphere_coords, hemisphere = planted_spheres(10, 9)
    with pytest.raises(UserError, match=message):
        make_spins(sphere_coords, hemisphere, **({"n_spins": 1, "seed": 0} | changes))


@pytest.mark.parametrize("content", [b"", b"x", b"\x93NUMPY"])
def test_a_damaged_file_of_spins_is_refused(tmp_path, content):
    path = tmp_path / "spins.npy"
    path.write_bytes(content)
    with pytest.raises(UserError, match="is not an array of spins"):
        read_spins(path, 20)
