"""Quality of a set of surrogates: preserved roughness, duplicates, unmoved and missing values."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import scipy

from gx2c.data.brain import Brain, FloatArray, IntArray
from gx2c.nulls.moran import moran_weights, morans_i
from gx2c.nulls.surrogate import Surrogate
from gx2c.nulls.variogram import variogram_bins

# More genes than these hardly change an average over genes
MAX_GENES = 500


class SurrogateQuality(NamedTuple):
    """Report on a set of surrogates of one brain.

    Attributes
    ----------
    name, statement
        Name and statement of the surrogate.
    n
        Number of surrogates.
    morans_i, surrogate_morans_i
        Moran's I of the original and of the surrogates, with inverse MNI distances, mean over
        genes.
    morans_i_error
        Absolute difference of Moran's I, mean over genes and surrogates.
    variogram_error
        Root mean square difference of the mean variogram (genes standardised over regions) from
        that of the original, divided by the original's root mean square; mean over surrogates.
    covariance_error
        Relative Frobenius error of the gene-gene covariance, mean over surrogates.
    n_duplicates
        Surrogates equal to an earlier one or to the original.
    share_staying
        Mean share of regions that keep their own data; NaN for surrogates that make new maps.
    n_not_finite
        Values that are NaN or infinite, over all surrogates.
    """

    name: str
    statement: str
    n: int
    morans_i: float
    surrogate_morans_i: float
    morans_i_error: float
    variogram_error: float
    covariance_error: float
    n_duplicates: int
    share_staying: float
    n_not_finite: int


def surrogate_quality(
    brain: Brain, surrogate: Surrogate, *, numbers: Sequence[int]
) -> SurrogateQuality:
    """Compare surrogates with the original expression.

    Parameters
    ----------
    brain
        The true brain.
    surrogate
        A surrogate of that brain.
    numbers
        Numbers of the surrogates to compare.
    """
    genes = _spread_genes(brain)
    distance = scipy.spatial.distance.cdist(brain.coords_mm, brain.coords_mm)
    weights, bins = moran_weights(distance), variogram_bins(distance)

    def measures(maps: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        deviation, spread = maps - maps.mean(axis=0), maps.std(axis=0)
        variogram = bins.of(deviation / np.where(spread > 0, spread, 1.0)).mean(axis=1)
        return morans_i(maps, weights), variogram, deviation.T @ deviation / len(maps)

    true = np.ascontiguousarray(brain.expression[:, genes])
    moran, variogram, covariance = measures(true)
    drawn = [np.ascontiguousarray(surrogate.expression(brain, k)[:, genes]) for k in numbers]
    found = [measures(maps) for maps in drawn]
    moves = surrogate.indices
    stay = [np.nan if moves is None else share_staying(moves(k, 1))[0] for k in numbers]
    return SurrogateQuality(
        name=surrogate.name,
        statement=surrogate.statement,
        n=len(drawn),
        morans_i=float(moran.mean()),
        surrogate_morans_i=_mean(now.mean() for now, _, _ in found),
        morans_i_error=_mean(np.abs(now - moran).mean() for now, _, _ in found),
        variogram_error=_mean(_relative_error(now, variogram) for _, now, _ in found),
        covariance_error=_mean(_relative_error(now, covariance) for _, _, now in found),
        n_duplicates=1 + len(drawn) - len({maps.tobytes() for maps in (true, *drawn)}),
        share_staying=_mean(stay),
        n_not_finite=sum(int(np.count_nonzero(~np.isfinite(maps))) for maps in drawn),
    )


def share_staying(spins: IntArray) -> FloatArray:
    """Return the share of regions that keep their own data in each spin, (n_spins,)."""
    return (spins == np.arange(len(spins))[:, None]).mean(axis=0)


def _mean(values: Iterable[float]) -> float:
    return float(np.mean(list(values)))


def _relative_error(found: FloatArray, true: FloatArray) -> float:
    return float(np.linalg.norm(found - true) / np.linalg.norm(true))


def _spread_genes(brain: Brain) -> IntArray:
    varying = np.flatnonzero(brain.expression.std(axis=0) > 0)
    chosen = np.linspace(0, len(varying) - 1, min(MAX_GENES, len(varying)))
    return varying[chosen.round().astype(np.int64)]
