"""The origin of a result: connectome, versions and processor."""

import hashlib
import importlib.metadata
import platform
from collections.abc import Iterable

import numpy as np

from gx2c.data.brain import Brain

PACKAGES = ("gx2c", "torch", "numpy", "scipy", "scikit-learn", "xgboost")


def versions(packages: Iterable[str] = PACKAGES) -> dict[str, str]:
    """Return the versions of Python and of some packages, or "not installed"."""
    found = {"python": platform.python_version()}
    for package in packages:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found


def processor_name() -> str:
    """Return the model of the processor; different kinds round differently."""
    try:
        with open("/proc/cpuinfo") as stream:
            names = [line.split(":", 1)[1].strip() for line in stream if "model name" in line]
        return names[0]
    except (OSError, IndexError):
        return platform.processor() or platform.machine()


def measured_checksum(brain: Brain) -> str:
    """Return the hash of the test data: regions by name, and their connectome.

    Additional files that a model reads are excluded, so that it can be ranked with others.
    """
    digest = hashlib.sha256("\n".join(brain.labels).encode())
    digest.update(np.ascontiguousarray(brain.connectome, dtype=np.float64).tobytes())
    return digest.hexdigest()
