"""Features of expression, as it is or reduced by PCA and PLS, from training regions alone.

Reductions run in the space that the training regions span, where 15,000 genes take no more columns
than there are regions, and scores are the same up to their sign.
"""

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from gx2c.data.brain import FloatArray, Regions
from gx2c.errors import UserError, require_choice, require_positive
from gx2c.models.features import Standardiser

# scikit-learn's 1e-6 leaves the third digit of weights dependent on the order of the regions
PLS_TOLERANCE = 1e-12
PLS_MAX_ITERATIONS = 1000
# Variances below this share of the largest are rounding
RANK_TOLERANCE = 1e-12


@dataclass(frozen=True)
class Reduction:
    """Scores (x - mean) @ rotation of any regions.

    Attributes
    ----------
    mean
        (n_genes,), mean of the training regions.
    rotation
        (n_genes, n_components); if genes are scaled, the scale is part of it.
    """

    mean: FloatArray
    rotation: FloatArray

    @property
    def n_components(self) -> int:
        """Number of components."""
        return int(self.rotation.shape[1])

    def transform(self, expression: FloatArray) -> FloatArray:
        """Reduce any regions, (n_regions, n_genes), to (n_regions, n_components)."""
        return (expression - self.mean) @ self.rotation


def most_components(n_regions: int, n_genes: int) -> int:
    """Return the largest number of components of these numbers of training regions and genes."""
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
        Number of components or, below 1, the smallest share of variance that they explain. Capped
        at the rank of the centred expression, which is at most `most_components`.
    """
    # scikit-learn takes a second to import, so only reductions import it
    from sklearn.decomposition import PCA

    _check_number(n_components)
    mean = expression.mean(axis=0)
    centred = expression - mean
    basis = spanned_basis(centred)
    pca = PCA(svd_solver="full").fit(centred @ basis)
    wanted = n_components
    if n_components < 1:
        wanted = int(np.searchsorted(np.cumsum(pca.explained_variance_ratio_), n_components)) + 1
    kept = min(int(wanted), basis.shape[1])
    return Reduction(mean, _with_signs(basis @ pca.components_[:kept].T))


def fit_pls(expression: FloatArray, connectome: FloatArray, /, *, n_components: float) -> Reduction:
    """Fit partial least squares from expression to connectivity with the training regions.

    The scores are those of `sklearn.cross_decomposition.PLSRegression(scale=True)`: genes and
    connectivity are centred and scaled.

    Parameters
    ----------
    expression
        (n_train_regions, n_genes).
    connectome
        (n_train_regions, n_train_regions). A self-connection counts as its column's mean, which is
        uninformative; the published zeros would mean that a region is not connected with itself.
    n_components
        Number of components, at least 1; capped as in PCA, and once the connectome is explained.

    References
    ----------
    Wold, Sjöström & Eriksson (2001), Chemometr. Intell. Lab. 58(2), 109.
    """
    _check_number(n_components)
    if n_components < 1:
        raise UserError(f"n_components of PLS is {n_components}; give a positive integer")
    genes = Standardiser.learn(expression)
    # scikit-learn's deviation divides by n - 1
    weight = genes.inverse_deviation * math.sqrt(1 - 1 / len(expression))
    scaled = (expression - genes.mean) * weight
    basis = spanned_basis(scaled)
    n_kept = min(int(n_components), basis.shape[1])
    inner = fit_pls_scores(scaled @ basis, connectivity_profiles(connectome), n_kept)
    return Reduction(genes.mean, weight[:, None] * _with_signs(basis @ inner))


def spanned_basis(centred: FloatArray) -> FloatArray:
    """Return orthonormal directions that centred rows span, (n_genes, rank), rank at least 1."""
    variances, regions = np.linalg.eigh(centred @ centred.T)
    largest = variances[-1]
    if not largest > 0:
        raise UserError(
            "expression cannot be reduced: every gene is constant over the training regions"
        )
    # centring removed one direction, of which only rounding remains
    varies = np.flatnonzero(variances > RANK_TOLERANCE * largest)[-len(centred) + 1 :]
    return (centred.T @ regions[:, varies]) / np.sqrt(variances[varies])


def _with_signs(directions: FloatArray) -> FloatArray:
    """Make each column's largest weight positive, because the sign of a component is arbitrary."""
    largest = np.abs(directions).argmax(axis=0)
    signs = np.sign(directions[largest, np.arange(directions.shape[1])])
    return directions * signs


def connectivity_profiles(connectome: FloatArray) -> FloatArray:
    """Replace each self-connection by the mean of its column, (n_regions, n_regions)."""
    profiles = np.array(connectome, dtype=np.float64)
    np.fill_diagonal(profiles, 0.0)
    np.fill_diagonal(profiles, profiles.sum(axis=0) / max(1, len(profiles) - 1))
    return profiles


def fit_pls_scores(features: FloatArray, targets: FloatArray, n_components: int) -> FloatArray:
    """Fit PLS on centred features; return their rotation, (n_features, n_found <= n_components).

    Fewer are found if the targets are explained earlier.
    """
    from sklearn.cross_decomposition import PLSRegression
    from sklearn.exceptions import ConvergenceWarning

    standardised = Standardiser.learn(targets).apply(targets)
    pls = PLSRegression(
        n_components=n_components, scale=False, max_iter=PLS_MAX_ITERATIONS, tol=PLS_TOLERANCE
    )
    with warnings.catch_warnings():
        # the order of nearly equal components does not matter
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.filterwarnings("ignore", message="y residual is constant")
        pls.fit(features, standardised)
    found = np.any(pls.x_weights_ != 0, axis=0)
    return pls.x_rotations_[:, found]


REDUCTIONS: dict[str, Callable[..., Reduction]] = {"pca": fit_pca, "pls": fit_pls}


def fit_reduction(
    name: str, expression: FloatArray, connectome: FloatArray, *, n_components: float
) -> Reduction:
    """Fit a reduction; `name` is a key of `REDUCTIONS`, the rest as in `fit_pca` and `fit_pls`."""
    require_choice("reduction", name, REDUCTIONS)
    return REDUCTIONS[name](expression, connectome, n_components=n_components)


RAW, Z_SCORED = "raw", "z_scored"
PCA, PLS = REDUCTIONS
FEATURES = (RAW, Z_SCORED, PCA, PLS)


class ExpressionFeatures:
    """Features of regions, learned from training regions alone.

    Parameters
    ----------
    kind
        One of `FEATURES`: "raw" expression, "z_scored" per gene, or scores of "pca" or "pls".
    n_components
        Number of components of a reduction; unused otherwise. See `gx2c.models.reduction`.
    """

    LEARNED: ClassVar[tuple[str, ...]] = ("_reduction", "_standardiser")

    def __init__(self, kind: str, *, n_components: float) -> None:
        require_choice("features", kind, FEATURES)
        require_positive("n_components", n_components)
        self.kind, self.n_components = kind, n_components

    def fit(self, training: Regions, connectome: FloatArray) -> FloatArray:
        """Learn from training regions; return their features, (n_train_regions, n_features)."""
        if self.kind in REDUCTIONS:
            self._reduction = fit_reduction(
                self.kind, training.expression, connectome, n_components=self.n_components
            )
        elif self.kind == Z_SCORED:
            self._standardiser = Standardiser.learn(training.expression)
        return self.of(training)

    def of(self, regions: Regions) -> FloatArray:
        """Return the features of any regions, (n_regions, n_features)."""
        if self.kind in REDUCTIONS:
            return self._reduction.transform(regions.expression)
        if self.kind == Z_SCORED:
            return self._standardiser.apply(regions.expression)
        return regions.expression

    def width(self, n_genes: int, n_regions: int) -> int:
        """Return the number of features for these numbers of genes and training regions."""
        if self.kind not in REDUCTIONS:
            return n_genes
        return min(int(self.n_components), most_components(n_regions, n_genes))


def _check_number(n_components: float) -> None:
    whole = n_components == int(n_components) if math.isfinite(n_components) else False
    if not (n_components > 0 and (whole or n_components < 1)):
        raise UserError(
            f"n_components is {n_components}; give a positive integer, or a share of variance "
            "between 0 and 1"
        )
