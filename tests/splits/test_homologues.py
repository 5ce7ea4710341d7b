"""Planted pairs are found; what has no partner stands alone."""

from __future__ import annotations

from itertools import permutations

import numpy as np

from gx2c.splits import match_homologues


def test_recovers_planted_pairs_in_any_order():
    rng = np.random.default_rng(0)
    left = rng.uniform([-70, -100, -40], [-5, 70, 70], (50, 3))
    coords_mm = np.concatenate([left, left * [-1, 1, 1] + rng.normal(0, 1, left.shape)])
    planted = np.tile(np.arange(50), 2)
    hemisphere = np.repeat([0, 1], 50)
    order = rng.permutation(100)
    units = match_homologues(coords_mm[order], hemisphere[order])
    together = units[:, None] == units
    np.testing.assert_array_equal(together, planted[order][:, None] == planted[order])


def test_pairs_are_numbered_by_their_left_region():
    coords_mm = np.array([[30, 0, 0], [-30, 40, 0], [-30, 0, 0], [30, 40, 0]], float)
    units = match_homologues(coords_mm, np.array([1, 0, 0, 1]))
    assert units.tolist() == [1, 0, 1, 0]


def test_unmatched_region_is_its_own_unit():
    coords_mm = np.array([[-30, 0, 0], [-30, 40, 0], [-30, 80, 0], [30, 1, 0], [31, 79, 0]], float)
    units = match_homologues(coords_mm, np.array([0, 0, 0, 1, 1]))
    assert units.tolist() == [0, 2, 1, 0, 1]


def test_one_hemisphere_has_no_pairs():
    coords_mm = np.random.default_rng(0).normal(size=(9, 3))
    assert match_homologues(coords_mm, np.zeros(9, int)).tolist() == list(range(9))


def test_minimises_the_summed_distance():
    # a greedy matching would fail here: brute force over all pairings is the reference
    rng = np.random.default_rng(3)
    for _ in range(20):
        left, right = rng.normal(size=(5, 3)) - [5, 0, 0], rng.normal(size=(5, 3)) + [5, 0, 0]
        units = match_homologues(np.concatenate([left, right]), np.repeat([0, 1], 5))

        def cost(partner, left=left, right=right):
            return sum(np.linalg.norm(left[i] - right[j] * [-1, 1, 1]) for i, j in partner)

        found = cost([(i, int(np.flatnonzero(units[5:] == units[i])[0])) for i in range(5)])
        best = min(cost(list(enumerate(order))) for order in permutations(range(5)))
        np.testing.assert_allclose(found, best)
