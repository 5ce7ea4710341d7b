"""Gaussian gene fields in MNI space with the smoothness and symmetry of real expression."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import scipy

from gx2c.data.brain import Brain, FloatArray, IntArray
from gx2c.data.sides import reflected
from gx2c.errors import UserError
from gx2c.nulls.surrogate import Surrogate

FIELD_STREAM = 0xF1E
# Candidates for the correlation length and the exponent of the kernel: 1 exponential (rough),
# 2 Gaussian (smooth)
LENGTHS_MM = np.geomspace(5.0, 500.0, 33)
EXPONENTS = (1.0, 2.0)


class FieldFit(NamedTuple):
    """A regional covariance, fitted to expression."""

    # Length and exponent of the kernel exp(-(d / length)^exponent)
    length_mm: float
    exponent: float
    # Variances, as shares of their sum, of a mirror-symmetric field, of a field that is
    # not, and of independent noise
    symmetric: float
    own: float
    noise: float
    # Root mean square of fitted minus empirical covariance, divided by that of the
    # empirical one
    residual: float


@dataclass(frozen=True)
class RandomField:
    """Draws Gaussian fields, (fitted regional covariance) x (empirical gene covariance)."""

    root: FloatArray  # (n_regions, n_regions), a square root of the regional covariance, centred
    # (n_components, n_genes), principal components of expression times their length
    loadings: FloatArray
    centre: FloatArray  # (n_genes,), mean expression
    fit: FieldFit  # The fitted covariance
    seed: int  # Non-negative seed

    def draw(self, expression: FloatArray, k: int) -> FloatArray:
        """Return field k, (n_regions, n_genes); it depends on seed and k, not on `expression`.

        The gene-gene covariance is the empirical one in expectation; that of a single draw differs,
        as between brains with the same distribution.
        """
        if expression.shape != (len(self.root), self.loadings.shape[1]):
            raise UserError(
                f"expression has shape {expression.shape}, but this field was fitted to"
                f" ({len(self.root)}, {self.loadings.shape[1]}); fit it to this brain"
            )
        source = np.random.SeedSequence(self.seed, spawn_key=(FIELD_STREAM, k))
        noise = np.random.default_rng(source).standard_normal((len(self.root), len(self.loadings)))
        return self.centre + (self.root @ noise) @ self.loadings


def surrogate(brain: Brain, seed: int, training_regions: IntArray | None) -> Surrogate:
    """Draw fields with the covariances of a brain's expression."""
    field = make_random_field(
        brain.coords_mm, brain.expression, seed=seed, training_regions=training_regions
    )
    fit = field.fit
    return Surrogate(
        "random_field",
        f"Gaussian fields in MNI space, exp(-(d / {fit.length_mm:.0f} mm)^{fit.exponent:g}),"
        f" {fit.symmetric:.0%} mirrored, {fit.own:.0%} not, {fit.noise:.0%} noise; gene-gene"
        " covariance is kept in expectation",
        field.draw,
    )


def make_random_field(
    coords_mm: FloatArray,
    expression: FloatArray,
    *,
    seed: int,
    training_regions: IntArray | None = None,
) -> RandomField:
    """Fit Gaussian fields to expression, on training regions if they are given.

    Parameters
    ----------
    coords_mm
        (n_regions, 3), region centroids in MNI space, mm.
    expression
        (n_regions, n_genes), for any regions, cortical or not.
    seed
        Non-negative seed.
    training_regions
        Regions to which covariances are fitted; all if None. Fields cover all regions.
    """
    regions = np.arange(len(expression)) if training_regions is None else training_regions
    seen = expression[regions]
    fit = fit_field(coords_mm[regions], seen)
    centred = centring(len(coords_mm))
    covariance = centred @ field_covariance(coords_mm, fit) @ centred
    values, vectors = np.linalg.eigh(covariance)
    scale = (len(coords_mm) - 1) / covariance.trace()
    _, lengths, directions = np.linalg.svd(seen - seen.mean(axis=0), full_matrices=False)
    return RandomField(
        root=vectors * np.sqrt(np.clip(scale * values, 0.0, None)),
        loadings=lengths[:, None] * directions / np.sqrt(len(regions) - 1),
        centre=seen.mean(axis=0),
        fit=fit,
        seed=seed,
    )


def fit_field(coords_mm: FloatArray, expression: FloatArray) -> FieldFit:
    """Fit length, exponent and three variances to the regional covariance by least squares.

    Genes are standardised over regions, so each gene has mean 0, and the candidates are centred
    likewise. Given length and exponent, the variances solve a non-negative least squares problem.

    Errors are those of `check_field`.
    """
    spread = check_field(expression)
    standard = (expression - expression.mean(axis=0))[:, spread > 0] / spread[spread > 0]
    empirical = (standard @ standard.T / standard.shape[1]).ravel()
    centred = centring(len(expression))
    best: tuple[float, float, float, FloatArray] | None = None
    for exponent in EXPONENTS:
        for length in LENGTHS_MM.tolist():
            parts = _parts(coords_mm, length, exponent)
            columns = np.stack([(centred @ part @ centred).ravel() for part in parts], axis=1)
            # 3 x 3 normal equations: the same solution as the full problem, far faster
            root = np.linalg.cholesky(columns.T @ columns + 1e-9 * np.eye(3))
            shares = scipy.optimize.nnls(root.T, np.linalg.solve(root, columns.T @ empirical))[0]
            error = float(np.linalg.norm(columns @ shares - empirical))
            if best is None or error < best[0]:
                best = (error, length, exponent, shares)
    assert best is not None
    error, length, exponent, shares = best
    symmetric, own, noise = (shares / shares.sum()).tolist()
    residual = error / float(np.linalg.norm(empirical))
    return FieldFit(length, exponent, symmetric, own, noise, residual)


def check_field(expression: FloatArray) -> FloatArray:
    """Return the standard deviation of each gene, if a field can be fitted to them.

    Raises
    ------
    UserError
        If there are fewer than 8 regions or no gene varies.
    """
    spread: FloatArray = expression.std(axis=0)
    if len(expression) < 8 or not (spread > 0).any():
        raise UserError(
            f"expression of {len(expression)} regions, {np.count_nonzero(spread)} genes that"
            " vary; a field needs at least 8 regions and 1 gene"
        )
    return spread


def field_covariance(coords_mm: FloatArray, fit: FieldFit) -> FloatArray:
    """Return the fitted covariance of regions, (n_regions, n_regions), positive definite."""
    parts = _parts(coords_mm, fit.length_mm, fit.exponent)
    shares = (fit.symmetric, fit.own, fit.noise)
    return np.asarray(sum(s * part for s, part in zip(shares, parts, strict=True)))


def centring(n: int) -> FloatArray:
    """Return the matrix that subtracts the mean, (n, n)."""
    return np.eye(n) - 1.0 / n


def _parts(coords_mm: FloatArray, length_mm: float, exponent: float) -> list[FloatArray]:
    near = np.exp(-((scipy.spatial.distance.cdist(coords_mm, coords_mm) / length_mm) ** exponent))
    mirrored = scipy.spatial.distance.cdist(coords_mm, reflected(coords_mm))
    across = np.exp(-((mirrored / length_mm) ** exponent))
    # the covariance of f(p) + f(mirror p); half of it keeps the variance near 1
    return [(near + (across + across.T) / 2) / 2, near, np.eye(len(coords_mm))]
