from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gx2c.data import Brain, make_synthetic_brain, write_dataset


@pytest.fixture(scope="session")
def small_brain() -> Brain:
    return make_synthetic_brain(n_regions=12, n_genes=6, seed=3)


@pytest.fixture
def small_folder(small_brain: Brain, tmp_path: Path) -> Path:
    """A valid dataset folder that a test may break."""
    return write_dataset(tmp_path / "small", small_brain, {"Name": "small", "Summary": "a test"})


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)
