"""Spins kept on disk, found again by what they were made from."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from pathlib import Path

import numpy as np

from gx2c.data.brain import FloatArray, IntArray
from gx2c.nulls.spins import make_spins

# Raise it when the same arguments give other spins
FORMAT = 1


def cached_spins(
    cache_dir: Path,
    sphere_coords: FloatArray,
    hemisphere: IntArray,
    *,
    n_spins: int,
    seed: int,
    method: str = "hungarian",
    max_distortion: float | None = None,
    n_jobs: int = 1,
) -> IntArray:
    """Return the first spins of a seed, made once and then read.

    The file's name is a hash of coordinates, hemispheres, seed, method and filter. The first k
    spins are the same for every number of spins, so one file serves all: fewer are cut from it,
    and of more only those that it lacks are made.

    Parameters
    ----------
    cache_dir
        Folder for the files, made if it is not there.
    sphere_coords, hemisphere, n_spins, seed, method, max_distortion, n_jobs
        As for `make_spins`; errors too.
    """
    name = spin_hash(
        sphere_coords, hemisphere, seed=seed, method=method, max_distortion=max_distortion
    )
    path = cache_dir / f"spins_{name}.npy"
    known = _read(path, len(hemisphere))
    if 0 < n_spins <= known.shape[1]:
        return np.ascontiguousarray(known[:, :n_spins], dtype=np.int64)
    new = make_spins(
        sphere_coords,
        hemisphere,
        n_spins=n_spins - known.shape[1],
        first=known.shape[1],
        seed=seed,
        method=method,
        max_distortion=max_distortion,
        n_jobs=n_jobs,
    )
    spins = np.concatenate([known, new], axis=1)
    _write(path, spins.astype(np.int32))
    return spins


def spin_hash(
    sphere_coords: FloatArray,
    hemisphere: IntArray,
    *,
    seed: int,
    method: str,
    max_distortion: float | None,
) -> str:
    """Hash what spins are made from: 16 hexadecimal digits."""
    found = hashlib.sha256(json.dumps([FORMAT, seed, method, max_distortion]).encode())
    found.update(np.ascontiguousarray(sphere_coords, dtype=np.float64).tobytes())
    found.update(np.ascontiguousarray(hemisphere, dtype=np.int64).tobytes())
    return found.hexdigest()[:16]


def _read(path: Path, n_regions: int) -> IntArray:
    """Return the spins in a file; none if it is not there or is damaged."""
    none = np.empty((n_regions, 0), dtype=np.int64)
    try:
        known = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return none
    whole = isinstance(known, np.ndarray) and known.ndim == 2 and len(known) == n_regions
    return known if whole else none


def _write(path: Path, spins: IntArray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # whole or not at all: another process may read while this one writes
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".npy", delete=False) as stream:
        np.save(stream, spins)
    os.replace(stream.name, path)
