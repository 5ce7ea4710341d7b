"""The table of surrogates."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np

from gx2c.data.brain import Brain, FloatArray, IntArray
from gx2c.errors import UserError
from gx2c.nulls.moran import make_moran
from gx2c.nulls.protocol import IndexSurrogate, MapSurrogate, Surrogate, permutations
from gx2c.nulls.random_field import make_random_field
from gx2c.nulls.reassign import SPIN_METHODS
from gx2c.nulls.residual_spin import ResidualSpin, make_smoother
from gx2c.nulls.spatiomolecular import CANDIDATE_METHOD, N_BEST, N_CANDIDATES, select_spins
from gx2c.nulls.spheres import check_handedness
from gx2c.nulls.spins import make_spins
from gx2c.nulls.surrogates import make_brain_spins
from gx2c.nulls.variogram import make_variogram

# (brain, seed, training regions or None) -> Surrogate
MakeSurrogate = Callable[[Brain, int, IntArray | None], Surrogate]

RANDOM_STREAM, WITHIN_STREAM = 0x4A0, 0x4A1
# Cortex and the rest of one brain must not share random numbers
REST_SEED_OFFSET = 1_000_003
NAIVE = "naive control: autocorrelation is lost, so small p-values come too often"


def make_surrogate(
    name: str, brain: Brain, *, seed: int, training_regions: IntArray | None = None
) -> Surrogate:
    """Prepare a surrogate of a brain by its name.

    Parameters
    ----------
    name
        In `SURROGATES`.
    brain
        Its geometry, and for "variogram" and "random_field" its expression.
    seed
        Not negative.
    training_regions
        The regions to which "variogram" and "random_field" are fitted; all if None. The others
        fit nothing.

    Raises
    ------
    UserError
        If there is no such surrogate, or the brain lacks what it needs.
    """
    if name not in SURROGATES:
        raise UserError(f"no surrogate named {name!r}; choose from {sorted(SURROGATES)}")
    if seed < 0:
        raise UserError(f"seed={seed}; a seed that is not negative is needed")
    return SURROGATES[name](brain, seed, training_regions)


def _spins(method: str, brain: Brain, seed: int, _: IntArray | None) -> Surrogate:
    make_brain_spins(brain, n_spins=1, seed=seed, method=method)  # refuses at once what it must
    return IndexSurrogate(
        method,
        f"spins of the cortex ({method}): rows move whole, so gene-gene covariance is kept"
        + ("" if SPIN_METHODS[method].bijective else "; some rows repeat and some are lost"),
        lambda first, n: make_brain_spins(brain, n_spins=n, seed=seed, method=method, first=first),
    )


def _moran(brain: Brain, seed: int, _: IntArray | None) -> Surrogate:
    return MapSurrogate(
        "moran",
        "Moran spectral randomisation over MNI distance: each gene's Moran's I and the gene-gene"
        " covariance are kept exactly",
        make_moran(brain.coords_mm, seed=seed).draw,
        linear=True,
    )


def _variogram(brain: Brain, seed: int, training_regions: IntArray | None) -> Surrogate:
    matcher = make_variogram(
        brain.coords_mm, brain.expression, seed=seed, training_regions=training_regions
    )
    return MapSurrogate(
        "variogram",
        f"variogram matching over MNI distance of {matcher.loadings.shape[1]} leading components"
        " with one permutation for all; what they leave out loses its autocorrelation",
        matcher.draw,
    )


def _random_field(brain: Brain, seed: int, training_regions: IntArray | None) -> Surrogate:
    field = make_random_field(
        brain.coords_mm, brain.expression, seed=seed, training_regions=training_regions
    )
    fit = field.fit
    return MapSurrogate(
        "random_field",
        f"Gaussian fields in MNI space, exp(-(d / {fit.length_mm:.0f} mm)^{fit.exponent:g}),"
        f" {fit.symmetric:.0%} mirrored, {fit.own:.0%} not, {fit.noise:.0%} noise; gene-gene"
        " covariance is kept in expectation",
        field.draw,
    )


def _stitched(brain: Brain, seed: int, _: IntArray | None) -> Surrogate:
    if brain.sphere_coords is None:
        raise UserError(
            f"{brain.name} has no sphere coordinates, which tell cortex from the rest; add them"
            " or ask for moran, variogram or random_field"
        )
    in_cortex = np.isfinite(brain.sphere_coords).all(axis=1)
    cortex, rest = np.flatnonzero(in_cortex), np.flatnonzero(~in_cortex)
    if not (len(cortex) and len(rest)):
        raise UserError(
            f"{brain.name} has {len(cortex)} cortical and {len(rest)} other regions; stitching"
            " needs both: ask for hungarian or moran"
        )
    sphere_coords, hemisphere = brain.sphere_coords[cortex], brain.hemisphere[cortex]
    check_handedness(sphere_coords, brain.coords_mm[cortex], hemisphere)
    moran = make_moran(brain.coords_mm[rest], seed=seed + REST_SEED_OFFSET)

    def draw(expression: FloatArray, k: int) -> FloatArray:
        spin = make_spins(sphere_coords, hemisphere, n_spins=1, seed=seed, first=k)[:, 0]
        surrogate = np.empty_like(expression, dtype=np.float64)
        surrogate[cortex] = expression[cortex[spin]]
        surrogate[rest] = moran.draw(expression[rest], k)
        return surrogate

    return MapSurrogate(
        "stitched",
        f"{len(cortex)} cortical regions by hungarian spins, {len(rest)} others by moran, drawn"
        " independently: covariance between cortex and the rest is broken",
        draw,
        linear=True,
    )


def _residual_spin(brain: Brain, seed: int, _: IntArray | None) -> Surrogate:
    make_brain_spins(brain, n_spins=1, seed=seed)  # refuses at once what it must
    spin = ResidualSpin(
        make_smoother(brain.coords_mm),
        lambda first, n: make_brain_spins(brain, n_spins=n, seed=seed, first=first),
    )
    return MapSurrogate(
        "residual_spin",
        "hungarian spins of what a smoother over mirrored MNI coordinates leaves of expression; the"
        " smooth part stays in place, so a gain that it carries is not found",
        spin.draw,
        linear=True,
    )


def _spatiomolecular(brain: Brain, seed: int, _: IntArray | None) -> Surrogate:
    return IndexSurrogate(
        "spatiomolecular",
        f"the best {N_BEST} of {N_CANDIDATES} {CANDIDATE_METHOD} spins by decay of correlated gene"
        " expression with distance and by assignment cost: selected, so p is descriptive",
        select_spins(brain, seed=seed).indices,
    )


def _random(brain: Brain, seed: int, _: IntArray | None) -> Surrogate:
    groups = np.zeros(brain.n_regions, dtype=np.int64)
    return IndexSurrogate(
        "random",
        f"random permutation of all regions ({NAIVE})",
        permutations(groups, seed=seed, stream=RANDOM_STREAM),
    )


def _within_compartment(brain: Brain, seed: int, _: IntArray | None) -> Surrogate:
    groups = 2 * brain.hemisphere
    if brain.sphere_coords is not None:
        groups = groups + np.isfinite(brain.sphere_coords).all(axis=1)
    return IndexSurrogate(
        "within_compartment",
        f"random permutation within each hemisphere's cortex and each side's rest ({NAIVE})",
        permutations(groups, seed=seed, stream=WITHIN_STREAM),
    )


SURROGATES: Mapping[str, MakeSurrogate] = {
    **{method: partial(_spins, method) for method in SPIN_METHODS},
    "moran": _moran,
    "variogram": _variogram,
    "random_field": _random_field,
    "residual_spin": _residual_spin,
    "stitched": _stitched,
    "spatiomolecular": _spatiomolecular,
    "random": _random,
    "within_compartment": _within_compartment,
}
