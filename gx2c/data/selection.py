"""Keep some regions of a brain: a hemisphere, the cortex, or any others."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from gx2c.data.brain import Brain, IntArray
from gx2c.data.individuals import take_edges
from gx2c.errors import UserError

SIDES = {"left": 0, "right": 1}
# Names that datasets of whole brains give to what is not cortex, in the place of a network
OUTSIDE_CORTEX = ("Subcortical", "Cerebellum")


def select_regions(
    brain: Brain, *, hemisphere: str | None = None, cortex_only: bool = False
) -> Brain:
    """Keep the regions of one hemisphere, of the cortex, or of both choices together.

    Parameters
    ----------
    brain
        Any brain.
    hemisphere
        "left", "right" or None for both.
    cortex_only
        Whether regions outside the cortex are left out: those without sphere coordinates, or
        in a brain without any, those whose network is one of `OUTSIDE_CORTEX`.

    Returns
    -------
    Brain
        In the same order, with the same name and checksum; `brain` itself if all regions stay.

    Raises
    ------
    UserError
        If there is no such hemisphere, or nothing in the brain tells which regions are cortex.
    DataError
        If too few regions are left to be a brain.
    """
    keep = np.ones(brain.n_regions, dtype=bool)
    if hemisphere is not None:
        if hemisphere not in SIDES:
            raise UserError(f"no hemisphere {hemisphere!r}; choose from {sorted(SIDES)}")
        keep &= brain.hemisphere == SIDES[hemisphere]
    if cortex_only:
        keep &= _in_cortex(brain)
    return brain if keep.all() else take_regions(brain, np.flatnonzero(keep))


def take_regions(brain: Brain, indices: IntArray) -> Brain:
    """Keep some regions, in the order given.

    Parameters
    ----------
    brain
        Any brain.
    indices
        (n_kept,) region indices, each at most once.

    Raises
    ------
    DataError
        If the rest cannot be a brain: too few regions, or one given twice.
    """
    rows, block = indices, np.ix_(indices, indices)
    holdout, structural = brain.holdout_connectome, brain.structural_connectome
    sphere, lobe, people = brain.sphere_coords, brain.lobe, brain.individual_connectomes
    return replace(
        brain,
        labels=tuple(brain.labels[i] for i in indices.tolist()),
        expression=brain.expression[rows],
        connectome=brain.connectome[block],
        coords_mm=brain.coords_mm[rows],
        hemisphere=brain.hemisphere[rows],
        network=tuple(brain.network[i] for i in indices.tolist()),
        holdout_connectome=None if holdout is None else holdout[block],
        structural_connectome=None if structural is None else structural[block],
        individual_connectomes=None
        if people is None
        else take_edges(people, brain.n_regions, rows),
        sphere_coords=None if sphere is None else sphere[rows],
        lobe=None if lobe is None else tuple(lobe[i] for i in indices.tolist()),
    )


def _in_cortex(brain: Brain) -> NDArray[np.bool_]:
    if brain.sphere_coords is not None:
        return ~np.isnan(brain.sphere_coords[:, 0])
    inside = np.array([network not in OUTSIDE_CORTEX for network in brain.network])
    if inside.all():
        raise UserError(
            f"{brain.name} has no sphere coordinates and no network named"
            f" {' or '.join(OUTSIDE_CORTEX)}, so nothing tells which regions are cortex; add the"
            " sphere columns to regions.tsv, or keep all regions"
        )
    return inside
