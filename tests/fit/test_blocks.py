from __future__ import annotations

import numpy as np
import pytest

from gx2c.fit.network import draw_blocks, steps_per_epoch


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.mark.parametrize(("n_regions", "block"), [(20, 5), (23, 7), (9, 9), (31, 2)])
def test_a_region_never_meets_itself_in_a_block(n_regions, block):
    blocks = draw_blocks(n_regions, n_steps=200, block=block, rng=rng())
    assert blocks.shape == (200, block)
    assert all(len(set(row)) == block for row in blocks.tolist())
    assert blocks.min() == 0 and blocks.max() == n_regions - 1


@pytest.mark.parametrize(("n_regions", "block"), [(20, 5), (23, 7), (31, 2)])
def test_every_region_is_visited_about_equally(n_regions, block):
    n_steps = 6000
    visits = np.bincount(draw_blocks(n_regions, n_steps=n_steps, block=block, rng=rng()).ravel())
    expected = n_steps * block / n_regions
    # 5 standard deviations of independent draws, which cut permutations stay far within
    assert np.abs(visits - expected).max() < 5 * np.sqrt(expected)


def test_every_pair_is_visited_about_equally():
    blocks = draw_blocks(12, n_steps=6000, block=4, rng=rng())
    visits = np.zeros((12, 12))
    for block in blocks:
        visits[np.ix_(block, block)] += 1
    pairs = visits[np.triu_indices(12, 1)]
    expected = 6000 * 4 * 3 / (12 * 11)
    assert np.abs(pairs - expected).max() < 5 * np.sqrt(expected)


def test_regions_of_one_permutation_do_not_repeat():
    blocks = draw_blocks(20, n_steps=4, block=5, rng=rng())
    assert sorted(blocks.ravel().tolist()) == list(range(20))


def test_the_generator_decides():
    first, again, other = (
        draw_blocks(20, n_steps=9, block=6, rng=rng(s)).tolist() for s in (1, 1, 2)
    )
    assert first == again != other


@pytest.mark.parametrize("n_regions", [40, 75, 300])
@pytest.mark.parametrize("block", [8, 16, 32])
def test_a_epoch_visits_as_many_pairs_as_there_are(n_regions, block):
    n_steps, found = steps_per_epoch([n_regions], block)
    assert found == block
    visited, there = n_steps * block * (block - 1), n_regions * (n_regions - 1)
    assert abs(visited - there) <= block * (block - 1) / 2


def test_a_block_is_never_larger_than_the_smallest_training_set():
    assert steps_per_epoch([10, 30], 20) == (round((90 + 870) / 2 / 90), 10)
    assert steps_per_epoch([10], 64) == (1, 10)
