"""Held-out edges, weighted so that the sum of predictions is their agreement with the data."""

from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np
import scipy

from gx2c.data.brain import Brain, FloatArray, IntArray
from gx2c.errors import UserError
from gx2c.metrics.detail import distance_bands

ALL = "all"
# Between the names of two networks
BETWEEN = " - "


@dataclass(frozen=True)
class HeldOutEdges:
    """The edges among some regions, in groups.

    Attributes
    ----------
    groups
        "all", then "A - B" for each pair of networks, then bands of distance.
    weights
        (n_regions, n_regions), symmetric, 0 on the diagonal. The weight of an edge is
        (m - mean) / (n_edges SD) of its measured value m, so that the weighted sum of predicted
        edges is cov(predicted, measured) / SD(measured): the part of the predictions' standard
        deviation that agrees with the data.
    network
        (n_regions, n_networks), 1 in the column of a region's network.
    bands
        (n_bands, n_regions, n_regions), 1 where an edge is in a band of distance.
    """

    groups: tuple[str, ...]
    weights: FloatArray
    network: FloatArray
    bands: FloatArray

    @classmethod
    def of(cls, brain: Brain, regions: IntArray) -> "HeldOutEdges":
        """Weigh the edges among some regions of a brain.

        Raises
        ------
        UserError
            If all measured edges are equal.
        """
        names = sorted(set(brain.network))
        network = np.array([[brain.network[i] == n for n in names] for i in regions.tolist()])
        measured, off = brain.connectome_block(regions), ~np.eye(len(regions), dtype=bool)
        spread = measured[off].std()
        if not spread > 0:
            raise UserError(
                f"the measured edges among {len(regions)} held-out regions of {brain.name} are all "
                "equal, so that nothing agrees with them; choose other regions"
            )
        n_edges = off.sum() / 2
        weights = np.where(off, (measured - measured[off].mean()) / (n_edges * spread), 0.0)
        places = brain.coords_mm[regions]
        lengths = scipy.spatial.distance.cdist(places, places)
        bands = distance_bands(lengths)
        pairs = [f"{a}{BETWEEN}{b}" for a, b in combinations_with_replacement(names, 2)]
        masks = np.array([np.broadcast_to(band, lengths.shape) for band in bands.values()])
        shown = tuple(name.removesuffix("_r") for name in bands)
        return cls((ALL, *pairs, *shown), weights, network.astype(float), masks.astype(float))

    def agreement(self, predicted: FloatArray) -> FloatArray:
        """Return the weighted sum of predicted edges in each group.

        Parameters
        ----------
        predicted
            (…, n_regions, n_regions), symmetric.

        Returns
        -------
        FloatArray
            (…, n_groups); the pairs of networks sum to "all", and so do the bands.
        """
        # both triangles hold an edge
        parts = np.where(self.weights != 0, predicted, 0.0) * self.weights / 2
        ends = self.network.T @ parts @ self.network
        of_bands = np.einsum("...ij,bij->...b", parts, self.bands)
        return self.by_group(ends, of_bands)

    def by_group(self, ends: FloatArray, of_bands: FloatArray) -> FloatArray:
        """Join what both ends of edges contribute.

        Parameters
        ----------
        ends
            (…, n_networks, n_networks), by the network of one end and that of the other.
        of_bands
            (…, n_bands).
        """
        n = ends.shape[-1]
        first, second = np.array(list(combinations_with_replacement(range(n), 2))).T
        both = ends[..., first, second] + ends[..., second, first] * (first != second)
        return np.concatenate([ends.sum(axis=(-2, -1))[..., None], both, of_bands], axis=-1)
