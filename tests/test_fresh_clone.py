"""The README's first command, as a newcomer runs it: clone, `make sweep`, read the result.

The second, `make test`, is what runs this test; it is not called again.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
NO_NETWORK = ("Temporary failure in name resolution", "Failed to establish a new connection")


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_make_sweep_works_in_a_fresh_clone(tmp_path: Path) -> None:
    if not (REPOSITORY / ".git").exists() or shutil.which("git") is None:
        pytest.skip("not a git checkout")
    clone = tmp_path / "gx2c"
    subprocess.run(["git", "clone", "--quiet", str(REPOSITORY), str(clone)], check=True)
    # a newcomer's shell has no virtual environment of ours
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "VIRTUAL"))}
    command = ["make", "sweep", f"PYTHON={sys.executable}"]
    done = subprocess.run(command, cwd=clone, env=environment, capture_output=True, text=True)
    # a version that no index has must fail: only a network that is not there is a reason
    if done.returncode and any(words in done.stderr for words in NO_NETWORK):
        pytest.skip("the package index cannot be reached")
    assert done.returncode == 0, done.stderr[-3000:]
    for words in ("geography alone", "gain over geography", "gain over spin nulls", "report  "):
        assert words in done.stdout
    (run,) = (clone / "runs").iterdir()
    for name in ("summary.json", "best.yaml", "trials.parquet", "report.html", "study.db"):
        assert (run / name).stat().st_size > 0
    status = ["git", "-C", str(clone), "status", "--porcelain"]
    assert subprocess.run(status, capture_output=True, text=True, check=True).stdout == ""
