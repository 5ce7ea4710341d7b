"""The command line in this process; nothing here starts Ray."""

from __future__ import annotations

import ast
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from sweep_fixtures import make_brain

import sweeps
from gx2c.data import write_dataset
from gx2c.models import MODELS
from sweeps.cli import app as cli
from sweeps.cli import sweep as sweep_cli
from sweeps.request.table import OPTIONS

SWEEPS = Path(sweeps.__file__).parent


class Finished:
    """What a call of the command line left."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err


@pytest.fixture
def gx2c(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Call `gx2c` in an empty folder."""
    monkeypatch.chdir(tmp_path)
    # the help is formatted for a terminal as wide as this
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("NO_COLOR", "1")

    def call(*arguments: str) -> Finished:
        code = 0
        try:
            cli.main(list(arguments))
        except SystemExit as stop:
            code = int(stop.code or 0)
        return Finished(code, *capfd.readouterr())

    return call


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    return write_dataset(tmp_path / "data-here", make_brain(), {"Name": "tiny", "Summary": "small"})


def test_the_help_names_every_command(gx2c):
    done = gx2c("--help")
    assert done.code == 0
    assert all(
        word in done.out
        for word in ("sweep", "rerun", "report", "compare", "study", "models", "data")
    )


def test_the_help_of_a_sweep_names_every_option_under_its_heading_with_its_default(gx2c):
    lines = gx2c("sweep", "--help").out.splitlines()
    flagged = [one for one in OPTIONS.values() if one.flag]
    headings = [one.group for one in flagged]
    shown = [name for name in dict.fromkeys(headings) if any(f"─ {name} ─" in x for x in lines)]
    assert shown == list(dict.fromkeys(headings))
    options = [line.split()[1].split(",")[0] for line in lines if line.startswith("│ --")]
    own = ["--preset", "--out", "--resume", "--notify", "--from-geneex2conn", "--help"]
    assert options == [*own, *(one.flag for one in flagged)]
    assert sum("[default: " in line for line in lines) == len(flagged) + 4


def test_models_are_listed(gx2c):
    done = gx2c("models")
    assert done.code == 0
    assert all(model in done.out for model in MODELS)


def test_datasets_are_listed_shown_and_checked(gx2c, dataset):
    assert "schaefer100" in gx2c("data", "list").out
    shown = gx2c("data", "show", str(dataset))
    assert (shown.code, "n_regions: 24" in shown.out) == (0, True)
    assert "no problem found" in gx2c("data", "check", str(dataset)).out


@pytest.mark.parametrize(
    ("words", "model"), [((), "geography+smt"), (("--alone",), "smt"), (("--alone", "x"), "smt")]
)
def test_the_script_of_the_smt_sweeps_it_after_geography_or_alone(words, model, monkeypatch):
    called: list[list[str]] = []
    monkeypatch.setattr(cli, "main", called.append)
    monkeypatch.setattr(sys, "argv", ["sweeps/smt.py", "--preset", "quick", *words])
    monkeypatch.setattr(sys, "path", list(sys.path))

    runpy.run_path(str(SWEEPS / "smt.py"), run_name="__main__")

    rest = [word for word in words if word != "--alone"]
    assert called == [["sweep", model, "--preset", "quick", *rest]]
    makefile = (SWEEPS.parent / "Makefile").read_text()
    assert "gx2c sweep geography+smt --preset quick\n" in makefile


SWEEP = ("sweep", "smt", "--preset", "quick", "--out", "run")
BAD_SWEEPS = {
    "model": (("sweep", "smd", "--out", "run"), "no model 'smd'"),
    "dataset": ((*SWEEP, "--dataset", "schaefer9000"), "no dataset named 'schaefer9000'"),
    "dataset is a file": ((*SWEEP, "--dataset", __file__), "this is a file"),
    "split": ((*SWEEP, "--split", "lobes"), "no split 'lobes'"),
    "scheduler": ((*SWEEP, "--scheduler", "hyperband"), "no scheduler 'hyperband'"),
    "preset": ((*SWEEP, "--preset", "quickly"), "no preset 'quickly'"),
    "metric": ((*SWEEP, "--metric", "r2"), "no metric 'r2'"),
    "gene order": ((*SWEEP, "--gene-order", "abc"), "no gene order named 'abc'"),
    "no genes": ((*SWEEP, "--genes", "0_var"), "'0_var' asks for 0"),
    "gene file": ((*SWEEP, "--genes", "none.txt"), "cannot read the gene list none.txt"),
    "gene folder": ((*SWEEP, "--genes", "."), "cannot read the gene list"),
    "one fold": ((*SWEEP, "--folds", "1"), "folds is 1"),
    "many folds": ((*SWEEP, "--folds", "60"), "60 outer folds"),
    "nulls": ((*SWEEP, "--nulls", "-1"), "nulls is -1"),
    "null moves": (
        (*SWEEP, "--null-method", "moran", "--null-moves", "connectome"),
        "moran makes new expression, so it can replace genes only",
    ),
    "nulls without genes": (("sweep", "geography", "--nulls", "5"), "give --nulls 0"),
    "resume of nothing": ((*SWEEP, "--resume"), "contains no sweep"),
    "resume of none": (("sweep", "smt", "--resume"), "no unfinished sweep"),
    "rerun of nothing": (("rerun", "best.yaml", "--out", "again"), "best.yaml cannot be read"),
    "report of nothing": (("report", "run"), "run"),
    "study of nothing": (("study", "run"), "contains no sweep"),
    "check of nothing": (("data", "check", "nowhere"), "no dataset named 'nowhere'"),
    "show of nothing": (("data", "show", "nowhere"), "no dataset named 'nowhere'"),
    "build of nothing": (("data", "build", "mouse"), "no 'mouse' can be built"),
}


@pytest.mark.parametrize("name", BAD_SWEEPS)
def test_a_mistake_is_one_sentence_and_exit_code_2(gx2c, tmp_path, name):
    arguments, words = BAD_SWEEPS[name]
    done = gx2c(*arguments)
    assert done.code == 2
    assert words in done.err
    assert "Traceback" not in done.err + done.out
    # on a slow machine the progress line may have appeared before, any number of times
    text = re.sub(r"^starting \d+:\d\d\n", "", done.err.strip(), flags=re.MULTILINE)
    assert text.startswith("gx2c: ")
    assert "\n" not in text or name == "dataset is a file", "a dataset lists its problems"
    assert not (tmp_path / "run").exists()
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        (*SWEEP, "--folds", "four"),
        (*SWEEP, "--colour", "red"),
        (*SWEEP, "--gpus-per-trial", "half"),
        # the value that stands for auto inside
        (*SWEEP, "--gpus-per-trial", "-1"),
        ("sweep",),
        ("sweeep", "smt"),
        ("rerun", "best.yaml"),
    ],
)
def test_what_is_no_command_line_is_refused_with_usage(gx2c, arguments):
    done = gx2c(*arguments)
    assert done.code == 2
    assert "Usage" in done.err
    assert "Traceback" not in done.err


def test_a_broken_dataset_lists_every_problem(gx2c, dataset):
    regions = dataset / "regions.tsv"
    lines = regions.read_text().splitlines()
    regions.write_text("\n".join([lines[0], lines[2], *lines[2:]]) + "\n")
    (dataset / "expression.parquet").write_bytes(b"nonsense")
    done = gx2c("data", "check", str(dataset))
    assert done.code == 2
    assert len(re.findall(r"^  - ", done.err, flags=re.MULTILINE)) >= 2
    assert "expression.parquet" in done.err and "regions.tsv" in done.err
    assert "Traceback" not in done.err
    # and no sweep begins on it
    assert gx2c(*SWEEP, "--dataset", str(dataset)).code == 2


def test_a_sweep_script_is_the_same_command(tmp_path):
    done = subprocess.run(
        [sys.executable, str(SWEEPS / "model.py"), "xgboost", "--preset", "quick", "--folds", "1"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(map(str, [SWEEPS.parent]))},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("gx2c: --folds is 1")


@pytest.mark.parametrize("script", ["smt.py", "model.py"])
def test_a_script_takes_its_own_folder_off_the_path(script):
    """Else `report`, `search` and the other rooms would be modules of their own."""
    code = f"import runpy, sys; runpy.run_path({str(SWEEPS / script)!r}); print(sys.path)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=SWEEPS,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(map(str, [SWEEPS, SWEEPS.parent]))},
        capture_output=True,
        text=True,
        check=True,
    )
    assert str(SWEEPS) not in ast.literal_eval(done.stdout)
    assert "" not in ast.literal_eval(done.stdout)


def test_resume_takes_the_latest_unfinished_run_of_the_same_kind(tmp_path, monkeypatch):
    from sweeps.folder.paths import SweepPaths
    from sweeps.request.options import make_options

    monkeypatch.chdir(tmp_path)
    stem = "smt-schaefer100-bilateral"
    for stamp, finished in (("20260101-000000", False), ("20260102-000000", True)):
        paths = SweepPaths(Path("runs") / f"{stem}-{stamp}")
        paths.root.mkdir(parents=True)
        paths.sweep.write_text("")
        if finished:
            paths.summary.write_text("{}")
    options = make_options("smt", preset="quick")
    assert sweep_cli._run_folder(options, resume=True).name == f"{stem}-20260101-000000"
    assert sweep_cli._run_folder(options, resume=False).name.startswith(stem)
    assert not sweep_cli._run_folder(options, resume=False).exists()
