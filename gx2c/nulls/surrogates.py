"""Surrogate brains: the expression moves, everything else stays."""

from __future__ import annotations

from dataclasses import replace

from gx2c.data.brain import Brain, IntArray
from gx2c.errors import UserError
from gx2c.nulls.spheres import check_handedness
from gx2c.nulls.spins import make_spins


def make_brain_spins(
    brain: Brain,
    *,
    n_spins: int,
    seed: int,
    method: str = "hungarian",
    first: int = 0,
    max_distortion: float | None = None,
    n_jobs: int = 1,
) -> IntArray:
    """Make the spins of a brain's regions, after checking its spheres' handedness.

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
            f"{brain.name} has no sphere coordinates, which spins need; add them to the dataset"
            " or ask for no nulls"
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


def spin_expression(brain: Brain, spin: IntArray) -> Brain:
    """Move whole rows of expression and leave coordinates and connectome where they are.

    Parameters
    ----------
    brain
        The true brain.
    spin
        (n_regions,), one column of `make_spins`: for each region the one whose row it takes.

    Returns
    -------
    Brain
        The surrogate; gene-gene covariance is kept, the pairing with the connectome is not.
    """
    return replace(brain, expression=brain.expression[spin])
