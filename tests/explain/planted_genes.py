"""Brains of equally smooth, co-expressed genes, of which some made the connectome."""

from __future__ import annotations

import numpy as np

from gx2c.calibration.maps import smooth_maps
from gx2c.data import Brain
from gx2c.data.smooth_fields import mirrored_cortex
from gx2c.splits.fold import Fold

N_MADE = 10


def made_by_genes(seed: int, *, n_regions: int = 200, n_genes: int = 40) -> Brain:
    """Make a connectome of the products of 10 genes, with which each other gene correlates .5."""
    rng = np.random.default_rng(seed)
    coords, sphere, side = mirrored_cortex(n_regions)
    maps = smooth_maps(sphere, side, 40.0, 0.5, n_genes, rng)
    maps = (maps - maps.mean(axis=0)) / maps.std(axis=0)
    of_others = np.arange(n_genes - N_MADE) % N_MADE
    maps[:, N_MADE:] = 0.5 * maps[:, of_others] + np.sqrt(0.75) * maps[:, N_MADE:]
    made = maps[:, :N_MADE]
    noise = rng.normal(0, 0.05, (n_regions, n_regions))
    connectome = np.clip(0.25 * made @ made.T / N_MADE + (noise + noise.T) / 2, -0.99, 0.99)
    np.fill_diagonal(connectome, 1.0)
    names = [f"{'MADE' if k < N_MADE else 'OTHER'}{k}" for k in range(n_genes)]
    order = rng.permutation(n_genes)
    return Brain(
        name="made",
        labels=tuple(f"region_{k}" for k in range(n_regions)),
        genes=tuple(names[k] for k in order),
        expression=maps[:, order],
        connectome=connectome,
        coords_mm=coords,
        hemisphere=side,
        network=tuple("AB"[k % 2] for k in range(n_regions)),
        sphere_coords=sphere,
    )


def quarter_held_out(n_regions: int, seed: int) -> Fold:
    order = np.random.default_rng(seed).permutation(n_regions)
    return Fold(np.sort(order[n_regions // 4 :]), np.sort(order[: n_regions // 4]))
