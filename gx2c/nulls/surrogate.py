"""The interface of surrogates, and those that move whole rows: spins, permutations as controls."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from gx2c.data.brain import Brain, FloatArray, IntArray
from gx2c.errors import UserError
from gx2c.nulls.spheres import SPIN_METHODS, check_handedness
from gx2c.nulls.spins import make_spins

RANDOM_STREAM, WITHIN_STREAM = 0x4A0, 0x4A1
NAIVE = "naive control: autocorrelation is lost, so small p-values come too often"


@dataclass(frozen=True)
class Surrogate:
    """Makes surrogate expression, whose pairing with the connectome is broken.

    Attributes
    ----------
    name
        A name in `SURROGATES`.
    statement
        One sentence on the properties that it keeps and breaks, printed with its results.
    draw
        (expression, k) -> surrogate k, (n_regions, n_genes). It depends on k, the seed and the
        geometry of the brain.
    linear
        Whether surrogate k is one linear map between regions, the same for every column.
    indices
        (first, n) -> (n_regions, n), the region whose row each region takes; None for a
        surrogate that makes new values.
    """

    name: str
    statement: str
    draw: Callable[[FloatArray, int], FloatArray]
    linear: bool = False
    indices: Callable[[int, int], IntArray] | None = None

    def expression(self, brain: Brain, k: int) -> FloatArray:
        """Return surrogate k of a brain's expression, (n_regions, n_genes)."""
        return self.draw(brain.expression, k)

    def draws(self, rows: FloatArray, numbers: Sequence[int]) -> Iterator[FloatArray]:
        """Draw surrogates of consecutive numbers, (n_regions, n_columns) each."""
        if self.indices is None:
            return (self.draw(rows, k) for k in numbers)
        return (rows[order] for order in self.indices(numbers[0], len(numbers)).T)


def moving_rows(name: str, statement: str, indices: Callable[[int, int], IntArray]) -> Surrogate:
    """Return a surrogate that moves whole rows; gene-gene covariance in a row is kept."""
    return Surrogate(
        name, statement, lambda rows, k: rows[indices(k, 1)[:, 0]], linear=True, indices=indices
    )


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
