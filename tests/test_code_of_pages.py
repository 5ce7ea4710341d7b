"""Every block of code and commands on a page runs, or states why no test runs it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pages import PAGES, ROOT, Block, blocks_of, name_of

from gx2c.data import load_dataset, make_synthetic_brain, write_dataset

SMALL_GX2C = Path(__file__).with_name("small_gx2c.py")
PATIENCE_S = 900.0
# How many blocks no test runs, by reason; a new block runs, or something else leaves the list
NOT_RUN = {
    # tests/cluster runs the commands of cluster/a100.yaml on two nodes of this machine
    "needs a cluster": 6,
    "needs the network": 3,
    # tests/test_fresh_clone.py runs the first
    "CI runs it": 4,
    "takes hours": 4,
}
# The site runs these
NOTEBOOK = "{code-cell}"
COMMAND = re.compile(r"^(gx2c|python|pip|make|source|git|ray (up|submit|job|exec)) ", re.MULTILINE)


def is_python(block: Block) -> bool:
    return block.language == "python" and block.reason is None


def is_shell(block: Block) -> bool:
    return block.language in ("bash", "") and bool(block.commands) and block.reason is None


SHELL = [page for page in PAGES if any(map(is_shell, blocks_of(page)))]


def write_tables(folder: Path) -> None:
    """Write the expression and places of some regions, as tables of a user."""
    brain = load_dataset("schaefer100")
    genes = pd.DataFrame(brain.expression, brain.labels, brain.genes)
    genes.to_csv(folder / "genes.tsv", sep="\t")
    regions = pd.DataFrame(brain.coords_mm, brain.labels, ["x", "y", "z"])
    regions.to_csv(folder / "regions.tsv", sep="\t", index_label="label")


def write_my_files(folder: Path, name: str = "my-files") -> None:
    """Write a folder that can be imported; Python on the page of own data makes the same."""
    code = next(b.code for b in blocks_of(ROOT / "docs/own_data.md") if b.language == "python")
    subprocess.run([sys.executable, "-c", code], cwd=folder, env=environment(folder), check=True)
    (folder / "my-files").rename(folder / name)


def write_my_brain(folder: Path) -> None:
    brain = make_synthetic_brain(n_regions=32, n_genes=40, seed=3)
    write_dataset(folder / "my-brain", brain, {"Name": "my-brain"})


def write_cluster(folder: Path) -> None:
    """Copy the cluster files with their placeholders filled in."""
    shutil.copytree(ROOT / "cluster", folder / "cluster")
    for path in folder.glob("cluster/*.yaml"):
        filled = path.read_text().replace("YOUR-", "my-").replace("ami-0000", "ami-0123")
        path.write_text(filled)


def write_expression(folder: Path) -> None:
    """Write what the importer reads of a folder of `gx2c data ahba`, and a connectome."""
    brain = load_dataset("schaefer100")
    labels = pd.Index(brain.labels, name="label")
    (folder / "expression").mkdir()
    genes = pd.DataFrame(brain.expression, labels, brain.genes)
    genes.iloc[:, :500].to_parquet(folder / "expression/expression.parquet")
    regions = pd.DataFrame(brain.coords_mm, labels, ["x", "y", "z"])
    regions.to_csv(folder / "expression/regions.tsv", sep="\t")
    connectome = pd.DataFrame(brain.connectome, labels, labels)
    connectome.to_csv(folder / "my-connectome.csv")


def write_sets(folder: Path) -> None:
    genes = load_dataset("schaefer100").genes
    (folder / "my-sets.gmt").write_text("\t".join(["half", "", *genes[::2]]) + "\n")


def write_environment(folder: Path) -> None:
    (folder / ".venv/bin").mkdir(parents=True)
    (folder / ".venv/bin/activate").touch()


# What the commands of a page need: folders with copies of finished runs, by model, and files
RUNS = {
    "README.md": {"runs/NAME": "smt", "runs/A": "smt", "runs/B": "cge"},
    "docs/after.md": {"runs/smt_schaefer100": "smt"},
    "docs/inspect.md": {"RUN": "smt"},
    "docs/gallery.md": {"RUN": "smt"},
    "docs/howto.md": {"RUN": "smt"},
}
FILES: dict[str, tuple[Callable[[Path], object], ...]] = {
    "README.md": (
        write_cluster,
        lambda folder: shutil.copytree(ROOT / "data/schaefer100", folder / "FILE"),
    ),
    "cluster/README.md": (write_cluster,),
    "data/README.md": (write_my_brain,),
    "docs/after.md": (write_tables,),
    "docs/ahba.md": (write_expression,),
    "docs/data.md": (lambda folder: write_my_files(folder, "FOLDER"), write_my_files),
    "docs/howto.md": (write_cluster,),
    "docs/nulls.md": (lambda folder: (folder / "docs").mkdir(),),
    "docs/on_a_cluster.md": (write_cluster,),
    "docs/start.md": (write_environment,),
    "docs/which_genes.md": (write_sets,),
}


# Pages whose Python needs no more than gx2c
PYTHON = [
    page
    for page in PAGES
    if any(map(is_python, blocks_of(page)))
    and not any("runs/" in block.code for block in blocks_of(page) if block.language == "python")
]


def environment(folder: Path) -> dict[str, str]:
    """Return the environment of a shell in which `gx2c` is small and pip installs nothing."""
    programs = folder / ".programs"
    programs.mkdir(exist_ok=True)
    commands = {"gx2c": f'exec "{sys.executable}" "{SMALL_GX2C}" "$@"', "pip": "true"}
    for name, command in commands.items():
        (programs / name).write_text(f"#!/bin/sh\n{command}\n")
        (programs / name).chmod(0o755)
    ours = {
        "PATH": os.pathsep.join([str(programs), str(Path(sys.executable).parent), os.defpath]),
        # tests/sweeps has what small_gx2c.py imports
        "PYTHONPATH": os.pathsep.join(
            [str(ROOT), str(ROOT / "tests/sweeps"), os.environ.get("PYTHONPATH", "")]
        ),
        "GX2C_CACHE": str(folder / ".cache"),
        # results are those of a machine without a GPU
        "CUDA_VISIBLE_DEVICES": "",
    }
    return {k: v for k, v in os.environ.items() if k != "RAY_ADDRESS"} | ours


def run_in_shell(code: str, folder: Path) -> None:
    """Run commands as a reader pastes them; the first that fails ends them."""
    command = ["bash", "-euo", "pipefail", "-c", code]
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment(folder),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 0, f"{code}\n{done.stdout[-2000:]}{done.stderr[-3000:]}"


def run_python(block: Block, names: dict[str, Any]) -> None:
    exec(compile(block.code, f"{name_of(block.page)}:{block.line}", "exec"), names)


@pytest.fixture(scope="module")
def finished_run(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return what sweeps a model once for all pages that look at a run."""
    folder = tmp_path_factory.mktemp("runs")

    @cache
    def run_of(model: str) -> Path:
        run_in_shell(f"gx2c sweep {model} --out {model}", folder)
        return folder / model

    return run_of


@pytest.mark.parametrize("page", PYTHON, ids=name_of)
def test_python_runs_and_prints_what_is_stated(
    page: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"__name__": "__main__"}

    for block in blocks_of(page):
        if is_python(block):
            run_python(block, names)
            printed = capsys.readouterr().out
            assert block.printed in (None, printed)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("page", SHELL, ids=name_of)
def test_commands_run(
    page: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    finished_run: Callable[[str], Path],
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"__name__": "__main__"}
    for name, model in RUNS.get(name_of(page), {}).items():
        shutil.copytree(finished_run(model), tmp_path / name)
    for write in FILES.get(name_of(page), ()):
        write(tmp_path)

    for block in blocks_of(page):
        if is_python(block):
            run_python(block, names)
        elif is_shell(block):
            run_in_shell(block.commands, tmp_path)


def test_the_blocks_that_do_not_run_are_counted() -> None:
    marked = [block for page in PAGES for block in blocks_of(page) if block.reason]

    assert Counter(block.reason for block in marked) == NOT_RUN
    assert all(block.commands for block in marked)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_commands_are_marked_as_such(page: Path) -> None:
    blocks = blocks_of(page)

    assert {block.language for block in blocks} <= {"", "bash", "python", "diff", "yaml", NOTEBOOK}
    for block in blocks:
        if not block.language:
            assert not COMMAND.search(block.code), f"{name_of(page)}:{block.line} is bash"
    assert page.read_text(encoding="utf-8").count("```") == 2 * len(blocks)
