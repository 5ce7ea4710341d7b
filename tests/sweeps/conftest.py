from __future__ import annotations

from pathlib import Path

import pytest
from real_sweeps import sweep

from gx2c.data import make_synthetic_brain, write_dataset
from sweeps.paths import SweepPaths


@pytest.fixture(scope="session")
def tiny_dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset folder of 32 regions and 40 genes."""
    brain = make_synthetic_brain(n_regions=32, n_genes=40, seed=3)
    folder = tmp_path_factory.mktemp("datasets") / "tiny"
    return write_dataset(folder, brain, {"Name": "tiny", "Summary": "synthetic"})


@pytest.fixture(scope="session")
def mlp_run(tiny_dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> SweepPaths:
    """A finished sweep of the MLP; slow, for Ray starts."""
    return sweep("mlp", tiny_dataset, tmp_path_factory.mktemp("runs") / "mlp")
