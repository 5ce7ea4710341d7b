"""From a rule's name to outer folds, each with its inner folds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gx2c.data.brain import FloatArray, IntArray
from gx2c.errors import UserError
from gx2c.splits.bilateral import bilateral_folds
from gx2c.splits.fold import Fold
from gx2c.splits.homologues import match_homologues
from gx2c.splits.random import random_folds
from gx2c.splits.sites import Sites, Splitter
from gx2c.splits.spatial import spatial_folds

SPLITTERS: dict[str, Splitter] = {
    "bilateral": bilateral_folds,
    "random": random_folds,
    "spatial": spatial_folds,
}

# Fewer held-out regions have under 3 edges, of which no correlation says anything
MIN_TEST_REGIONS = 3
MIN_TRAIN_REGIONS = 4
MAX_SEED = 2**32 - 1


def make_folds(
    coords_mm: FloatArray,
    hemisphere: IntArray,
    *,
    split: str = "bilateral",
    n_folds: int = 4,
    n_inner_folds: int = 3,
    seed: int,
) -> tuple[Fold, ...]:
    """Cut a brain's regions into outer folds and each outer training set into inner folds.

    Inner folds are cut by the same rule with a seed made from `seed` and the outer fold's
    number, and see the outer-training regions only. Homologues are matched once, on the whole
    brain: which regions form a pair is part of the folds, not learned from them.

    Parameters
    ----------
    coords_mm
        (n_regions, 3), region centroids in MNI space, mm.
    hemisphere
        (n_regions,), 0 left, 1 right.
    split
        A name in `SPLITTERS`.
    n_folds, n_inner_folds
        Numbers of outer folds and of inner folds in each, at least 2.
    seed
        0 to 2**32 - 1; the same seed gives the same folds.

    Returns
    -------
    tuple of Fold
        `n_folds` outer folds; every region is held out in exactly one. Inner folds are in
        `Fold.inner`, their indices count the whole brain's regions.

    Raises
    ------
    UserError
        If there is no such rule, a number is out of range, a coordinate or hemisphere is not
        one, or a fold would hold too few regions to train or to score.
    """
    splitter = _find_splitter(split)
    _check_numbers(n_folds=n_folds, n_inner_folds=n_inner_folds, seed=seed)
    _check_regions(coords_mm, hemisphere)
    sites = Sites(coords_mm, match_homologues(coords_mm, hemisphere))
    everywhere = np.arange(len(sites), dtype=np.int64)
    outer = _cut(splitter, sites, everywhere, n_folds=n_folds, seed=seed, stage="outer")
    return tuple(
        Fold(
            fold.train_regions,
            fold.test_regions,
            _cut(
                splitter,
                sites,
                fold.train_regions,
                n_folds=n_inner_folds,
                seed=_inner_seed(seed, index),
                stage="inner",
            ),
        )
        for index, fold in enumerate(outer)
    )


def _cut(
    splitter: Splitter, sites: Sites, regions: IntArray, *, n_folds: int, seed: int, stage: str
) -> tuple[Fold, ...]:
    """Cut some of the brain's regions; nothing outside `regions` is shown to the rule."""
    visible = sites.take(regions)
    if len(visible) < n_folds or len(np.unique(visible.units)) < n_folds:
        raise UserError(
            f"{len(visible)} regions ({len(np.unique(visible.units))} units) cannot be cut into"
            f" {n_folds} {stage} folds; ask for fewer folds or use a finer parcellation"
        )
    held_out = splitter(visible, n_folds, seed)
    folds = tuple(Fold(np.delete(regions, positions), regions[positions]) for positions in held_out)
    _check_sizes(folds, stage=stage)
    return folds


def _inner_seed(seed: int, outer_fold: int) -> int:
    return int(np.random.SeedSequence(seed, spawn_key=(outer_fold,)).generate_state(1)[0])


def _find_splitter(split: str) -> Splitter:
    try:
        return SPLITTERS[split]
    except KeyError:
        raise UserError(f"no split named {split!r}; choose from {sorted(SPLITTERS)}") from None


def _check_numbers(*, n_folds: int, n_inner_folds: int, seed: int) -> None:
    for word, count in (("folds", n_folds), ("inner folds", n_inner_folds)):
        if count < 2:
            raise UserError(f"{count} {word} asked for; a split needs at least 2")
    if not 0 <= seed <= MAX_SEED:
        raise UserError(f"seed {seed} is out of range; choose one from 0 to {MAX_SEED}")


def _check_regions(coords_mm: FloatArray, hemisphere: IntArray) -> None:
    if coords_mm.shape != (len(hemisphere), 3):
        raise UserError(
            f"coordinates have shape {coords_mm.shape}; {len(hemisphere)} regions with a"
            f" hemisphere need ({len(hemisphere)}, 3)"
        )
    if not np.isfinite(coords_mm).all():
        n_missing = np.count_nonzero(~np.isfinite(coords_mm).all(axis=1))
        raise UserError(f"{n_missing} regions have no finite coordinates; leave them out")
    if not np.isin(hemisphere, (0, 1)).all():
        raise UserError("hemisphere holds values other than 0 (left) and 1 (right); recode it")


def _check_sizes(folds: Sequence[Fold], *, stage: str) -> None:
    n_train = min(len(fold.train_regions) for fold in folds)
    n_test = min(len(fold.test_regions) for fold in folds)
    if n_train < MIN_TRAIN_REGIONS or n_test < MIN_TEST_REGIONS:
        raise UserError(
            f"{len(folds)} {stage} folds leave as few as {n_train} regions to train and {n_test}"
            f" held out; at least {MIN_TRAIN_REGIONS} and {MIN_TEST_REGIONS} are needed: ask for"
            " fewer folds or use a finer parcellation"
        )
