"""Runs that many tests of the page share."""

from __future__ import annotations

from pathlib import Path

import pytest
from report_fixtures import make_run

from sweeps.folder.paths import SweepPaths


@pytest.fixture
def run(tmp_path: Path) -> SweepPaths:
    return make_run(tmp_path / "run", n_configs=10)


@pytest.fixture
def small(tmp_path: Path) -> SweepPaths:
    return make_run(tmp_path / "run", n_folds=2, n_regions=9, n_configs=12)
