"""Peak memory of one SMT trial, in a process of its own: `python -m benchmarks.memory 455 7380`."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from benchmarks.step import published_config
from gx2c.data import make_synthetic_brain
from gx2c.fit import ComputeProfile, NestedFit
from gx2c.splits import make_folds


def main(n_regions: int, n_genes: int) -> None:
    """Train a trial for one pass of few steps and print the peak."""
    brain = make_synthetic_brain(n_regions=n_regions + n_regions % 2, n_genes=n_genes, seed=0)
    fold = make_folds(brain.coords_mm, brain.hemisphere, n_inner_folds=4, seed=0)[0]
    profile = ComputeProfile(threads=2)
    nested = NestedFit(brain, fold, published_config(), metric="val_mse", seed=0, profile=profile)
    # memory does not grow with the number of steps: two show the peak
    for group in nested.fit.groups:
        group.n_steps = 2
    with profile.active():
        nested.advance()
    print(json.dumps({"n_regions": n_regions, "peak_memory_gb": round(peak_kib() / 2**20, 2)}))


def peak_kib() -> int:
    """Return the most memory that this process has held.

    Linux's `ru_maxrss` would count that of the process which started this one, too.
    """
    found = re.search(r"^VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)
    assert found is not None, "Linux says so of every process that runs"
    return int(found[1])


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
