"""What geography leaves of the training edges, each predicted without its own two regions."""

from __future__ import annotations

from functools import lru_cache
from itertools import combinations_with_replacement
from typing import NamedTuple

import numpy as np

from gx2c.data.brain import FloatArray, IntArray, Regions
from gx2c.errors import UserError
from gx2c.models.geography import geography
from gx2c.models.protocol import Model
from gx2c.splits.bilateral import bilateral_folds
from gx2c.splits.homologues import match_homologues
from gx2c.splits.sites import Sites

N_BLOCKS = 5
# Leaves 9 and more to fit geography on
MIN_REGIONS = 15
BLOCK_SEED = 0
# Fits of one config on all inner folds, and those of its neighbours, ask for the same ones
CACHED = 32


class GeographyPart(NamedTuple):
    """The geography baseline of some training regions.

    Attributes
    ----------
    model
        Fitted on all of them, with the baseline's default config.
    residual
        (n_train_regions, n_train_regions), connectome minus the cross-fitted prediction.
    """

    model: Model
    residual: FloatArray


def take_geography_out(training: Regions, connectome: FloatArray) -> GeographyPart:
    """Fit geography on training regions and take out-of-sample predictions from their edges.

    The training regions are cut into `N_BLOCKS` patches by the bilateral rule. The edges between
    two patches, or within one, are predicted by a fit on the regions outside of them, so that
    residuals are as large in training as those that the model will meet in held-out regions.

    Parameters
    ----------
    training
        The training regions; their expression is not read.
    connectome
        (n_train_regions, n_train_regions).

    Raises
    ------
    UserError
        If there are fewer than `MIN_REGIONS` training regions.

    References
    ----------
    Chernozhukov et al. (2018), Econom. J. 21(1), C1, section 3 (cross-fitting).
    """
    check_can_cross_fit(len(training))
    parts = (training.coords_mm, training.hemisphere, connectome)
    return _cached(*(np.ascontiguousarray(part).tobytes() for part in parts))


def check_can_cross_fit(n_regions: int) -> None:
    """Refuse too few training regions; the error is that of `take_geography_out`."""
    if n_regions < MIN_REGIONS:
        raise UserError(
            f"--target geography-residual needs at least {MIN_REGIONS} training regions in every "
            f"fold and one has {n_regions}; ask for more folds, or another target"
        )


@lru_cache(maxsize=CACHED)
def _cached(coords_mm: bytes, hemisphere: bytes, connectome: bytes) -> GeographyPart:
    sides = np.frombuffer(hemisphere, dtype=np.int64)
    n = len(sides)
    coords = np.frombuffer(coords_mm).reshape(n, 3)
    target = np.frombuffer(connectome).reshape(n, n)
    regions = Regions(np.empty((n, 0)), coords, sides)
    residual = target - _cross_fit(regions, target)
    residual.flags.writeable = False
    return GeographyPart(_fit(regions, target, np.arange(n)), residual)


def _cross_fit(regions: Regions, target: FloatArray) -> FloatArray:
    units = match_homologues(regions.coords_mm, regions.hemisphere)
    blocks = bilateral_folds(Sites(regions.coords_mm, units), N_BLOCKS, BLOCK_SEED)
    predicted = np.zeros_like(target)
    for one, other in combinations_with_replacement(range(N_BLOCKS), 2):
        held_out = np.union1d(blocks[one], blocks[other])
        model = _fit(regions, target, np.setdiff1d(np.arange(len(regions)), held_out))
        found = np.empty_like(target)
        found[np.ix_(held_out, held_out)] = model.predict(_take(regions, held_out))
        for rows, columns in ((one, other), (other, one)):
            edges = np.ix_(blocks[rows], blocks[columns])
            predicted[edges] = found[edges]
    return predicted


def _fit(regions: Regions, target: FloatArray, rows: IntArray) -> Model:
    model = geography()
    model.fit(_take(regions, rows), target[np.ix_(rows, rows)])
    return model


def _take(regions: Regions, rows: IntArray) -> Regions:
    return Regions(regions.expression[rows], regions.coords_mm[rows], regions.hemisphere[rows])
