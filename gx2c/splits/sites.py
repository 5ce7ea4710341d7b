"""What a splitting rule may see: where the regions lie and which of them stay together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gx2c.data.brain import FloatArray, IntArray


@dataclass(frozen=True)
class Sites:
    """Places of some regions, and what else the rule asked for.

    Attributes
    ----------
    coords_mm
        (n_regions, 3), region centroids in MNI space, mm.
    units
        (n_regions,), unit of each region; homologues share one.
    groups
        n_regions names of networks or lobes, for the rules that hold out whole ones; else None.
    connectome
        (n_regions, n_regions), for the rules that find communities in it; else None.
    resolution
        Of the communities: larger values give more and smaller ones.
    """

    coords_mm: FloatArray
    units: IntArray
    groups: tuple[str, ...] | None = None
    connectome: FloatArray | None = None
    resolution: float = 1.0

    def __len__(self) -> int:
        return len(self.coords_mm)

    def take(self, indices: IntArray) -> Sites:
        """Keep some regions; their units are the whole brain's, not matched anew."""
        groups, connectome = self.groups, self.connectome
        return Sites(
            self.coords_mm[indices],
            self.units[indices],
            None if groups is None else tuple(groups[i] for i in indices.tolist()),
            None if connectome is None else connectome[np.ix_(indices, indices)],
            self.resolution,
        )


# (sites, n_folds, seed) -> for each fold the positions in `sites` that are held out, ascending
Splitter = Callable[[Sites, int, int], list[IntArray]]
