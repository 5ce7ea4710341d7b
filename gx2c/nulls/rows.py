"""Surrogates that move whole rows of expression: spins, and permutations as naive controls."""

from collections.abc import Callable

import numpy as np

from gx2c.data.brain import Brain, IntArray
from gx2c.errors import UserError
from gx2c.nulls.reassign import SPIN_METHODS
from gx2c.nulls.spheres import check_handedness
from gx2c.nulls.spins import make_spins
from gx2c.nulls.surrogate import Surrogate, moving_rows

RANDOM_STREAM, WITHIN_STREAM = 0x4A0, 0x4A1
NAIVE = "naive control: autocorrelation is lost, so small p-values come too often"


def make_brain_spins(
    brain: Brain,
    *,
    n_spins: int,
    seed: int,
    first: int = 0,
    method: str = "hungarian",
    max_distortion: float | None = None,
    n_jobs: int = 1,
) -> IntArray:
    """Make the spins of a brain's regions, after a check of its spheres' handedness.

    Returns
    -------
    IntArray
        (n_regions, n_spins), as from `make_spins`.

    Raises
    ------
    UserError
        If the brain has no sphere coordinates, or as for `check_handedness` and `make_spins`.
    """
    if brain.sphere_coords is None:
        raise UserError(
            f"{brain.name} has no sphere coordinates, which spins need; add them to the dataset,"
            " or choose moran, variogram or random_field (--null-method)"
        )
    check_handedness(brain.sphere_coords, brain.coords_mm, brain.hemisphere)
    return make_spins(
        brain.sphere_coords,
        brain.hemisphere,
        n_spins=n_spins,
        seed=seed,
        method=method,
        first=first,
        max_distortion=max_distortion,
        n_jobs=n_jobs,
    )


def spin_indices(
    brain: Brain, seed: int, method: str = "hungarian"
) -> Callable[[int, int], IntArray]:
    """Return (first, n) -> (n_regions, n), spins; raises an error at once if there are none."""
    make_brain_spins(brain, n_spins=1, seed=seed, method=method)
    return lambda first, n: make_brain_spins(
        brain, n_spins=n, seed=seed, method=method, first=first
    )


def spins(method: str, brain: Brain, seed: int, _: IntArray | None) -> Surrogate:
    """Spin the cortex and reassign regions by a method in `SPIN_METHODS`."""
    return moving_rows(
        method,
        f"spins of the cortex ({method}): rows move whole, so gene-gene covariance is kept"
        + ("" if SPIN_METHODS[method].bijective else "; some rows repeat and some are lost"),
        spin_indices(brain, seed, method),
    )


def random(brain: Brain, seed: int, _: IntArray | None) -> Surrogate:
    """Permute all regions."""
    groups = np.zeros(brain.n_regions, dtype=np.int64)
    return moving_rows(
        "random",
        f"random permutation of all regions ({NAIVE})",
        permutations(groups, seed=seed, stream=RANDOM_STREAM),
    )


def within_compartment(brain: Brain, seed: int, _: IntArray | None) -> Surrogate:
    """Permute the regions of each hemisphere's cortex, and those of each side's rest."""
    groups = 2 * brain.hemisphere
    if brain.sphere_coords is not None:
        groups = groups + np.isfinite(brain.sphere_coords).all(axis=1)
    return moving_rows(
        "within_compartment",
        f"random permutation within each hemisphere's cortex and each side's rest ({NAIVE})",
        permutations(groups, seed=seed, stream=WITHIN_STREAM),
    )


def permutations(groups: IntArray, *, seed: int, stream: int) -> Callable[[int, int], IntArray]:
    """Return (first, n) -> (n_regions, n), random permutations within groups."""

    def one(k: int) -> IntArray:
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(stream, k)))
        order = np.arange(len(groups))
        for group in np.unique(groups):
            members = np.flatnonzero(groups == group)
            order[members] = rng.permutation(members)
        return order

    return lambda first, n: np.stack([one(k) for k in range(first, first + n)], axis=1)
