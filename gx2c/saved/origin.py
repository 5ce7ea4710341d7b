"""Where a result was computed: versions and processor."""

import importlib.metadata
import platform
from collections.abc import Iterable

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
