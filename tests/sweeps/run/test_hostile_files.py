"""What people and programs may put in the place of a file ends in one sentence, at once."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from serial_sweep import exit_code_of
from sweep_fixtures import make_brain, make_plan, search_and_retrain

from gx2c.data import load_dataset, write_dataset
from gx2c.files import ordinary
from sweeps.folder.paths import SweepPaths
from sweeps.request.files import write_request
from sweeps.run.best_file import write_best

# a pipe that is opened would wait without end
pytestmark = pytest.mark.timeout(120)
HUGE = 10**13


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    """A folder with one good file of each kind that people write."""
    root = tmp_path_factory.mktemp("whole")
    dataset = write_dataset(root / "data", make_brain(), {"Name": "tiny"})
    plan = make_plan("geography", brain=load_dataset(dataset), dataset=str(dataset), nulls=0)
    paths = SweepPaths(root / "run")
    write_request(paths, plan)
    (root / "genes.txt").write_text("\n".join(plan.brain.genes))
    (root / "vectors.tsv").write_text("a\tb\n")
    (root / "import.yaml").write_text("expression: x.csv\n")
    (root / "table.csv").write_text("a,b\n1,2\n")
    (root / "cluster.yaml").write_text("cluster_name: x\n")
    return root


# a file -> the command that reads it
READERS: dict[str, list[str]] = {
    "data/regions.tsv": ["data", "check", "data"],
    "data/expression.parquet": ["data", "check", "data"],
    "data/dataset_description.json": ["data", "check", "data"],
    "run/sweep.yaml": ["status", "run"],
    "run/folds.json": ["status", "run"],
    "run/best.yaml": ["rerun", "run/best.yaml", "--out", "again"],
    "run/summary.json": ["report", "run"],
    "genes.txt": "sweep geography --dataset data --genes genes.txt --out new".split(),
    "vectors.tsv": "sweep genevec_self --dataset data --gene-vectors vectors.tsv --out new".split(),
    "import.yaml": "data import import.yaml --out new".split(),
    "table.csv": "data import table.csv --connectome table.csv --out new".split(),
    "table.npy": "data import table.npy --connectome table.npy --out new".split(),
    "cluster.yaml": ["cluster", "check", "cluster.yaml"],
    "models.yaml": "sweep mlp,smt --resume --out .".split(),
}


def refused(file: str, capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    code = exit_code_of(*READERS[file])
    error = capsys.readouterr().err
    assert code == 2 and "Traceback" not in error, error[-500:]
    return error


def pipe(path: Path) -> None:
    os.mkfifo(path)


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def loop(path: Path) -> None:
    path.symlink_to(path.name)


def huge(path: Path) -> None:
    with path.open("wb") as stream:
        stream.truncate(HUGE)


def folder(path: Path) -> None:
    path.mkdir()


# a folder and a loop need no reader's care: to open them fails at once
@pytest.mark.parametrize("thing", [pipe, huge])
@pytest.mark.parametrize("file", READERS)
def test_what_cannot_be_read_to_its_end_is_refused(
    file, thing, whole, tmp_path, monkeypatch, capsys
):
    copy_of(whole, tmp_path)
    monkeypatch.chdir(tmp_path)
    (tmp_path / file).unlink(missing_ok=True)
    thing(tmp_path / file)
    assert Path(file).name in refused(file, capsys)


@pytest.mark.parametrize("thing", [pipe, device, loop, huge, folder])
def test_what_is_no_ordinary_file_passes_no_door(thing, tmp_path):
    path = tmp_path / "x.tsv"
    thing(path)
    with pytest.raises(OSError) as refusal:
        ordinary(path)
    assert refusal.value.strerror
    (tmp_path / "good.tsv").write_text("a")
    assert ordinary(tmp_path / "good.tsv") == tmp_path / "good.tsv"


@pytest.mark.parametrize(
    ("name", "most"), [("a.yaml", 20e6), ("a.json", 200e6), ("a.parquet", 16e9), ("a.tsv", 2e9)]
)
def test_a_file_is_read_up_to_the_stated_size(name, most, tmp_path):
    path = tmp_path / name
    for extra in (0, 1):
        with path.open("wb") as stream:
            stream.truncate(int(most) + extra)
        with pytest.raises(OSError, match="at most") if extra else contextlib.nullcontext():
            ordinary(path)


def copy_of(whole: Path, to: Path) -> None:
    shutil.copytree(whole, to, dirs_exist_ok=True)


TEXTS = {
    "tag": "!!python/object/apply:os.system [true]",
    "date": "a: 2024-13-45",
    "brackets": "a: " + "[" * 500,
    "digits": "a: " + "9" * 6_000,
    "bytes": "a: \0",
    "list": "[1, 2]",
    "nothing": "",
}


@pytest.mark.parametrize("file", [f for f in READERS if f.endswith((".yaml", ".json"))])
def test_a_text_that_yaml_or_json_cannot_read_is_a_sentence(
    file, whole, tmp_path, monkeypatch, capsys
):
    copy_of(whole, tmp_path)
    monkeypatch.chdir(tmp_path)
    for text in TEXTS.values():
        content = text.removeprefix("a: ") if file.endswith("json") else text
        (tmp_path / file).write_text(content)
        refused(file, capsys)


@pytest.mark.parametrize(
    "command",
    [
        "sweep geography --dataset {}",
        "sweep geography --dataset data --out {}",
        "sweep geography --dataset data --storage {} --out new",
        "sweep geography --dataset data --genes {}",
        "rerun {} --out new",
        "report {}",
        "status {}",
        "compare {}",
        "fetch {} --out new",
        "data check {}",
        "cluster check {}",
    ],
)
def test_a_path_that_cannot_be_is_a_sentence(command, whole, tmp_path, monkeypatch, capsys):
    copy_of(whole, tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sweeps.run.sweep.ray_session", lambda **_: 1 / 0)
    for path in ("n" * 300, "x/" * 3_000, "table.csv/x"):
        code = exit_code_of(*(word.format(path) for word in command.split()))
        error = capsys.readouterr().err
        assert code == 2 and "Traceback" not in error, error[-500:]


@pytest.mark.parametrize("command", ["data check {}", "fetch {} --out new"])
def test_a_user_who_does_not_exist_is_a_sentence(command, capsys):
    assert exit_code_of(*command.format("~nobody-at-all/x").split()) == 2
    assert "no such user" in capsys.readouterr().err


@pytest.mark.parametrize("key", ["threads", "seed", "blocks"])
def test_a_number_beyond_range_in_a_best_file_is_a_sentence(
    key, whole, tmp_path, monkeypatch, capsys
):
    plan = make_plan("geography", nulls=0, samples=1)
    paths = SweepPaths(tmp_path / "run")
    write_best(paths, plan, search_and_retrain(plan, paths))
    best = yaml.safe_load(paths.best.read_text())
    best.pop("sha256", None)
    if key == "threads":
        best["profile"]["threads"] = 10**12
    if key == "seed":
        best["jobs"][0]["seed"] = 2**200
    if key == "blocks":
        best["folds"][0]["blocks"] = [2**80] * len(best["folds"][0]["test_regions"])
    paths.best.write_text(yaml.safe_dump(best))
    assert exit_code_of("rerun", str(paths.best), "--out", str(tmp_path / "new")) == 2
    error = capsys.readouterr().err
    assert key in error and "Traceback" not in error


def npy(shape: str, kind: str = "<f8") -> bytes:
    header = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}".encode()
    header += b" " * (64 - (len(header) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + b"\0" * 64


@pytest.mark.parametrize(
    "content",
    [
        npy("(1000000000000, 1000000)"),
        npy("('a', 2)"),
        npy("5"),
        npy("(3, 3)", "<M8[ns]"),
        npy("(-1, 3)"),
        npy("(2, 2, 2)"),
        b"\x93NUMPY\x09\x00",
    ],
)
def test_a_header_of_numpy_that_lies_is_a_sentence(content, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "table.npy").write_bytes(content)
    (tmp_path / "table.csv").write_text("label\nA\nB\n")
    refused("table.npy", capsys)


def labels_that_are_bytes(path: Path) -> None:
    frame = pd.read_parquet(path)
    frame.index = pd.Index([b"\xff\xfe" + bytes([i]) for i in range(len(frame))], name="label")
    frame.to_parquet(path)


def labels_far_in_time(path: Path) -> None:
    table = pq.read_table(path)
    name = next(n for n in ("label", "__index_level_0__") if n in table.column_names)
    at, far = table.column_names.index(name), np.full(len(table), 2**62)
    table = table.set_column(at, "label", pa.array(far, pa.timestamp("us")))
    pq.write_table(table.replace_schema_metadata(None), path)


def undecodable_labels(path: Path) -> None:
    table = pq.read_table(path)
    name = next(n for n in ("label", "__index_level_0__") if n in table.column_names)
    raw = pa.array([b"\xff\xfe" + bytes([i]) for i in range(len(table))], pa.binary())
    at = table.column_names.index(name)
    text = pa.StringArray.from_buffers(len(raw), raw.buffers()[1], raw.buffers()[2])
    table = table.set_column(at, "label", text)
    pq.write_table(table.replace_schema_metadata(None), path)


def far_more_rows(path: Path) -> None:
    # encoded as runs, the file stays small
    labels = pa.array(["a"] * 1_000_001).dictionary_encode()
    pq.write_table(pa.table({"label": labels, "G": np.zeros(1_000_001)}), path)


@pytest.mark.parametrize(
    "spoil", [labels_that_are_bytes, labels_far_in_time, undecodable_labels, far_more_rows]
)
def test_a_parquet_that_nobody_meant_is_a_sentence(
    spoil: Callable[[Path], None], whole, tmp_path, monkeypatch, capsys
):
    copy_of(whole, tmp_path)
    monkeypatch.chdir(tmp_path)
    spoil(tmp_path / "data" / "expression.parquet")
    assert "expression.parquet" in refused("data/expression.parquet", capsys)


@pytest.mark.parametrize("command", ["data list", "--help"])
def test_output_to_a_full_device_is_a_sentence(command, monkeypatch, capsys):
    with open("/dev/full", "w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        assert exit_code_of(*command.split()) == 2
    error = capsys.readouterr().err
    assert "No space left" in error and len(error.splitlines()) == 1


def test_a_full_device_is_met_once():
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "sweeps.cli.app", "--version"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[3],
            timeout=120,
        )
    assert done.returncode == 2 and done.stderr.count("\n") == 1, done.stderr
