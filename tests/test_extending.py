"""An addition of each kind costs the promised files and lines, and the CLI runs with it.

Each test copies the source tree, adds exactly those files and lines, and starts a process there:
nothing is registered from inside a test.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
ROOMS = ("gx2c", "trainables", "search_spaces", "sweeps", "cluster", "data")
QUICK = "--preset quick --samples 3 --folds 2 --inner-folds 2 --genes 20_var".split()

TOY_MODEL = '''"""A toy: every edge is a share of the mean training edge."""

import numpy as np

from gx2c.models.spec import CLOSED_FORM, ModelSpec


class ToyMean:
    LEARNED = ("level", "genes")

    def __init__(self, *, share=0.5):
        self.share = share

    def fit(self, training, connectome):
        self.level = self.share * connectome[np.triu_indices(len(training), 1)].mean()
        self.genes = training.expression.mean(axis=0)

    def predict(self, regions):
        shown = regions.expression @ self.genes
        return self.level + 1e-3 * np.add.outer(shown, shown)

    def n_parameters(self, n_genes, n_regions):
        return 1 + n_genes


SPECS = (ModelSpec("toy", ToyMean, CLOSED_FORM, summary="A toy", reference="none"),)
'''
TOY_SPACE = '''"""Search space of the toy."""

from search_spaces.space import SearchSpace


def suggest_toy(trial, scale):
    return {"share": trial.suggest_float("share", 0.1, 1.0)}


SPACES = (SearchSpace("toy", suggest_toy),)
'''
TOY_SPLIT = '''"""A toy: regions are held out in slices from back to front."""

import numpy as np


def slices(sites, n_folds, seed):
    order = np.argsort(sites.coords_mm[:, 1], kind="stable")
    return [np.sort(part) for part in np.array_split(order, n_folds)]
'''
TOY_SURROGATE = '''"""A toy: all rows of expression move on by some places."""

import numpy as np

from gx2c.nulls.surrogate import moving_rows


def surrogate(brain, seed, training_regions):
    def indices(first, n):
        places = np.arange(brain.n_regions)
        return np.stack([np.roll(places, seed + k + 1) for k in range(first, first + n)], axis=1)

    return moving_rows("toy", "a toy that moves every row by some places", indices)
'''
TOY_METRIC = '''"""A toy: the largest error."""

import numpy as np


def worst(predicted, measured):
    return float(np.max(np.abs(measured - predicted)))
'''
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

    def add_file(self, path: str, content: str) -> None:
        target = self.root / path
        assert not target.exists()
        target.write_text(content)

    def add_line(self, path: str, line: str, *, after: str) -> None:
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
    copy.add_file("gx2c/models/closed_form/toy.py", TOY_MODEL)
    copy.add_line("gx2c/models/__init__.py", '    "closed_form.toy",', after='"closed_form.cge"')
    copy.add_file("search_spaces/toy.py", TOY_SPACE)
    copy.add_line("search_spaces/__init__.py", '    "toy",', after='"closed_form"')
    assert copy.additions() == {
        "gx2c/models/__init__.py": 1,
        "gx2c/models/closed_form/toy.py": 0,
        "search_spaces/__init__.py": 1,
        "search_spaces/toy.py": 0,
    }
    summary = copy.sweep("toy", "--nulls", "2")
    assert summary["model"] == "toy"
    assert summary["nulls"]["n"] == 2 and summary["nulls"]["search"] == "full"
    assert all(
        fold["best_config"]["hyperparameters"].keys() == {"share"} for fold in summary["folds"]
    )
    (row,) = (r for r in json.loads(copy.gx2c("models", "--json")) if r["name"] == "toy")
    assert row["kind"] == "closed_form" and "share" in row["dimensions"]


@pytest.mark.slow
def test_a_new_split_is_a_file_and_a_row(copy: Copy) -> None:
    table = "gx2c/splits/table.py"
    copy.add_file("gx2c/splits/toy.py", TOY_SPLIT)
    copy.add_line(table, "from gx2c.splits.toy import slices", after="from gx2c.splits.fold")
    row = '    "toy": Splitter(slices, deterministic=True),'
    copy.add_line(table, row, after='"spatial": Splitter')
    assert copy.additions() == {table: 2, "gx2c/splits/toy.py": 0}
    summary = copy.evaluate("--split", "toy", "--surrogate", "moran")
    assert summary["split"] == "toy" and summary["nulls"]["n"] == 2
    with pytest.raises(AssertionError, match="'spatial', 'toy'"):
        copy.gx2c("nulls", "evaluate", "--split", "toys", "--out", str(copy.root / "none"))


@pytest.mark.slow
def test_a_new_surrogate_is_a_file_and_a_row(copy: Copy) -> None:
    table = "gx2c/nulls/table.py"
    copy.add_file("gx2c/nulls/toy.py", TOY_SURROGATE)
    copy.add_line(table, "from gx2c.nulls import toy", after="from gx2c.nulls.surrogate")
    row = '    "toy": SurrogateSpec(toy.surrogate, "nobody", rates=(0.5, 0.5)),'
    copy.add_line(table, row, after='"random": SurrogateSpec')
    assert copy.additions() == {table: 2, "gx2c/nulls/toy.py": 0}
    assert "a toy that moves every row" in copy.gx2c("nulls", "check", "--n", "2")
    nulls = copy.evaluate("--surrogate", "toy")["nulls"]
    assert nulls["method"] == "toy"
    assert "may be too liberal: 50% of unrelated genes" in nulls["caution"]


@pytest.mark.slow
def test_a_new_metric_is_a_file_and_a_row(copy: Copy) -> None:
    table = "gx2c/metrics/table.py"
    copy.add_file("gx2c/metrics/toy.py", TOY_METRIC)
    copy.add_line(table, "from gx2c.metrics.toy import worst", after="from gx2c.metrics import")
    row = '    "toy": Metric(worst, "largest error", larger_is_better=False),'
    copy.add_line(table, row, after='"mae": Metric')
    assert copy.additions() == {table: 2, "gx2c/metrics/toy.py": 0}
    summary = copy.sweep("geography+genes", "--nulls", "2", "--null-method", "moran")
    assert summary["test"]["toy"]["mean"] >= summary["test"]["mae"]["mean"] > 0
    tested = summary["nulls"]["over_geography"]["toy"]
    assert tested["gain"] == pytest.approx(summary["geography"]["gain"]["toy"]["mean"])
    assert "largest error" in (copy.root / "run" / "report.html").read_text()
    assert "toy minus that of geography" in copy.gx2c(
        "compare", str(copy.root / "run"), "--metric", "toy"
    )
