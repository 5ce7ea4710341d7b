"""Variogram matching: permutation, smoothing and noise that reproduce roughness."""

from dataclasses import dataclass

import numpy as np
import scipy

from gx2c.data.brain import Brain, FloatArray, IntArray
from gx2c.errors import UserError
from gx2c.nulls.surrogate import Surrogate

VARIOGRAM_STREAM = 0xBA7
N_LAGS = 25
# Shares of regions used for smoothing, and the share of distances that is compared
NEIGHBOUR_SHARES = tuple(share / 10 for share in range(1, 10))
NEAREST_SHARE = 0.25
BANDWIDTHS_PER_LAG = 3.0


@dataclass(frozen=True)
class VariogramBins:
    """Pairs of regions and their weights in each lag."""

    # (n_pairs,), the regions of each pair
    first: IntArray
    second: IntArray
    weights: FloatArray  # (N_LAGS, n_pairs), Gaussian in distance to the lag, rows sum to 1

    def of(self, maps: FloatArray) -> FloatArray:
        """Return half the mean squared difference at each lag, (N_LAGS, n_maps)."""
        return self.weights @ (0.5 * (maps[self.first] - maps[self.second]) ** 2)


def variogram_bins(distance: FloatArray, regions: IntArray | None = None) -> VariogramBins:
    """Choose lags up to the first quartile of distances among some regions (default all)."""
    members = np.arange(len(distance)) if regions is None else np.sort(regions)
    upper = np.triu_indices(len(members), 1)
    first, second = members[upper[0]], members[upper[1]]
    apart = distance[first, second]
    near = apart <= np.quantile(apart, NEAREST_SHARE)
    first, second, apart = first[near], second[near], apart[near]
    lags = np.linspace(apart.min(), apart.max(), N_LAGS)
    width = BANDWIDTHS_PER_LAG * (lags[1] - lags[0])
    weights = np.exp(-0.5 * ((lags[:, None] - apart) / width) ** 2)
    return VariogramBins(first, second, weights / weights.sum(axis=1, keepdims=True))


@dataclass(frozen=True)
class VariogramMatcher:
    """Surrogates of the leading components of expression, one permutation for all of them."""

    loadings: FloatArray  # (n_genes, n_components), orthonormal, fitted on training regions
    centre: FloatArray  # (n_genes,), mean over training regions
    training_regions: IntArray  # Regions whose variogram is the target
    # Pairs among all regions and among training regions
    bins: VariogramBins
    target_bins: VariogramBins
    # (n_shares, n_regions, n_regions), weighted means over the nearest regions of each
    # region
    smoothers: FloatArray
    seed: int  # Non-negative seed

    def draw(self, expression: FloatArray, k: int) -> FloatArray:
        """Return surrogate k, (n_regions, n_genes); it depends only on the seed and k.

        The covariance of the components equals that of the original. The remainder of expression
        moves by the same permutation in whole rows, and so loses its autocorrelation.
        """
        source = np.random.SeedSequence(self.seed, spawn_key=(VARIOGRAM_STREAM, k))
        rng = np.random.default_rng(source)
        order = rng.permutation(len(expression))
        deviation = expression - self.centre
        scores = deviation @ self.loadings
        rest = deviation - scores @ self.loadings.T
        maps = self.match(scores, order, rng.standard_normal(scores.shape))
        found: FloatArray = self.centre + same_covariance(maps, scores) @ self.loadings.T
        return found + rest[order]

    def match(self, scores: FloatArray, order: IntArray, noise: FloatArray) -> FloatArray:
        """Permute, smooth and mix each component with noise so that its variogram agrees.

        References
        ----------
        Burt, Helmer, Shinn, Anticevic & Murray (2020), NeuroImage 220, 117038.
        """
        target = self.target_bins.of(scores)
        smooth = self.smoothers @ scores[order]
        best = np.full(scores.shape[1], np.inf)
        found = np.zeros_like(scores)
        for candidate in smooth:
            slope, intercept, error = _lines(self.bins.of(candidate), target)
            mixed = np.sqrt(np.abs(slope)) * candidate + np.sqrt(np.abs(intercept)) * noise
            better = error < best
            found[:, better], best[better] = mixed[:, better], error[better]
        return found


def surrogate(brain: Brain, seed: int, training_regions: IntArray | None) -> Surrogate:
    """Match the variograms of a brain's leading components of expression."""
    matcher = make_variogram(
        brain.coords_mm, brain.expression, seed=seed, training_regions=training_regions
    )
    return Surrogate(
        "variogram",
        f"variogram matching over MNI distance of {matcher.loadings.shape[1]} leading components"
        " with one permutation for all; the remainder loses its autocorrelation",
        matcher.draw,
    )


def make_variogram(
    coords_mm: FloatArray,
    expression: FloatArray,
    *,
    seed: int,
    training_regions: IntArray | None = None,
    n_components: int = 20,
) -> VariogramMatcher:
    """Prepare variogram matching.

    Parameters
    ----------
    coords_mm
        (n_regions, 3), region centroids, mm.
    expression
        (n_regions, n_genes).
    seed
        Non-negative seed.
    training_regions
        Regions on which components and target variograms are fitted; all if None.
    n_components
        Number of leading components, at least 1; capped at the maximum that the training regions
        allow.

    Raises
    ------
    UserError
        If there are fewer than 8 training regions or no components.
    """
    regions = np.arange(len(expression)) if training_regions is None else training_regions
    if len(regions) < 8 or n_components < 1:
        raise UserError(
            f"{len(regions)} training regions and n_components={n_components}; variograms need"
            " at least 8 regions and 1 component"
        )
    centre = expression[regions].mean(axis=0)
    directions = np.linalg.svd(expression[regions] - centre, full_matrices=False)[2]
    distance = scipy.spatial.distance.cdist(coords_mm, coords_mm)
    return VariogramMatcher(
        loadings=directions[: min(n_components, len(regions) - 1)].T.copy(),
        centre=centre,
        training_regions=regions,
        bins=variogram_bins(distance),
        target_bins=variogram_bins(distance, regions),
        smoothers=np.stack([_smoother(distance, share) for share in NEIGHBOUR_SHARES]),
        seed=seed,
    )


def same_covariance(maps: FloatArray, like: FloatArray) -> FloatArray:
    """Give maps the means and covariance of others, changing them as little as possible.

    Parameters
    ----------
    maps, like
        (n_regions, n_maps).

    References
    ----------
    Schoenemann (1966), Psychometrika 31, 1-10 (the nearest orthonormal basis).
    """
    left, _, right = np.linalg.svd(unit_columns(maps), full_matrices=False)
    wanted = like - like.mean(axis=0)
    values, vectors = np.linalg.eigh(wanted.T @ wanted)
    root = vectors * np.sqrt(np.clip(values, 0.0, None)) @ vectors.T
    return like.mean(axis=0) + (left @ right) @ root


def unit_columns(maps: FloatArray) -> FloatArray:
    """Centre maps and scale them to length 1; a constant map becomes 0."""
    deviation = maps - maps.mean(axis=0)
    length = np.linalg.norm(deviation, axis=0)
    return np.asarray(deviation / np.where(length > 0, length, 1.0), dtype=np.float64)


def _smoother(distance: FloatArray, share: float) -> FloatArray:
    n_near = max(2, int(share * len(distance)))
    nearest = np.argsort(distance, axis=1)[:, :n_near]
    apart = np.take_along_axis(distance, nearest, axis=1)
    weights = np.exp(-apart / apart[:, -1:])
    smoother = np.zeros_like(distance, dtype=np.float64)
    np.put_along_axis(smoother, nearest, weights / weights.sum(axis=1, keepdims=True), axis=1)
    return smoother


def _lines(predictor: FloatArray, target: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Regress each target column on its predictor column: slope, intercept, squared error."""
    deviation = predictor - predictor.mean(axis=0)
    spread = (deviation**2).sum(axis=0)
    slope = (deviation * target).sum(axis=0) / np.where(spread > 0, spread, 1.0)
    intercept = target.mean(axis=0) - slope * predictor.mean(axis=0)
    mixed = np.abs(slope) * predictor + np.abs(intercept)
    return slope, intercept, ((target - mixed) ** 2).sum(axis=0)
