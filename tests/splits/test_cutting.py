"""Folds hold what they promise: each region once, pairs together, published folds repeated."""

from __future__ import annotations

import numpy as np
import pytest
from bare_brain import brain_at
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from sklearn.model_selection import KFold

from gx2c.errors import UserError
from gx2c.splits import SPLITTERS, Fold, make_folds, match_homologues
from gx2c.splits.fold import Sites
from gx2c.splits.folds import BrainSplitter

# Rules with as many folds as are asked for; the others have tests of their own
NUMBERED = sorted(name for name, splitter in SPLITTERS.items() if splitter.numbered)


def planted_brain(n_left: int = 40, n_right: int = 40, *, seed: int = 0):
    """A brain of mirrored pairs with jitter; the larger hemisphere has regions of its own."""
    rng = np.random.default_rng(seed)
    left = rng.uniform([-70, -100, -40], [-5, 70, 70], (max(n_left, n_right), 3))
    right = left * [-1, 1, 1] + rng.normal(0, 0.5, left.shape)
    order_left = rng.permutation(len(left))[:n_left]
    order_right = rng.permutation(len(left))[:n_right]
    coords_mm = np.concatenate([left[order_left], right[order_right]])
    hemisphere = np.repeat([0, 1], [n_left, n_right])
    return coords_mm, hemisphere


def every_fold(folds):
    return [*folds, *(inner for fold in folds for inner in fold.inner)]


@pytest.mark.parametrize("split", NUMBERED)
@pytest.mark.parametrize("seed", [0, 42])
def test_every_region_is_held_out_once(split, seed):
    coords_mm, hemisphere = planted_brain(50, 49)
    folds = make_folds(brain_at(coords_mm, hemisphere), split=split, seed=seed)
    assert len(folds) == 4
    tested = np.concatenate([fold.test_regions for fold in folds])
    np.testing.assert_array_equal(np.sort(tested), np.arange(99))
    for fold in folds:
        np.testing.assert_array_equal(
            np.union1d(fold.train_regions, fold.test_regions), np.arange(99)
        )
        assert len(fold.inner) == 3
        validated = np.concatenate([inner.test_regions for inner in fold.inner])
        np.testing.assert_array_equal(np.sort(validated), fold.train_regions)
        for inner in fold.inner:
            np.testing.assert_array_equal(
                np.union1d(inner.train_regions, inner.test_regions), fold.train_regions
            )
            assert np.all(np.diff(inner.train_regions) > 0)


@pytest.mark.parametrize("split", ["bilateral", "bilateral-random"])
@given(st.integers(20, 60), st.integers(20, 60), st.integers(0, 2**32 - 1), st.integers(2, 5))
@settings(max_examples=25)
def test_no_pair_is_ever_split(split, n_left, n_right, seed, n_folds):
    coords_mm, hemisphere = planted_brain(n_left, n_right, seed=seed % 100)
    units = match_homologues(coords_mm, hemisphere)
    folds = make_folds(
        brain_at(coords_mm, hemisphere), split=split, n_folds=n_folds, n_inner_folds=2, seed=seed
    )
    for fold in every_fold(folds):
        assert not np.intersect1d(units[fold.train_regions], units[fold.test_regions]).size


def test_published_rules_split_pairs():
    # otherwise the test above would pass for a rule that ignores the units
    coords_mm, hemisphere = planted_brain()
    units = match_homologues(coords_mm, hemisphere)
    for split in ("random", "spatial"):
        folds = make_folds(brain_at(coords_mm, hemisphere), split=split, seed=1)
        assert any(
            np.intersect1d(units[fold.train_regions], units[fold.test_regions]).size
            for fold in folds
        )


def test_random_equals_published_folds():
    coords_mm, hemisphere = planted_brain()
    folds = make_folds(brain_at(coords_mm, hemisphere), split="random", seed=42)
    published = KFold(4, shuffle=True, random_state=42).split(coords_mm)
    for fold, (train_regions, test_regions) in zip(folds, published, strict=True):
        np.testing.assert_array_equal(fold.train_regions, train_regions)
        np.testing.assert_array_equal(fold.test_regions, test_regions)


def published_patches(points, n_folds, seed):
    """The rule with sets and loops, written independently of the code under test."""
    rng, left, patches = np.random.RandomState(seed), set(range(len(points))), []
    distance = cdist(points, points)
    for fold in range(n_folds):
        chosen = rng.choice(sorted(left))
        nearest = sorted(left, key=lambda point: distance[chosen, point])
        size = len(points) // n_folds if fold < n_folds - 1 else len(left)
        patches.append(sorted(nearest[:size]))
        left -= set(nearest[:size])
    return patches


@pytest.mark.parametrize("seed", [1, 42])
def test_spatial_equals_published_rule(seed):
    coords_mm, hemisphere = planted_brain(31, 30)
    folds = make_folds(brain_at(coords_mm, hemisphere), split="spatial", seed=seed)
    found = [fold.test_regions.tolist() for fold in folds]
    assert found == published_patches(coords_mm, 4, seed)


@pytest.mark.parametrize("seed", [1, 42])
def test_bilateral_is_the_spatial_rule_on_units(seed):
    coords_mm, hemisphere = planted_brain(31, 30)
    units = match_homologues(coords_mm, hemisphere)
    mirrored = np.column_stack([np.abs(coords_mm[:, 0]), coords_mm[:, 1:]])
    centroids = np.array([mirrored[units == unit].mean(axis=0) for unit in range(units.max() + 1)])
    expected = published_patches(centroids, 4, seed)
    folds = make_folds(brain_at(coords_mm, hemisphere), split="bilateral", seed=seed)
    assert [sorted(set(units[fold.test_regions].tolist())) for fold in folds] == expected


def test_bilateral_random_is_the_random_rule_on_units():
    coords_mm, hemisphere = planted_brain(31, 30)
    units = match_homologues(coords_mm, hemisphere)
    folds = make_folds(brain_at(coords_mm, hemisphere), split="bilateral-random", seed=42)
    drawn = KFold(4, shuffle=True, random_state=42).split(np.zeros(units.max() + 1))
    for fold, (_, held_out) in zip(folds, drawn, strict=True):
        assert sorted(set(units[fold.test_regions].tolist())) == held_out.tolist()


@pytest.mark.parametrize("split", NUMBERED)
def test_same_seed_same_folds(split):
    coords_mm, hemisphere = planted_brain()

    def tested(seed):
        folds = every_fold(make_folds(brain_at(coords_mm, hemisphere), split=split, seed=seed))
        return [fold.test_regions.tolist() for fold in folds]

    assert tested(3) == tested(3)
    assert tested(3) != tested(4)


@pytest.mark.parametrize("split", NUMBERED)
def test_inner_folds_see_only_training_regions(split):
    coords_mm, hemisphere = planted_brain()
    units = match_homologues(coords_mm, hemisphere)
    outer = make_folds(brain_at(coords_mm, hemisphere), split=split, seed=5)[0]
    garbage = coords_mm.copy()
    garbage[outer.test_regions] = np.nan
    bare = Fold(outer.train_regions, outer.test_regions)
    cuts = [
        BrainSplitter(SPLITTERS[split], Sites(coords, units))
        .nest(bare, n_inner_folds=3, seed=9, number=0)
        .inner
        for coords in (coords_mm, garbage)
    ]
    for true, with_garbage in zip(*cuts, strict=True):
        np.testing.assert_array_equal(true.test_regions, with_garbage.test_regions)


def test_inner_folds_of_two_outer_folds_draw_differently():
    coords_mm, hemisphere = planted_brain()
    folds = make_folds(brain_at(coords_mm, hemisphere), split="random", seed=0)
    positions = [
        np.searchsorted(fold.train_regions, fold.inner[0].test_regions).tolist() for fold in folds
    ]
    assert positions[0] != positions[1]


def test_spatial_folds_are_compact():
    coords_mm, hemisphere = planted_brain()

    def spread(split):
        fold = make_folds(brain_at(coords_mm, hemisphere), split=split, seed=0)[0]
        return cdist(coords_mm[fold.test_regions], coords_mm[fold.test_regions]).mean()

    assert spread("spatial") < 0.8 * spread("random")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"split": "nearest"}, "no split named 'nearest'; choose from .'bilateral'"),
        ({"n_folds": 1}, "1 folds requested; a split needs at least 2"),
        ({"n_inner_folds": 0}, "0 inner folds requested"),
        ({"n_folds": 30}, "20 units. cannot be cut into 30 outer folds"),
        ({"split": "random", "n_folds": 20}, "20 outer folds leave as few as 38 .* 2 held-out"),
        ({"n_folds": 2, "n_inner_folds": 9}, "9 inner folds leave as few as"),
        ({"seed": -1}, "seed -1 is out of range"),
    ],
)
def test_mistakes_give_one_clear_sentence(changes, message):
    brain = brain_at(*planted_brain(20, 20))
    with pytest.raises(UserError, match=message):
        make_folds(brain, **{"seed": 0} | changes)


def test_repeats_of_inner_folds_stand_side_by_side_and_leave_the_first_alone():
    coords_mm, hemisphere = planted_brain()
    keywords = {"split": "bilateral", "n_folds": 3, "n_inner_folds": 4, "seed": 5}
    once = make_folds(brain_at(coords_mm, hemisphere), **keywords)
    thrice = make_folds(brain_at(coords_mm, hemisphere), **keywords, n_inner_repeats=3)
    for one, more in zip(once, thrice, strict=True):
        assert len(more.inner) == 12
        for fold, first in zip(one.inner, more.inner[:4], strict=True):
            np.testing.assert_array_equal(fold.test_regions, first.test_regions)
        for repeat in range(3):
            held_out = [f.test_regions for f in more.inner[4 * repeat : 4 * repeat + 4]]
            np.testing.assert_array_equal(np.sort(np.concatenate(held_out)), more.train_regions)
        assert len({tuple(f.test_regions) for f in more.inner}) > 8, "cut by other seeds"
