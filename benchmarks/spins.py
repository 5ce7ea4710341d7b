"""Spins and Moran maps compared with neuromaps and brainspace: `gx2c bench spins`.

400 regions of a synthetic cortex, 1,000 spins. Neither package is a dependency of gx2c: where one
is not installed, gx2c alone is timed and the result says so.
"""

import importlib
import time
from collections.abc import Callable, Mapping
from functools import partial
from importlib.metadata import version
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import numpy as np
from scipy.spatial.distance import cdist

from benchmarks.frame import in_turn
from gx2c.data.smooth_fields import mirrored_cortex
from gx2c.nulls import SPIN_METHODS, make_spins
from gx2c.nulls.moran import make_moran

N_REGIONS = 400
N_SPINS = 1_000
N_MANY = 10_000
ROUNDS = 3
JITTER = 5.0
PACKAGES = {"neuromaps": "neuromaps.nulls.spins", "brainspace": "brainspace.null_models"}
# neuromaps' name of each method, and the speed-up over it that gx2c aims at
NEUROMAPS = {
    "alexander_bloch": ("original", 10),
    "vasa": ("vasa", 10),
    "hungarian": ("hungarian", 5),
}


def run() -> dict[str, Any]:
    """Measure everything; a few minutes, most of them neuromaps'."""
    theirs = {
        name: importlib.import_module(module) if find_spec(name) else None
        for name, module in PACKAGES.items()
    }
    coords_mm, *sphere = cortex()
    ours = partial(make_spins, *sphere, seed=0)
    many = {f"gx2c, {m}": partial(ours, n_spins=N_MANY, method=m, n_jobs=2) for m in SPIN_METHODS}
    return {
        "n_regions": N_REGIONS,
        "n_spins": N_SPINS,
        "packages": {name: version(name) if theirs[name] else "not installed" for name in theirs},
        "spins": {
            method: compare(spin_works(method, sphere, theirs["neuromaps"]))
            | {"goal": NEUROMAPS[method][1]}
            for method in SPIN_METHODS
        },
        "spins_10000": compare(many),
        "moran_1000_maps": compare(moran_works(coords_mm, theirs["brainspace"])),
    }


def cortex() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return coordinates, sphere coordinates and hemispheres, less regular than a lattice."""
    coords_mm, sphere_coords, hemisphere = mirrored_cortex(N_REGIONS)
    moved = sphere_coords + np.random.default_rng(0).normal(0, JITTER, sphere_coords.shape)
    return coords_mm, 100 * moved / np.linalg.norm(moved, axis=1, keepdims=True), hemisphere


def compare(works: Mapping[str, Callable[[], Any]]) -> dict[str, Any]:
    """Return the fastest of alternating rounds, and how many times faster gx2c is."""
    times = in_turn(works, rounds=ROUNDS, clock=time.perf_counter)
    seconds = {name: taken["fastest"] for name, taken in times.items()}
    ours = min(fastest for name, fastest in seconds.items() if name.startswith("gx2c"))
    return {
        "seconds": {name: round(fastest, 3) for name, fastest in seconds.items()},
        "spread": {name: taken["spread"] for name, taken in times.items()},
        "times_faster": {
            name: round(fastest / ours, 1)
            for name, fastest in seconds.items()
            if not name.startswith("gx2c")
        },
    }


def spin_works(method: str, sphere: Any, neuromaps: ModuleType | None) -> dict[str, Any]:
    """Return the spins of one method, by package."""
    ours = partial(make_spins, *sphere, n_spins=N_SPINS, seed=0, method=method)
    works: dict[str, Any] = {f"gx2c, {n} at once": partial(ours, n_jobs=n) for n in (1, 2)}
    if neuromaps:
        name, _ = NEUROMAPS[method]
        theirs = partial(neuromaps.gen_spinsamples, *sphere, N_SPINS, method=name, seed=0)
        works["neuromaps"] = theirs
        works["neuromaps, duplicates unchecked"] = partial(theirs, check_duplicates=False)
    return works


def moran_works(coords_mm: np.ndarray, brainspace: ModuleType | None) -> dict[str, Any]:
    """Return the fit of a Moran randomisation and 1,000 surrogates of one map, by package."""
    one_map = np.random.default_rng(0).normal(size=(N_REGIONS, 1))

    def ours() -> None:
        moran = make_moran(coords_mm, seed=0)
        for number in range(N_SPINS):
            moran(one_map, number)

    def theirs() -> None:
        assert brainspace is not None
        distance = cdist(coords_mm, coords_mm)
        np.fill_diagonal(distance, 1)
        fitted = brainspace.MoranRandomization(n_rep=N_SPINS, tol=1e-6, random_state=0)
        fitted.fit(1 / distance).randomize(one_map[:, 0])

    return {"gx2c": ours, **({"brainspace": theirs} if brainspace else {})}
