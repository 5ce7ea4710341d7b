"""Commands that compute nothing import nothing heavy; `gx2c bench start` measures the seconds."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[3]
HEAVY = ("torch", "ray", "optuna", "sklearn", "statsmodels")
CALL = """
import sys
from sweeps.cli import app as cli
try:
    cli.main({arguments!r})
except SystemExit as stop:
    assert not stop.code, stop.code
print("IMPORTED", *[name for name in {heavy!r} if name in sys.modules])
"""


@pytest.mark.parametrize(
    "arguments", [["--help"], ["sweep", "--help"], ["data", "show", "schaefer100"]]
)
def test_a_quick_command_imports_nothing_heavy(arguments):
    code = CALL.format(arguments=arguments, heavy=HEAVY)
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=REPOSITORY, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "IMPORTED"
