"""Folds that train on one brain and test regions of another."""

from dataclasses import replace

import numpy as np
import scipy

from gx2c.data.brain import Brain, IntArray
from gx2c.data.sides import reflected
from gx2c.data.two_brains import (
    distances_on_one_side,
    is_one_parcellation,
    is_tested,
    overlap_mm,
    tested_part,
    training_part,
)
from gx2c.errors import UserError
from gx2c.splits.fold import MIN_TEST_REGIONS, Fold


def transfer_folds(brain: Brain, folds: tuple[Fold, ...], *, buffer_mm: float) -> tuple[Fold, ...]:
    """Test the regions of the joined brain that no fold's training regions can have shown.

    With one parcellation these are the held-out regions themselves. With another, a region is
    tested in the fold that holds out the region of its hemisphere nearest to it, unless it lies
    closer than `transfer_mm` to a training region of that fold and hemisphere.

    Parameters
    ----------
    brain
        Two brains, of `join_brains`.
    folds
        Outer folds of the brain that trains; their inner folds stay as they are.
    buffer_mm
        As in `make_folds`.

    Raises
    ------
    UserError
        If a fold is left with too few test regions.
    """
    n_own = int(np.count_nonzero(~is_tested(brain)))
    if is_one_parcellation(brain):
        return tuple(replace(fold, test_regions=fold.test_regions + n_own) for fold in folds)
    own, other = training_part(brain), tested_part(brain)
    apart = distances_on_one_side(other, own)
    nearest, least_mm = apart.argmin(axis=1), transfer_mm(brain, buffer_mm=buffer_mm)
    moved = []
    for number, fold in enumerate(folds):
        far = apart[:, fold.train_regions].min(axis=1) >= least_mm
        if buffer_mm:
            held = reflected(own.coords_mm[fold.train_regions])
            across = scipy.spatial.distance.cdist(other.coords_mm, held).min(axis=1)
            far &= across >= buffer_mm
        # a region without any on its side has no nearest
        chosen = np.flatnonzero(
            far & np.isin(nearest, fold.test_regions) & np.isfinite(apart).any(axis=1)
        )
        if len(chosen) < MIN_TEST_REGIONS:
            raise UserError(
                f"fold {number} leaves {len(chosen)} regions of the test brain further than "
                f"{least_mm:.1f} mm from its training regions; at least {MIN_TEST_REGIONS} are "
                "needed: take a split that holds out neighbours (spatial or bilateral), fewer "
                "folds, or a narrower --buffer"
            )
        blocks = None if fold.blocks is None else _blocks_of(fold, nearest[chosen])
        # replaced together: a fold needs a block for each test region
        moved.append(replace(fold, test_regions=chosen + n_own, blocks=blocks))
    return tuple(moved)


def transfer_mm(brain: Brain, *, buffer_mm: float) -> float:
    """Return the distance, mm, to training regions below which a joined region is not tested."""
    return max(buffer_mm, overlap_mm(training_part(brain), tested_part(brain)))


def transfer_note(brain: Brain, folds: tuple[Fold, ...], *, buffer_mm: float) -> str:
    """Describe which regions of the joined brain are tested, in a sentence."""
    n_other = int(np.count_nonzero(is_tested(brain)))
    if is_one_parcellation(brain):
        return (
            f"trained on one connectome and tested on another of the same {n_other} regions: each "
            "fold tests its held-out regions there, and the ceiling is the correlation of both "
            "connectomes on these edges"
        )
    n_tested = len(np.unique(np.concatenate([fold.test_regions for fold in folds])))
    return (
        f"tested on another parcellation: {n_tested} of its {n_other} regions are tested, each in "
        "the fold that holds out the nearest region; the others lie within "
        f"{transfer_mm(brain, buffer_mm=buffer_mm):.1f} mm of a training region of their "
        "hemisphere and may overlap it"
    )


def _blocks_of(fold: Fold, nearest: IntArray) -> IntArray:
    assert fold.blocks is not None
    return fold.blocks[np.searchsorted(fold.test_regions, nearest)]
