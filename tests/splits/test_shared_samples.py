"""Regions whose expression comes from the same tissue samples never stand on both sides."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from bare_brain import brain_at

from gx2c.data import make_synthetic_brain
from gx2c.errors import UserError
from gx2c.estimators import ESTIMATORS
from gx2c.evaluate import cross_validate
from gx2c.metrics import HEADLINE
from gx2c.splits import make_folds, match_homologues

N = 60


@pytest.fixture(scope="module")
def copies():
    """60 regions of noise, of which every second is filled with its neighbour's expression.

    Connectivity follows the expression's identity and nothing that holds for other regions, so
    that only a model that saw a region's copy can predict it.
    """
    rng = np.random.default_rng(0)
    brain = make_synthetic_brain(n_regions=N, n_genes=40, seed=0)
    source = np.arange(N)
    source[1::2] -= 1
    expression = rng.normal(size=(N, 40))[source]
    noise = rng.uniform(-0.9, 0.9, (N, N))
    connectome = ((noise + noise.T) / 2)[np.ix_(source, source)]
    shared = (source[:, None] == source[None]) & ~np.eye(N, dtype=bool)
    return replace(
        brain, expression=expression, connectome=connectome, shared_samples=shared.astype(np.uint8)
    )


@pytest.mark.parametrize(
    ("split", "score"),
    [("random", "block-pairs"), *((s, "folds") for s in ("spatial", "bilateral", "network"))],
)
def test_no_training_region_shares_samples_with_a_test_region(copies, split, score):
    bare = replace(copies, shared_samples=None)
    folds = make_folds(copies, split=split, score=score, seed=3)
    n_dropped = 0
    for fold, without in zip(
        folds, make_folds(bare, split=split, score=score, seed=3), strict=True
    ):
        np.testing.assert_array_equal(fold.test_regions, without.test_regions)
        shared = copies.shared_samples[:, fold.test_regions].any(axis=1)
        expected = [i for i in without.train_regions if not shared[i]]
        assert fold.train_regions.tolist() == expected
        n_dropped += len(without.train_regions) - len(expected)
        for inner in fold.inner:
            assert not copies.shared_samples[np.ix_(inner.train_regions, inner.test_regions)].any()
    assert n_dropped > 0


def test_a_planted_copy_scores_only_without_the_rule(copies):
    def score(brain):
        folds = make_folds(brain, split="random", seed=0)
        return cross_validate(ESTIMATORS["KernelRidge"](), brain, folds).mean[HEADLINE]

    assert score(replace(copies, shared_samples=None)) > 0.4
    assert abs(score(copies)) < 0.15


def test_mirrored_samples_allow_no_split_that_parts_homologues():
    rng = np.random.default_rng(1)
    left = rng.uniform([-60, -90, -30], [-15, 60, 70], (N // 2, 3))
    hemisphere = np.repeat([0, 1], N // 2)
    sources = ("mirrored",) * N
    brain = brain_at(np.vstack([left, left * [-1, 1, 1]]), hemisphere, expression_from=sources)
    units = match_homologues(brain.coords_mm, brain.hemisphere)
    for fold in make_folds(brain, split="bilateral", seed=0):
        assert not np.isin(units[fold.train_regions], units[fold.test_regions]).any()
    for split in ("random", "spatial"):
        with pytest.raises(UserError, match="lr_mirror.*--split bilateral"):
            make_folds(brain, split=split, seed=0)


def test_samples_shared_by_all_leave_nothing_to_train_on(copies):
    everywhere = (1 - np.eye(N)).astype(np.uint8)
    with pytest.raises(UserError, match="share tissue samples.*without missing and lr_mirror"):
        make_folds(replace(copies, shared_samples=everywhere), split="random", seed=0)
