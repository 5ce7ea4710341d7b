"""Spins and Moran maps beside neuromaps and brainspace, on the same regions.

`gx2c bench spins`, 400 regions of a synthetic cortex, 1,000 spins, 2 threads. The
packages are no dependencies of gx2c: where they are not installed only gx2c is timed, and the
result says so. Rounds alternate between packages, so that a busy machine hits all alike.
"""

from __future__ import annotations

import importlib
import os
import time
from collections.abc import Callable
from importlib.metadata import version
from types import ModuleType
from typing import Any

import numpy as np
from scipy.spatial.distance import cdist

from gx2c.data.synthetic import mirrored_cortex
from gx2c.nulls import SPIN_METHODS, make_spins
from gx2c.nulls.moran import make_moran

N_REGIONS = 400
N_SPINS = 1_000
N_MANY = 10_000
N_JOBS = 2
ROUNDS = 3
JITTER = 5.0
# Their name, and how many times faster gx2c is meant to be
NEUROMAPS = {
    "alexander_bloch": ("original", 10),
    "vasa": ("vasa", 10),
    "hungarian": ("hungarian", 5),
}
DEFAULT, UNCHECKED = "neuromaps", "neuromaps, duplicates unchecked"


def run() -> dict[str, Any]:
    """Measure everything; a few minutes, most of them neuromaps'."""
    theirs = {name: _module(name) for name in ("neuromaps.nulls.spins", "brainspace.null_models")}
    coords_mm, sphere_coords, hemisphere = cortex()
    return {
        "n_regions": N_REGIONS,
        "n_spins": N_SPINS,
        "packages": {name.split(".")[0]: _version(name, theirs[name]) for name in theirs},
        "load_before": round(os.getloadavg()[0], 2),
        "spins": {
            method: spin_times(method, sphere_coords, hemisphere, theirs["neuromaps.nulls.spins"])
            for method in SPIN_METHODS
        },
        "spins_10000_s": {
            method: round(_seconds(_ours(method, sphere_coords, hemisphere, N_MANY, N_JOBS)), 2)
            for method in SPIN_METHODS
        },
        "moran_1000_maps_s": moran_times(coords_mm, theirs["brainspace.null_models"]),
        "load_after": round(os.getloadavg()[0], 2),
    }


def cortex() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return coordinates, sphere coordinates and hemispheres, less regular than a lattice."""
    coords_mm, sphere_coords, hemisphere = mirrored_cortex(N_REGIONS)
    moved = sphere_coords + np.random.default_rng(0).normal(0, JITTER, sphere_coords.shape)
    return coords_mm, 100 * moved / np.linalg.norm(moved, axis=1, keepdims=True), hemisphere


def spin_times(
    method: str, sphere_coords: np.ndarray, hemisphere: np.ndarray, neuromaps: ModuleType | None
) -> dict[str, Any]:
    """Time one reassignment: fastest of alternating rounds, seconds and how many times faster."""
    works = {
        f"gx2c, {jobs} at once": _ours(method, sphere_coords, hemisphere, N_SPINS, jobs)
        for jobs in (1, N_JOBS)
    }
    theirs, goal = NEUROMAPS[method]
    if neuromaps is not None:
        for name, check in ((DEFAULT, True), (UNCHECKED, False)):
            works[name] = _theirs(neuromaps, theirs, sphere_coords, hemisphere, check=check)
    for name in list(works)[:2]:
        works[name]()  # the first call loads what it needs
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(ROUNDS):
        for name, work in works.items():
            times[name].append(_seconds(work))
    fastest = {name: min(found) for name, found in times.items()}
    ours = min(seconds for name, seconds in fastest.items() if name.startswith("gx2c"))
    faster = {name: round(fastest[name] / ours, 1) for name in fastest if "neuromaps" in name}
    return {
        "seconds": {name: round(seconds, 3) for name, seconds in fastest.items()},
        "spread": {name: round(max(found) / min(found), 2) for name, found in times.items()},
        "times_faster": faster or "neuromaps is not installed",
        "goal": goal,
    }


def moran_times(coords_mm: np.ndarray, brainspace: ModuleType | None) -> dict[str, Any]:
    """Time Moran randomisation: fit and 1,000 surrogates of one map, fastest of rounds."""
    rng = np.random.default_rng(0)
    one = rng.normal(size=(N_REGIONS, 1))

    def ours() -> None:
        moran = make_moran(coords_mm, seed=0)
        for k in range(N_SPINS):
            moran.draw(one, k)

    def theirs() -> None:
        assert brainspace is not None
        distance = cdist(coords_mm, coords_mm)
        np.fill_diagonal(distance, 1)
        fitted = brainspace.MoranRandomization(n_rep=N_SPINS, tol=1e-6, random_state=0)
        fitted.fit(1 / distance).randomize(one[:, 0])

    found: dict[str, Any] = {"gx2c": round(min(_seconds(ours) for _ in range(ROUNDS)), 3)}
    if brainspace is None:
        return {**found, "brainspace": "not installed"}
    return {**found, "brainspace": round(min(_seconds(theirs) for _ in range(ROUNDS)), 3)}


def _ours(
    method: str, sphere_coords: np.ndarray, hemisphere: np.ndarray, n_spins: int, n_jobs: int
) -> Callable[[], Any]:
    return lambda: make_spins(
        sphere_coords, hemisphere, n_spins=n_spins, seed=0, method=method, n_jobs=n_jobs
    )


def _theirs(
    neuromaps: ModuleType,
    method: str,
    sphere_coords: np.ndarray,
    hemisphere: np.ndarray,
    *,
    check: bool,
) -> Callable[[], Any]:
    return lambda: neuromaps.gen_spinsamples(
        sphere_coords, hemisphere, N_SPINS, check_duplicates=check, method=method, seed=0
    )


def _module(name: str) -> ModuleType | None:
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def _version(name: str, module: ModuleType | None) -> str:
    return "not installed" if module is None else version(name.split(".")[0])


def _seconds(work: Callable[[], Any]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
