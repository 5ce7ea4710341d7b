"""A brain of which some regions are garbage: whoever looks at them will tell."""

from __future__ import annotations

import dataclasses

import numpy as np

from gx2c.data import Brain


def with_garbage(brain: Brain, rows: np.ndarray, *, seed: int = 0) -> Brain:
    """Replace all that is known of some regions, within what a brain may be."""
    rng = np.random.default_rng(seed)
    n_regions, n_rows = brain.n_regions, len(rows)
    expression, coords = brain.expression.copy(), brain.coords_mm.copy()
    expression[rows] = 100 * rng.standard_normal((n_rows, brain.n_genes))
    coords[rows] = rng.uniform((2, -90, -50), (65, 60, 75), size=(n_rows, 3))
    coords[rows, 0] *= np.where(brain.hemisphere[rows] == 0, -1, 1)
    noise = rng.uniform(-1, 1, size=(n_regions, n_regions))
    connectome = brain.connectome.copy()
    connectome[rows], connectome[:, rows] = noise[rows], noise[rows].T
    connectome = np.triu(connectome, 1) + np.triu(connectome, 1).T + np.eye(n_regions)
    fibres = brain.structural_connectome.copy()
    fibres[rows], fibres[:, rows] = np.abs(noise[rows]), np.abs(noise[rows]).T
    fibres = np.triu(fibres, 1)
    return dataclasses.replace(
        brain,
        structural_connectome=fibres + fibres.T,
        expression=expression,
        coords_mm=coords,
        trust_row_order=True,
        connectome=connectome,
        holdout_connectome=connectome,
    )
