"""Reductions of expression, PCA and PLS, fitted on training regions alone.

Both run in the space that the training regions span: there 15,000 genes are no more columns than
there are regions, and scores are the same but for their sign.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gx2c.errors import UserError
from gx2c.models.features import Standardiser
from gx2c.models.keywords import require_choice

FloatArray = NDArray[np.float64]

# scikit-learn's 1e-6 leaves weights wrong in the third digit, by the order of the regions
PLS_TOLERANCE = 1e-12
PLS_MAX_ITERATIONS = 1000
# Of a variance, relative to the largest: what is smaller only varies by rounding
RANK_TOLERANCE = 1e-12


@dataclass(frozen=True)
class Reduction:
    """Scores (x - mean) @ rotation of any regions.

    Attributes
    ----------
    mean
        (n_genes,), of the training regions.
    rotation
        (n_genes, n_components); where genes are scaled, the scale is part of it.
    wanted
        Components asked for, or the share of variance. `n_components` is smaller where the
        training regions do not allow as many.
    """

    mean: FloatArray
    rotation: FloatArray
    wanted: float

    @property
    def n_components(self) -> int:
        """Number of components."""
        return int(self.rotation.shape[1])

    @property
    def capped(self) -> bool:
        """Whether there are fewer components than asked for."""
        return self.n_components < self.wanted

    def transform(self, expression: FloatArray) -> FloatArray:
        """Reduce any regions, (n_regions, n_genes), to (n_regions, n_components)."""
        scores: FloatArray = (expression - self.mean) @ self.rotation
        return scores


class FitReduction(Protocol):
    """Learns a reduction from training regions."""

    def __call__(
        self, expression: FloatArray, connectome: FloatArray, /, *, n_components: float
    ) -> Reduction:
        """Learn from (n_train_regions, n_genes) and (n_train_regions, n_train_regions)."""


def most_components(n_regions: int, n_genes: int) -> int:
    """Return how many components these many training regions and genes can have."""
    return max(1, min(n_regions - 1, n_genes))


def fit_pca(
    expression: FloatArray, connectome: FloatArray | None = None, /, *, n_components: float
) -> Reduction:
    """Fit principal components of centred genes, as `sklearn.decomposition.PCA`.

    Parameters
    ----------
    expression
        (n_train_regions, n_genes).
    connectome
        Not used.
    n_components
        How many; or, below 1, the share of variance that they explain at least. Capped at the
        rank of the centred expression, which is at most `most_components`.
    """
    # scikit-learn takes a second to import, for which only those pay who reduce
    from sklearn.decomposition import PCA

    _check_number(n_components)
    mean = expression.mean(axis=0)
    centred = expression - mean
    basis = spanned_basis(centred)
    pca = PCA(svd_solver="full").fit(centred @ basis)
    kept = min(_number_of(n_components, pca.explained_variance_ratio_), basis.shape[1])
    return Reduction(mean, _with_signs(basis @ pca.components_[:kept].T), n_components)


def fit_pls(expression: FloatArray, connectome: FloatArray, /, *, n_components: float) -> Reduction:
    """Fit partial least squares from expression to connectivity with the training regions.

    The scores are those of `sklearn.cross_decomposition.PLSRegression(scale=True)`: genes and
    connectivity are centred and scaled.

    Parameters
    ----------
    expression
        (n_train_regions, n_genes).
    connectome
        (n_train_regions, n_train_regions). A self-connection counts as its column's mean, which
        says nothing; the published zeros say that a region is not connected with itself.
    n_components
        How many, from 1 on; capped as those of PCA, and where the connectome is explained.

    References
    ----------
    Wold, Sjöström & Eriksson (2001), Chemometr. Intell. Lab. 58(2), 109.
    """
    _check_number(n_components)
    if n_components < 1:
        raise UserError(f"n_components of PLS is {n_components}; give a whole number from 1 on")
    genes = Standardiser.learn(expression)
    # scikit-learn's deviation divides by n - 1
    weight = genes.inverse_deviation * math.sqrt(1 - 1 / len(expression))
    scaled = (expression - genes.mean) * weight
    basis = spanned_basis(scaled)
    n_kept = min(int(n_components), basis.shape[1])
    inner = fit_pls_scores(scaled @ basis, connectivity_profiles(connectome), n_kept)
    return Reduction(genes.mean, weight[:, None] * _with_signs(basis @ inner), n_components)


def spanned_basis(centred: FloatArray) -> FloatArray:
    """Return orthonormal directions that centred rows span, (n_genes, rank), rank at least 1."""
    variances, regions = np.linalg.eigh(centred @ centred.T)
    largest = variances[-1]
    if not largest > 0:
        raise UserError(
            "expression cannot be reduced: every gene is constant over the training regions"
        )
    # the mean took one direction away; what is left of it is rounding
    varies = np.flatnonzero(variances > RANK_TOLERANCE * largest)[-len(centred) + 1 :]
    basis: FloatArray = (centred.T @ regions[:, varies]) / np.sqrt(variances[varies])
    return basis


def _with_signs(directions: FloatArray) -> FloatArray:
    """Make each column's largest weight positive, for the sign of a component is free."""
    largest = np.abs(directions).argmax(axis=0)
    signs = np.sign(directions[largest, np.arange(directions.shape[1])])
    signed: FloatArray = directions * signs
    return signed


def connectivity_profiles(connectome: FloatArray) -> FloatArray:
    """Replace each self-connection by the mean of its column, (n_regions, n_regions)."""
    profiles = np.array(connectome, dtype=np.float64)
    np.fill_diagonal(profiles, 0.0)
    np.fill_diagonal(profiles, profiles.sum(axis=0) / max(1, len(profiles) - 1))
    return profiles


def fit_pls_scores(features: FloatArray, targets: FloatArray, n_components: int) -> FloatArray:
    """Fit PLS on centred features; return their rotation, (n_features, n_found <= n_components).

    Fewer are found where the targets are explained before.
    """
    from sklearn.cross_decomposition import PLSRegression
    from sklearn.exceptions import ConvergenceWarning

    standardised = Standardiser.learn(targets).apply(targets)
    pls = PLSRegression(
        n_components=n_components, scale=False, max_iter=PLS_MAX_ITERATIONS, tol=PLS_TOLERANCE
    )
    with warnings.catch_warnings():
        # near-equal components: which of them comes first does not matter
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.filterwarnings("ignore", message="y residual is constant")
        pls.fit(features, standardised)
    found = np.any(pls.x_weights_ != 0, axis=0)
    rotation: FloatArray = pls.x_rotations_[:, found]
    return rotation


REDUCTIONS: dict[str, FitReduction] = {"pca": fit_pca, "pls": fit_pls}


def fit_reduction(
    name: str, expression: FloatArray, connectome: FloatArray, *, n_components: float
) -> Reduction:
    """Fit a reduction; `name` is a key of `REDUCTIONS`, the rest as in `fit_pca` and `fit_pls`."""
    require_choice("reduction", name, REDUCTIONS)
    return REDUCTIONS[name](expression, connectome, n_components=n_components)


def _check_number(n_components: float) -> None:
    whole = n_components == int(n_components) if math.isfinite(n_components) else False
    if not (n_components > 0 and (whole or n_components < 1)):
        raise UserError(
            f"n_components is {n_components}; give a whole number from 1 on, or a share of "
            "variance between 0 and 1"
        )


def _number_of(n_components: float, explained: FloatArray) -> int:
    if n_components >= 1:
        return int(n_components)
    return int(np.searchsorted(np.cumsum(explained), n_components)) + 1
