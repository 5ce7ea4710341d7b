"""False positives of every null model on single maps that have nothing to do with each other."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import scipy
from scipy.stats import binomtest

from gx2c.data.brain import Brain, FloatArray, IntArray
from gx2c.data.smooth_fields import SPHERE_RADIUS_MM, covariance_root, mirrored_cortex
from gx2c.errors import UserError
from gx2c.nulls import SPIN_METHODS, make_surrogate
from gx2c.nulls.spheres import as_left, unit_spheres
from gx2c.nulls.spins import rotate_regions, spin_rotations
from gx2c.nulls.surrogate import permutations
from gx2c.nulls.variogram import VARIOGRAM_STREAM, make_variogram, unit_columns

ALPHA = 0.05
PAIR_CORRELATION = 0.15
SMOOTHNESS_MM = (0.0, 20.0, 40.0, 60.0, 80.0)
# Only here, to show what the check of handedness spares us: `make_brain_spins` refuses it
UNMIRRORED = "hungarian, right sphere not mirrored (refused)"


class FalsePositiveRate(NamedTuple):
    """How often maps without relation give p <= .05."""

    method: str  # A null model
    # Standard deviation of the maps' Gaussian covariance along the sphere, radius 100 mm
    smoothness_mm: float
    # Share of a map's variance that is equal in mirrored places of both hemispheres
    homotopic: float
    # Pairs of maps, nulls of each
    n_pairs: int
    n_nulls: int
    # Share of pairs with p <= .05, with an exact 95 % binomial interval
    rate: float
    low: float
    high: float


# (brain whose expression is the maps, n_nulls, seed) -> surrogate maps, one set per null
NullMaps = Callable[[Brain, int, int], Iterator[FloatArray]]


def false_positive_table(
    *,
    methods: Sequence[str] | None = None,
    smoothness_mm: Sequence[float] = SMOOTHNESS_MM,
    homotopic: float = 0.0,
    n_regions: int = 200,
    n_pairs: int = 500,
    n_nulls: int = 199,
    seed: int = 0,
) -> list[FalsePositiveRate]:
    """Simulate pairs of maps that are smooth on the sphere, shuffle the pairs, and count p <= .05.

    Pairs correlate by about .15 and are then shuffled, so that maps keep their smoothness and
    lose their relation. p is two-sided, of Pearson's r between a map and another map's nulls.

    Parameters
    ----------
    methods
        Names in `NULL_MAPS`; all if None.
    smoothness_mm
        Smoothness levels; 0 is noise.
    homotopic
        Between 0 (hemispheres independent) and 1 (mirror images).
    n_regions
        Even, at least 8.
    n_pairs
        At least 2.
    n_nulls
        At least 19, or no p could be .05.
    seed
        Not negative.

    Raises
    ------
    UserError
        If an argument is out of range.

    References
    ----------
    Markello & Misic (2021), NeuroImage 236, 118052.
    """
    chosen = list(NULL_MAPS) if methods is None else list(methods)
    unknown = sorted(set(chosen) - set(NULL_MAPS))
    if unknown or n_pairs < 2 or n_nulls < 19 or not 0 <= homotopic <= 1 or seed < 0:
        raise UserError(
            f"methods {unknown} unknown (choose from {list(NULL_MAPS)}), n_pairs={n_pairs},"
            f" n_nulls={n_nulls}, homotopic={homotopic}, seed={seed}; at least 2 pairs, 19"
            " nulls, a share from 0 to 1 and a seed that is not negative are needed"
        )
    coords_mm, sphere_coords, hemisphere = mirrored_cortex(n_regions)
    rows = []
    for level, smoothness in enumerate(smoothness_mm):
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(level,)))
        maps, others = shuffled_pairs(
            sphere_coords,
            hemisphere,
            smoothness_mm=smoothness,
            homotopic=homotopic,
            n_pairs=n_pairs,
            rng=rng,
        )
        brain = Brain(
            name="maps",
            labels=tuple(map(str, range(n_regions))),
            genes=tuple(map(str, range(n_pairs))),
            expression=maps,
            connectome=np.asarray(np.corrcoef(maps)),
            coords_mm=coords_mm,
            hemisphere=hemisphere,
            network=("all",) * n_regions,
            sphere_coords=sphere_coords,
        )
        for name in chosen:
            found = p_values(maps, others, NULL_MAPS[name](brain, n_nulls, seed))
            small = binomtest(int(np.count_nonzero(found <= ALPHA)), n_pairs)
            low, high = small.proportion_ci()
            shown = name, smoothness, homotopic, n_pairs, n_nulls
            rows.append(FalsePositiveRate(*shown, small.statistic, float(low), float(high)))
    return rows


def shuffled_pairs(
    sphere_coords: FloatArray,
    hemisphere: IntArray,
    *,
    smoothness_mm: float,
    homotopic: float,
    n_pairs: int,
    rng: np.random.Generator,
) -> tuple[FloatArray, FloatArray]:
    """Draw two sets of maps, (n_regions, n_pairs) each, whose columns i are unrelated.

    Before shuffling they correlate by about .15.
    """
    first, noise = (
        smooth_maps(sphere_coords, hemisphere, smoothness_mm, homotopic, n_pairs, rng)
        for _ in range(2)
    )
    second = PAIR_CORRELATION * first + np.sqrt(1 - PAIR_CORRELATION**2) * noise
    # the next column's partner: a shuffle in which no map keeps its own
    return first, np.roll(second, 1, axis=1)


def smooth_maps(
    sphere_coords: FloatArray,
    hemisphere: IntArray,
    smoothness_mm: float,
    homotopic: float,
    n_maps: int,
    rng: np.random.Generator,
) -> FloatArray:
    """Draw Gaussian random fields on both spheres, (n_regions, n_maps), of variance about 1."""
    left = as_left(sphere_coords, hemisphere)
    chord = np.clip(scipy.spatial.distance.cdist(left, left) / (2 * SPHERE_RADIUS_MM), 0.0, 1.0)
    arc = 2 * SPHERE_RADIUS_MM * np.arcsin(chord)
    if smoothness_mm > 0:
        covariance = np.exp(-0.5 * (arc / smoothness_mm) ** 2)
    else:
        covariance = (arc < 1e-4 * SPHERE_RADIUS_MM).astype(np.float64)
    same_side = hemisphere[:, None] == hemisphere
    root = covariance_root(np.where(same_side, 1.0, homotopic) * covariance)
    return np.asarray(root @ rng.standard_normal((len(arc), n_maps)), dtype=np.float64)


def p_values(maps: FloatArray, others: FloatArray, nulls: Iterator[FloatArray]) -> FloatArray:
    """Return two-sided p-values of each column's correlation, (n_maps,), (b + 1) / (n + 1)."""
    # a spin with repeats may leave one value for all regions: it correlates with nothing
    fixed = unit_columns(others)
    observed = np.abs((unit_columns(maps) * fixed).sum(axis=0))
    as_large, n = np.ones(maps.shape[1]), 1
    for null in nulls:
        as_large += np.abs((unit_columns(null) * fixed).sum(axis=0)) >= observed
        n += 1
    return np.asarray(as_large / n, dtype=np.float64)


def _from_table(method: str, brain: Brain, n_nulls: int, seed: int) -> Iterator[FloatArray]:
    surrogate = make_surrogate(method, brain, seed=seed)
    return surrogate.draws(brain.expression, range(n_nulls))


def _unmirrored(brain: Brain, n_nulls: int, seed: int) -> Iterator[FloatArray]:
    assert brain.sphere_coords is not None, "the simulated cortex has spheres"
    wrong = as_left(brain.sphere_coords, brain.hemisphere)
    spins = rotate_regions(
        unit_spheres(wrong, brain.hemisphere),
        brain.hemisphere,
        spin_rotations(seed, range(n_nulls)),
        method="hungarian",
    )
    return (brain.expression[spin] for spin in spins.T)


def _variogram(brain: Brain, n_nulls: int, seed: int) -> Iterator[FloatArray]:
    # one component a map: each is matched to its own variogram
    maps = brain.expression
    matcher = make_variogram(brain.coords_mm, maps, seed=seed, n_components=1)
    for k in range(n_nulls):
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(VARIOGRAM_STREAM, k)))
        order = rng.permutation(len(maps))
        yield matcher.match(maps, order, rng.standard_normal(maps.shape))


def _permuted(by_hemisphere: bool, brain: Brain, n_nulls: int, seed: int) -> Iterator[FloatArray]:
    groups = brain.hemisphere * by_hemisphere
    orders = permutations(groups, seed=seed, stream=int(by_hemisphere))(0, n_nulls)
    return (brain.expression[order] for order in orders.T)


NULL_MAPS: Mapping[str, NullMaps] = {
    **{method: partial(_from_table, method) for method in (*SPIN_METHODS, "moran")},
    "variogram": _variogram,
    # fitted to all maps at once, as it is to all genes of a brain
    "random_field": partial(_from_table, "random_field"),
    "within_compartment": partial(_permuted, True),
    "random": partial(_permuted, False),
    UNMIRRORED: _unmirrored,
}
