"""False positives of the whole pipeline: synthetic genes that are unrelated to the connectome.

Regions have the locations of a real brain. The connectome is a random function of geography alone;
genes are independent fields, smooth in MNI space or on the sphere, with lengths fitted to real
expression. All constants here were fixed before any result was seen.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import NamedTuple, Self

import numpy as np
from scipy.spatial.distance import cdist

from gx2c.data.brain import Brain, FloatArray
from gx2c.data.sides import mirrored
from gx2c.data.smooth_fields import covariance_root
from gx2c.errors import UserError
from gx2c.fit.config import FitConfig
from gx2c.fit.kernel_nulls import search_kernel_nulls
from gx2c.models import MODELS
from gx2c.models.closed_form.distance import GeographyMean
from gx2c.models.features import same_distances
from gx2c.nulls import surrogate_brains, surrogate_rows
from gx2c.nulls.random_field import FieldFit, fit_field
from gx2c.nulls.spheres import as_left, unit_spheres
from gx2c.splits import make_folds
from gx2c.splits.fold import Fold

SPACES = ("mni", "sphere")
# Smoothness: of all expression, and of its leading components, which are smoother
LEVELS = ("all genes", "leading components")
N_LEADING = 5
N_FIELDS = 60
# The residual of the real connectome after the geography mean is a field, smooth on mirrored
# coordinates, and noise; the share of the field in its variance
FIELD_SHARE = 0.6
FIELD_SCALE = 0.1
# With planted signal, this share of the field comes from genes instead
SIGNAL_SHARE = 0.5
N_FOLDS = 4
N_INNER_FOLDS = 4
# A search chooses, in each brain and each null, the ridge of the smoother that genes enter
RIDGE_OF: Mapping[str, str] = {"geography+genes": "gene_ridge", "kernel_ridge": "ridge"}
RIDGES = (0.1, 0.3, 1.0, 3.0, 10.0)
SURROGATES_COMPARED = (
    "hungarian",
    "alexander_bloch",
    "vasa",
    "moran",
    "variogram",
    "random_field",
    "residual_spin",
    "random",
)
STATISTICS: Mapping[str, str] = {
    "gain over geography": "geography+genes",
    "score of genes and mean": "kernel_ridge",
}


class CalibrationRow(NamedTuple):
    """A synthetic brain compared with the nulls of a surrogate by a statistic."""

    # Where genes are smooth, how smooth, and whether they make part of the connectome
    space: str
    level: str
    signal: bool
    brain: int  # Number of the synthetic brain
    # Keys of `gx2c.nulls.SURROGATES` and of `STATISTICS`
    surrogate: str
    statistic: str
    # How many of how many nulls scored at least as well as the unmoved genes
    as_good: int
    nulls: int
    # Whether the ridge was chosen by inner validation, in the brain and in each null
    searched: bool


@dataclass(frozen=True)
class Calibrator:
    """Makes synthetic brains with the locations of a real one and tests them."""

    brain: Brain  # The real brain
    fitted_mean: GeographyMean  # The geography mean of its connectome
    # (n_regions, n_regions) its predictions, and the standard deviation of the residual
    mean: FloatArray
    spread: float
    fits: Mapping[str, FieldFit]  # Smoothness by level
    seed: int  # Random seed

    @classmethod
    def of(cls, brain: Brain, *, seed: int) -> Self:
        """Fit the parts that all synthetic brains share.

        Raises
        ------
        UserError
            If the brain has no sphere coordinates.
        """
        if brain.sphere_coords is None:
            raise UserError(f"{brain.name} has no sphere coordinates, which spins need")
        regions = brain.regions(np.arange(brain.n_regions))
        mean = GeographyMean()
        mean.fit(regions, brain.connectome)
        predicted = mean.predict(regions)
        edges = np.triu_indices(brain.n_regions, 1)
        centred = brain.expression - brain.expression.mean(axis=0)
        left, lengths, right = np.linalg.svd(centred, full_matrices=False)
        leading = (left[:, :N_LEADING] * lengths[:N_LEADING]) @ right[:N_LEADING]
        fits = {
            level: fit_field(brain.coords_mm, values)
            for level, values in zip(LEVELS, (brain.expression, leading), strict=True)
        }
        spread = float((brain.connectome - predicted)[edges].std())
        return cls(brain, mean, predicted, spread, fits, seed)

    def rows(
        self,
        number: int,
        space: str,
        level: str,
        *,
        signal: bool,
        n_nulls: int,
        search: bool = False,
        surrogates: Sequence[str] = SURROGATES_COMPARED,
    ) -> Iterator[CalibrationRow]:
        """Make a synthetic brain and compare it with some surrogates by every statistic."""
        brain = self.synthetic(number, space, level, signal=signal)
        folds = make_folds(
            brain, split="bilateral", n_folds=N_FOLDS, n_inner_folds=N_INNER_FOLDS, seed=number
        )
        moved = {one: _surrogates(brain, one, n_nulls=n_nulls, seed=number) for one in surrogates}
        # the unmoved genes first
        expressions = [brain.expression, *chain.from_iterable(moved.values())]
        scores = {
            name: _mean_r(brain, folds, _configs(model, search=search), expressions)
            for name, model in STATISTICS.items()
        }
        for place, surrogate in enumerate(moved):
            for name, found in scores.items():
                nulls = found[1:].reshape(len(moved), n_nulls)[place]
                as_good = int(np.count_nonzero(nulls >= found[0]))
                yield CalibrationRow(
                    space, level, signal, number, surrogate, name, as_good, n_nulls, search
                )

    def synthetic(self, number: int, space: str, level: str, *, signal: bool) -> Brain:
        """Make synthetic brain `number`: the same connectome for every kind of genes but signal."""
        source = np.random.SeedSequence(self.seed, spawn_key=(number,))
        rng_connectome, rng_genes, rng_signal = map(np.random.default_rng, source.spawn(3))
        n = self.brain.n_regions
        genes = gene_covariance_root(self.brain, self.fits[level], space)
        fields = genes @ rng_genes.standard_normal((n, N_FIELDS))
        places = mirrored(self.brain.coords_mm)
        squared = cdist(places, places, "sqeuclidean")
        width = FIELD_SCALE * float(np.median(squared[np.triu_indices(n, 1)]))
        own = bilinear(covariance_root(np.exp(-squared / width)), rng_connectome)
        noise = unit(symmetric(rng_connectome.standard_normal((n, n))))
        if signal:
            from_genes = bilinear(fields, rng_signal)
            own = unit(np.sqrt(1 - SIGNAL_SHARE) * own + np.sqrt(SIGNAL_SHARE) * from_genes)
        left_over = np.sqrt(FIELD_SHARE) * own + np.sqrt(1 - FIELD_SHARE) * noise
        connectome = np.clip(self.mean + self.spread * left_over, -0.99, 0.99)
        np.fill_diagonal(connectome, 1.0)
        return replace(
            self.brain,
            name=f"{self.brain.name}-synthetic-{number}",
            genes=tuple(f"FIELD{i + 1}" for i in range(N_FIELDS)),
            expression=fields,
            connectome=(connectome + connectome.T) / 2,
            holdout_connectome=None,
            tss=None,
            checksum="",
        )


def gene_covariance_root(brain: Brain, fit: FieldFit, space: str) -> FloatArray:
    """Return a square root of the regions' covariance in one space, (n_regions, n_regions).

    On the sphere, distances within a hemisphere run along the surface, scaled so that their mean
    is that in MNI space; the part that is not mirrored is independent between hemispheres.
    """
    if space not in SPACES:
        raise UserError(f"no space {space!r}; choose from {SPACES}")
    same_side = np.equal.outer(brain.hemisphere, brain.hemisphere)
    direct = cdist(brain.coords_mm, brain.coords_mm)
    folded = cdist(mirrored(brain.coords_mm), mirrored(brain.coords_mm))
    if space == "sphere":
        assert brain.sphere_coords is not None, "checked when the calibrator was made"
        on_sphere = unit_spheres(brain.sphere_coords, brain.hemisphere)
        left = as_left(on_sphere, brain.hemisphere)
        arc = np.arccos(np.clip(left @ left.T, -1, 1))
        arc *= direct[same_side].mean() / arc[same_side].mean()
        direct, folded = np.where(same_side, arc, np.inf), arc
    kernels = [np.exp(-((d / fit.length_mm) ** fit.exponent)) for d in (folded, direct)]
    shares = (fit.symmetric, fit.own)
    covariance = sum(share * kernel for share, kernel in zip(shares, kernels, strict=True))
    return covariance_root(covariance + fit.noise * np.eye(brain.n_regions))


def _surrogates(brain: Brain, name: str, *, n_nulls: int, seed: int) -> list[FloatArray]:
    numbers = range(n_nulls)
    rows = surrogate_rows(brain, same_distances(brain.expression), numbers, method=name, seed=seed)
    if rows is not None:
        return list(rows)
    made = surrogate_brains(brain, numbers, method=name, moves="genes", seed=seed)
    return [same_distances(one.expression) for one in made]


def _configs(model: str, *, search: bool) -> list[FitConfig]:
    defaults = MODELS[model].defaults
    if not search:
        return [FitConfig(model, dict(defaults))]
    return [FitConfig(model, {**defaults, RIDGE_OF[model]: ridge}) for ridge in RIDGES]


def _mean_r(
    brain: Brain,
    folds: Sequence[Fold],
    configs: Sequence[FitConfig],
    expressions: Sequence[FloatArray],
) -> FloatArray:
    """Return the mean over folds of Pearson r for each expression, (n_expressions,).

    Geography's own score is the same for all: its difference ranks them alike.
    """
    found = [
        search_kernel_nulls(brain, fold, configs, expressions, metric="val_mse") for fold in folds
    ]
    # a model that could not be fitted, or is constant, predicts nothing
    scores = np.array(
        [[np.nan if one is None else one["pearson_r"] for one in of_fold] for of_fold in found]
    )
    return np.where(np.isfinite(scores), scores, 0.0).mean(axis=0)


def bilinear(fields: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Draw a symmetric form of fields, (n_regions, n_fields), as edges of unit variance."""
    form = rng.standard_normal((fields.shape[1], fields.shape[1]))
    return unit(fields @ symmetric(form) @ fields.T)


def symmetric(matrix: FloatArray) -> FloatArray:
    """Return the sum of a matrix and its transpose."""
    return matrix + matrix.T


def unit(matrix: FloatArray) -> FloatArray:
    """Scale a matrix so that its edges have mean 0 and variance 1."""
    values = matrix[np.triu_indices(len(matrix), 1)]
    return (matrix - values.mean()) / values.std()
