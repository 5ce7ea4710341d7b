"""An addition of each kind costs the promised files and lines, and the CLI runs with it.

Each test copies the source tree, makes the changes that docs/extending.md shows, and starts a
process there: nothing is registered from inside a test.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
ROOMS = ("gx2c", "trainables", "search_spaces", "sweeps", "cluster", "data")
QUICK = "--preset quick --samples 3 --folds 2 --inner-folds 2 --genes 20_var".split()

PAGE = REPOSITORY / "docs/extending.md"
EVALUATE = "nulls evaluate --dataset schaefer100 --n 2".split()


class Copy:
    """A copy of the source tree that a test may add to.

    Parameters
    ----------
    root
        Folder of the copy; it must not exist.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        for room in ROOMS:
            ignore = shutil.ignore_patterns("__pycache__")
            shutil.copytree(REPOSITORY / room, root / room, ignore=ignore)

    def add(self, heading: str) -> None:
        """Make the changes that a section of the page shows: whole files, and lines of others."""
        section = PAGE.read_text().partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
        blocks = re.finditer(r"([^\n]*)\n\n```(python|diff)\n(.*?)^```$", section, re.M | re.S)
        for before, language, code in (block.groups() for block in blocks):
            if language == "python":
                target = self.root / re.findall(r"`(\S+\.py)`:$", before)[0]
                assert not target.exists()
                target.write_text(code)
            else:
                name, after, line = code.splitlines()
                self.add_line(name.removeprefix("--- "), line.removeprefix("+"), after.strip())

    def add_line(self, path: str, line: str, after: str) -> None:
        """Add one line behind the only one that starts with `after`, blanks aside."""
        target = self.root / path
        lines = target.read_text().splitlines(keepends=True)
        (place,) = (n for n, text in enumerate(lines, start=1) if text.strip().startswith(after))
        target.write_text("".join([*lines[:place], line + "\n", *lines[place:]]))

    def additions(self) -> dict[str, int]:
        """Count lines added by changed file; a new file counts as 0, whatever its length."""
        counts = {}
        for path in sorted(self.root.rglob("*.py")):
            name = str(path.relative_to(self.root))
            if not (original := REPOSITORY / name).exists():
                counts[name] = 0
            elif path.read_bytes() != original.read_bytes():
                before, now = original.read_text().splitlines(), path.read_text().splitlines()
                assert [line for line in now if line in before] == before, "only additions count"
                counts[name] = len(now) - len(before)
        return counts

    def gx2c(self, *arguments: str) -> str:
        """Run the CLI in the copy; return all that it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "sweeps.cli.app", *arguments],
            cwd=self.root,
            env={**os.environ, "PYTHONPATH": str(self.root)},
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        # tables go to one, their titles and notes to the other
        return done.stdout + done.stderr

    def sweep(self, *arguments: str) -> dict:
        """Run a small sweep in the copy; return its summary."""
        self.gx2c("sweep", *arguments, *QUICK, "--out", str(self.root / "run"))
        return json.loads((self.root / "run" / "summary.json").read_text())

    def evaluate(self, *arguments: str) -> dict:
        """Run `gx2c nulls evaluate` on a dataset in the copy; return its summary."""
        self.gx2c(*EVALUATE, *arguments, "--out", str(self.root / "nulls"))
        return json.loads((self.root / "nulls" / "summary.json").read_text())


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    return Copy(tmp_path / "copy")


@pytest.mark.slow
def test_a_new_model_is_two_files_and_two_lines(copy: Copy) -> None:
    copy.add("A model")
    assert copy.additions() == {
        "gx2c/models/__init__.py": 1,
        "gx2c/models/closed_form/mean_edge.py": 0,
        "search_spaces/__init__.py": 1,
        "search_spaces/mean_edge.py": 0,
    }
    summary = copy.sweep("mean_edge", "--nulls", "2")
    assert summary["model"] == "mean_edge"
    assert summary["nulls"]["n"] == 2 and summary["nulls"]["search"] == "full"
    assert all(
        fold["best_config"]["hyperparameters"].keys() == {"share"} for fold in summary["folds"]
    )
    (row,) = (r for r in json.loads(copy.gx2c("models", "--json")) if r["name"] == "mean_edge")
    assert row["kind"] == "closed_form" and "share" in row["dimensions"]


@pytest.mark.slow
def test_a_new_split_is_a_file_and_a_row(copy: Copy) -> None:
    table = "gx2c/splits/table.py"
    copy.add("A split")
    assert copy.additions() == {table: 2, "gx2c/splits/slices.py": 0}
    summary = copy.evaluate("--split", "slices", "--surrogate", "moran")
    assert summary["split"] == "slices" and summary["nulls"]["n"] == 2
    with pytest.raises(AssertionError, match="'slices', 'spatial'"):
        copy.gx2c("nulls", "evaluate", "--split", "slice", "--out", str(copy.root / "none"))


@pytest.mark.slow
def test_a_new_surrogate_is_a_file_and_a_row(copy: Copy) -> None:
    table = "gx2c/nulls/table.py"
    copy.add("A surrogate")
    assert copy.additions() == {table: 2, "gx2c/nulls/shift.py": 0}
    assert "an example that moves every row" in copy.gx2c("nulls", "check", "--n", "2")
    nulls = copy.evaluate("--surrogate", "shift")["nulls"]
    assert nulls["method"] == "shift"
    assert "may be too liberal: 50% of unrelated genes" in nulls["caution"]


@pytest.mark.slow
def test_a_new_metric_is_a_file_and_a_row(copy: Copy) -> None:
    table = "gx2c/metrics/table.py"
    copy.add("A metric")
    assert copy.additions() == {table: 2, "gx2c/metrics/worst.py": 0}
    summary = copy.sweep("geography+genes", "--nulls", "2", "--null-method", "moran")
    assert summary["test"]["worst"]["mean"] >= summary["test"]["mae"]["mean"] > 0
    tested = summary["nulls"]["over_geography"]["worst"]
    assert tested["gain"] == pytest.approx(summary["geography"]["gain"]["worst"]["mean"])
    assert "largest error" in (copy.root / "run" / "report.html").read_text()
    assert "worst minus that of geography" in copy.gx2c(
        "compare", str(copy.root / "run"), "--metric", "worst"
    )
