"""False positives of every null model on single maps that have nothing to do with each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import scipy

from gx2c.data.brain import FloatArray, IntArray
from gx2c.data.synthetic import SPHERE_RADIUS_MM, mirrored_cortex
from gx2c.errors import UserError
from gx2c.nulls.moran import make_moran
from gx2c.nulls.protocol import permutations
from gx2c.nulls.random_field import make_random_field
from gx2c.nulls.reassign import SPIN_METHODS
from gx2c.nulls.spheres import MIRROR, unit_spheres
from gx2c.nulls.spins import make_spins, rotate_regions, spin_rotations
from gx2c.nulls.variogram import VARIOGRAM_STREAM, make_variogram

ALPHA = 0.05
PAIR_CORRELATION = 0.15
SMOOTHNESS_MM = (0.0, 20.0, 40.0, 60.0, 80.0)
# Only here, to show what the check of handedness spares us: `make_brain_spins` refuses it
UNMIRRORED = "hungarian, right sphere not mirrored (refused)"


class FalsePositiveRate(NamedTuple):
    """How often maps without relation give p <= .05.

    Attributes
    ----------
    method
        A null model.
    smoothness_mm
        Standard deviation of the maps' Gaussian covariance along the sphere, radius 100 mm.
    homotopic
        Share of a map's variance that is equal in mirrored places of both hemispheres.
    n_pairs, n_nulls
        Pairs of maps, nulls of each.
    rate, low, high
        Share of pairs with p <= .05, with an exact 95 % binomial interval.
    """

    method: str
    smoothness_mm: float
    homotopic: float
    n_pairs: int
    n_nulls: int
    rate: float
    low: float
    high: float


@dataclass(frozen=True)
class Geometry:
    """Where the simulated regions lie: as for `Brain`."""

    coords_mm: FloatArray
    sphere_coords: FloatArray
    hemisphere: IntArray


# (geometry, maps (n_regions, n_maps), n_nulls, seed) -> surrogate maps, one set a null
NullMaps = Callable[[Geometry, FloatArray, int, int], Iterator[FloatArray]]


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
    geometry = Geometry(*mirrored_cortex(n_regions))
    rows = []
    for level, smoothness in enumerate(smoothness_mm):
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(level,)))
        maps, others = shuffled_pairs(
            geometry, smoothness_mm=smoothness, homotopic=homotopic, n_pairs=n_pairs, rng=rng
        )
        for name in chosen:
            nulls = NULL_MAPS[name](geometry, maps, n_nulls, seed)
            n_small = int(np.count_nonzero(p_values(maps, others, nulls) <= ALPHA))
            low, high = binomial_interval(n_small, n_pairs)
            rate = n_small / n_pairs
            rows.append(
                FalsePositiveRate(name, smoothness, homotopic, n_pairs, n_nulls, rate, low, high)
            )
    return rows


def shuffled_pairs(
    geometry: Geometry,
    *,
    smoothness_mm: float,
    homotopic: float,
    n_pairs: int,
    rng: np.random.Generator,
) -> tuple[FloatArray, FloatArray]:
    """Draw two sets of maps, (n_regions, n_pairs) each, whose columns i are unrelated.

    Before shuffling they correlate by about .15.
    """
    first, noise = (smooth_maps(geometry, smoothness_mm, homotopic, n_pairs, rng) for _ in range(2))
    second = PAIR_CORRELATION * first + np.sqrt(1 - PAIR_CORRELATION**2) * noise
    # the next column's partner: a shuffle in which no map keeps its own
    return first, np.roll(second, 1, axis=1)


def smooth_maps(
    geometry: Geometry,
    smoothness_mm: float,
    homotopic: float,
    n_maps: int,
    rng: np.random.Generator,
) -> FloatArray:
    """Draw Gaussian random fields on both spheres, (n_regions, n_maps), of variance about 1."""
    left = np.where(
        geometry.hemisphere[:, None] == 1, geometry.sphere_coords * MIRROR, geometry.sphere_coords
    )
    chord = np.clip(scipy.spatial.distance.cdist(left, left) / (2 * SPHERE_RADIUS_MM), 0.0, 1.0)
    arc = 2 * SPHERE_RADIUS_MM * np.arcsin(chord)
    if smoothness_mm > 0:
        covariance = np.exp(-0.5 * (arc / smoothness_mm) ** 2)
    else:
        covariance = (arc < 1e-4 * SPHERE_RADIUS_MM).astype(np.float64)
    same_side = geometry.hemisphere[:, None] == geometry.hemisphere
    values, vectors = np.linalg.eigh(np.where(same_side, 1.0, homotopic) * covariance)
    # a Gaussian of the arc is not quite a covariance: small negative eigenvalues are dropped
    root = vectors * np.sqrt(np.clip(values, 0.0, None))
    return np.asarray(root @ rng.standard_normal((len(arc), n_maps)), dtype=np.float64)


def p_values(maps: FloatArray, others: FloatArray, nulls: Iterator[FloatArray]) -> FloatArray:
    """Return two-sided p-values of each column's correlation, (n_maps,), (b + 1) / (n + 1)."""
    fixed = _unit(others)
    observed = np.abs((_unit(maps) * fixed).sum(axis=0))
    as_large, n = np.ones(maps.shape[1]), 1
    for null in nulls:
        as_large += np.abs((_unit(null) * fixed).sum(axis=0)) >= observed
        n += 1
    return np.asarray(as_large / n, dtype=np.float64)


def binomial_interval(n_small: int, n_pairs: int) -> tuple[float, float]:
    """Return the exact 95 % interval of a rate.

    References
    ----------
    Clopper & Pearson (1934), Biometrika 26(4), 404-413.
    """
    beta = scipy.stats.beta
    low = beta.ppf(0.025, n_small, n_pairs - n_small + 1) if n_small else 0.0
    high = beta.ppf(0.975, n_small + 1, n_pairs - n_small) if n_small < n_pairs else 1.0
    return float(low), float(high)


def _spun(method: str) -> NullMaps:
    def nulls(
        geometry: Geometry, maps: FloatArray, n_nulls: int, seed: int
    ) -> Iterator[FloatArray]:
        spins = make_spins(
            geometry.sphere_coords, geometry.hemisphere, n_spins=n_nulls, seed=seed, method=method
        )
        return (maps[spin] for spin in spins.T)

    return nulls


def _unmirrored(
    geometry: Geometry, maps: FloatArray, n_nulls: int, seed: int
) -> Iterator[FloatArray]:
    wrong = np.where(
        geometry.hemisphere[:, None] == 1, geometry.sphere_coords * MIRROR, geometry.sphere_coords
    )
    spins = rotate_regions(
        unit_spheres(wrong, geometry.hemisphere),
        geometry.hemisphere,
        spin_rotations(seed, range(n_nulls)),
        method="hungarian",
    )
    return (maps[spin] for spin in spins.T)


def _moran(geometry: Geometry, maps: FloatArray, n_nulls: int, seed: int) -> Iterator[FloatArray]:
    moran = make_moran(geometry.coords_mm, seed=seed)
    return (moran.draw(maps, k) for k in range(n_nulls))


def _variogram(
    geometry: Geometry, maps: FloatArray, n_nulls: int, seed: int
) -> Iterator[FloatArray]:
    # one component a map: each is matched to its own variogram
    matcher = make_variogram(geometry.coords_mm, maps, seed=seed, n_components=1)
    for k in range(n_nulls):
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(VARIOGRAM_STREAM, k)))
        order = rng.permutation(len(maps))
        yield matcher.match(maps, order, rng.standard_normal(maps.shape))


def _random_field(
    geometry: Geometry, maps: FloatArray, n_nulls: int, seed: int
) -> Iterator[FloatArray]:
    # fitted to all maps at once, as it is to all genes of a brain
    field = make_random_field(geometry.coords_mm, maps, seed=seed)
    return (field.draw(maps, k) for k in range(n_nulls))


def _permuted(by_hemisphere: bool) -> NullMaps:
    def nulls(
        geometry: Geometry, maps: FloatArray, n_nulls: int, seed: int
    ) -> Iterator[FloatArray]:
        groups = geometry.hemisphere * by_hemisphere
        orders = permutations(groups, seed=seed, stream=int(by_hemisphere))(0, n_nulls)
        return (maps[order] for order in orders.T)

    return nulls


NULL_MAPS: Mapping[str, NullMaps] = {
    **{method: _spun(method) for method in SPIN_METHODS},
    "moran": _moran,
    "variogram": _variogram,
    "random_field": _random_field,
    "within_compartment": _permuted(True),
    "random": _permuted(False),
    UNMIRRORED: _unmirrored,
}


def _unit(maps: FloatArray) -> FloatArray:
    deviation = maps - maps.mean(axis=0)
    length = np.linalg.norm(deviation, axis=0)
    # a spin with repeats may leave one value for all regions: it correlates with nothing
    return np.asarray(deviation / np.where(length > 0, length, 1.0), dtype=np.float64)
