"""The main job finds nothing once expression is shuffled.

What it finds otherwise is tested where it runs as a newcomer runs it: tests/test_fresh_clone.py.
"""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gx2c.data import load_dataset, write_dataset

pytestmark = pytest.mark.slow

# True genes reach at least .35
MOST_TEST_R = 0.25


def test_the_quick_sweep_finds_nothing_in_shuffled_expression(tmp_path: Path) -> None:
    brain = load_dataset("schaefer100")
    order = np.random.default_rng(0).permutation(brain.n_regions)
    shuffled = dataclasses.replace(brain, expression=brain.expression[order])
    folder = write_dataset(tmp_path / "shuffled", shuffled, {"Name": "shuffled"})
    command = [sys.executable, "-m", "sweeps.cli.app", "sweep", "smt", "--preset", "quick"]
    out = tmp_path / "run"
    subprocess.run(
        [*command, "--nulls", "0", "--dataset", str(folder), "--out", str(out)], check=True
    )
    summary = json.loads((out / "summary.json").read_text())
    assert summary["test"]["pearson_r"]["mean"] < MOST_TEST_R
