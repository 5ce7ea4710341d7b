"""What a splitting rule may see: where the regions lie and which of them stay together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gx2c.data.brain import FloatArray, IntArray


@dataclass(frozen=True)
class Sites:
    """Places of some regions, without expression or connectome.

    Attributes
    ----------
    coords_mm
        (n_regions, 3), region centroids in MNI space, mm.
    units
        (n_regions,), unit of each region; homologues share one.
    """

    coords_mm: FloatArray
    units: IntArray

    def __len__(self) -> int:
        return len(self.coords_mm)

    def take(self, indices: IntArray) -> Sites:
        """Keep some regions; their units are the whole brain's, not matched anew."""
        return Sites(self.coords_mm[indices], self.units[indices])


# (sites, n_folds, seed) -> for each fold the positions in `sites` that are held out, ascending
Splitter = Callable[[Sites, int, int], list[IntArray]]
