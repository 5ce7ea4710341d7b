"""Training-edge residuals after a cross-fitted spatial baseline."""

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import combinations_with_replacement
from typing import Any, ClassVar, NamedTuple

import numpy as np

from gx2c.data.brain import FloatArray, IntArray, Regions
from gx2c.errors import UserError
from gx2c.models.closed_form.geography import geography
from gx2c.splits.fold import Sites, match_homologues
from gx2c.splits.spatial import bilateral_folds

N_BLOCKS = 5
# One for each pair of patches and for each patch, and one on all regions
N_FITS = N_BLOCKS * (N_BLOCKS + 1) // 2 + 1
# Leaves 9 and more to fit geography on
MIN_REGIONS = 15
BLOCK_SEED = 0
# Fits of one config on all inner folds, and of neighbouring configs, need the same ones
CACHED = 32


class GeographyEnsemble:
    """The mean prediction of geography with several configs.

    Parameters
    ----------
    configs
        Keywords of each member; without any, one member has the defaults.
    """

    LEARNED: ClassVar[tuple[str, ...]] = ("members",)

    def __init__(self, configs: Sequence[Mapping[str, Any]] = ()) -> None:
        self.members = [geography(**keywords) for keywords in configs or ({},)]

    def fit(self, training: Regions, connectome: FloatArray) -> None:
        """Learn from training regions; see `Model.fit`."""
        for member in self.members:
            member.fit(training, connectome)

    def predict(self, regions: Regions) -> FloatArray:
        """Predict the connectome among unseen regions; see `Model.predict`."""
        return np.mean([one.predict(regions) for one in self.members], axis=0)


class GeographyPart(NamedTuple):
    """The geography baseline of some training regions."""

    model: GeographyEnsemble  # Fitted on all of them
    # (n_train_regions, n_train_regions), connectome minus the cross-fitted prediction
    residual: FloatArray


def take_geography_out(
    training: Regions, connectome: FloatArray, configs: Sequence[Mapping[str, Any]] = ()
) -> GeographyPart:
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
    configs
        As in `GeographyEnsemble`.

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
    as_text = json.dumps([dict(sorted(keywords.items())) for keywords in configs])
    return _cached(as_text, *(np.ascontiguousarray(part).tobytes() for part in parts))


def check_can_cross_fit(n_regions: int) -> None:
    """Refuse too few training regions; the error is that of `take_geography_out`."""
    if n_regions < MIN_REGIONS:
        raise UserError(
            f"learning what geography leaves needs at least {MIN_REGIONS} training regions in "
            f"every fold and one has {n_regions}; ask for more folds, or a model without geography"
        )


@lru_cache(maxsize=CACHED)
def _cached(configs: str, coords_mm: bytes, hemisphere: bytes, connectome: bytes) -> GeographyPart:
    members = json.loads(configs)
    sides = np.frombuffer(hemisphere, dtype=np.int64)
    n = len(sides)
    coords = np.frombuffer(coords_mm).reshape(n, -1)
    target = np.frombuffer(connectome).reshape(n, n)
    regions = Regions(np.empty((n, 0)), coords, sides)
    residual = target - _cross_fit(regions, target, members)
    residual.flags.writeable = False
    return GeographyPart(_fit(regions, target, np.arange(n), members), residual)


def _cross_fit(
    regions: Regions, target: FloatArray, configs: Sequence[Mapping[str, Any]]
) -> FloatArray:
    units = match_homologues(regions.coords_mm, regions.hemisphere)
    blocks = bilateral_folds(Sites(regions.coords_mm, units), N_BLOCKS, BLOCK_SEED)
    predicted = np.zeros_like(target)
    for one, other in combinations_with_replacement(range(N_BLOCKS), 2):
        held_out = np.union1d(blocks[one], blocks[other])
        rest = np.setdiff1d(np.arange(len(regions)), held_out)
        model = _fit(regions, target, rest, configs)
        found = np.empty_like(target)
        found[np.ix_(held_out, held_out)] = model.predict(_take(regions, held_out))
        for rows, columns in ((one, other), (other, one)):
            edges = np.ix_(blocks[rows], blocks[columns])
            predicted[edges] = found[edges]
    return predicted


def _fit(
    regions: Regions, target: FloatArray, rows: IntArray, configs: Sequence[Mapping[str, Any]]
) -> GeographyEnsemble:
    model = GeographyEnsemble(configs)
    model.fit(_take(regions, rows), target[np.ix_(rows, rows)])
    return model


def _take(regions: Regions, rows: IntArray) -> Regions:
    return Regions(regions.expression[rows], regions.coords_mm[rows], regions.hemisphere[rows])
