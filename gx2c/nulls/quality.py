"""How good a set of surrogates is: roughness kept, duplicates, what stays, what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.spatial.distance import cdist

from gx2c.data.brain import Brain, FloatArray, IntArray
from gx2c.nulls.moran import moran_weights, morans_i
from gx2c.nulls.protocol import IndexSurrogate, Surrogate
from gx2c.nulls.variogram import variogram_bins

# Genes beyond these hardly change an average over genes
MAX_GENES = 500


class SurrogateQuality(NamedTuple):
    """Report on a set of surrogates of one brain.

    Attributes
    ----------
    name, statement
        Of the surrogate.
    n
        Surrogates looked at.
    morans_i, surrogate_morans_i
        Mean over genes, inverse MNI distances; of the original and of the surrogates.
    morans_i_error
        Mean over genes and surrogates of the absolute difference.
    variogram_error
        Root mean square difference of the mean variogram (genes standardised over regions) from
        the original's, over the original's root mean square; mean over surrogates.
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
    """Compare surrogates with the expression that they stand for.

    Parameters
    ----------
    brain
        The true brain.
    surrogate
        Made for it.
    numbers
        Which surrogates.
    """
    genes = _spread_genes(brain)
    distance = cdist(brain.coords_mm, brain.coords_mm)
    weights, bins = moran_weights(distance), variogram_bins(distance)
    true = brain.expression[:, genes]
    variogram = bins.of(_standard(true)).mean(axis=1)
    moran, covariance = morans_i(true, weights), _covariance(true)
    seen = {np.ascontiguousarray(true).tobytes()}
    n_duplicates = n_not_finite = 0
    rows = []
    for k in numbers:
        found = np.ascontiguousarray(surrogate.expression(brain, k)[:, genes])
        n_not_finite += int(np.count_nonzero(~np.isfinite(found)))
        n_duplicates += found.tobytes() in seen
        seen.add(found.tobytes())
        now = morans_i(found, weights)
        error = bins.of(_standard(found)).mean(axis=1) - variogram
        rows.append(
            (
                now.mean(),
                np.abs(now - moran).mean(),
                np.linalg.norm(error) / np.linalg.norm(variogram),
                np.linalg.norm(_covariance(found) - covariance) / np.linalg.norm(covariance),
            )
        )
    mean = np.mean(rows, axis=0).tolist()
    return SurrogateQuality(
        name=surrogate.name,
        statement=surrogate.statement,
        n=len(rows),
        morans_i=float(moran.mean()),
        surrogate_morans_i=mean[0],
        morans_i_error=mean[1],
        variogram_error=mean[2],
        covariance_error=mean[3],
        n_duplicates=n_duplicates,
        share_staying=_share_staying(surrogate, numbers),
        n_not_finite=n_not_finite,
    )


def share_staying(spins: IntArray) -> FloatArray:
    """Return the share of regions that keep their own data in each spin, (n_spins,)."""
    kept: FloatArray = (spins == np.arange(len(spins))[:, None]).mean(axis=0)
    return kept


def _share_staying(surrogate: Surrogate, numbers: Sequence[int]) -> float:
    if not isinstance(surrogate, IndexSurrogate):
        return float("nan")
    return float(np.mean([share_staying(surrogate.indices(k, 1))[0] for k in numbers]))


def _spread_genes(brain: Brain) -> IntArray:
    varying = np.flatnonzero(brain.expression.std(axis=0) > 0)
    chosen = np.linspace(0, len(varying) - 1, min(MAX_GENES, len(varying)))
    return varying[chosen.round().astype(np.int64)]


def _standard(maps: FloatArray) -> FloatArray:
    spread = maps.std(axis=0)
    return np.asarray((maps - maps.mean(axis=0)) / np.where(spread > 0, spread, 1.0))


def _covariance(maps: FloatArray) -> FloatArray:
    deviation = maps - maps.mean(axis=0)
    covariance: FloatArray = deviation.T @ deviation / len(maps)
    return covariance
