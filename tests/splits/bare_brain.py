"""A brain of nothing but places, for rules that read no more."""

from __future__ import annotations

from typing import Any

import numpy as np

from gx2c.data import Brain


def brain_at(coords_mm: np.ndarray, hemisphere: np.ndarray, **parts: Any) -> Brain:
    """Put regions in places; expression and connectome are noise unless `parts` brings its own."""
    n = len(coords_mm)
    noise = np.random.default_rng(0).uniform(-1, 1, (n, n))
    bare = {
        "name": "bare",
        "labels": tuple(f"region {i}" for i in range(n)),
        "genes": ("GENE",),
        "expression": noise[:, :1],
        "connectome": (noise + noise.T) / 2,
        "coords_mm": coords_mm,
        "hemisphere": hemisphere,
        "network": ("all",) * n,
    }
    return Brain(**bare | parts)
