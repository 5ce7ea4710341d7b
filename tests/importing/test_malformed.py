"""Malformed files of each kind: one sentence that names the fault and the remedy, never a trace."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
import pandas as pd
import pytest
from world import World, square

from sweeps.cli.app import main

JUNK = bytes(range(128, 256)) * 4


@pytest.fixture
def folder(world: World, raw: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    square(world.connectome, world.labels).to_csv(raw / "fc.csv")
    square(world.counts, world.labels).to_csv(raw / "o.csv")
    world.regions().to_csv(raw / "regions.csv", index=False)
    world.frame().to_csv(raw / "expression.csv")
    monkeypatch.chdir(raw)
    return raw


def run(*words: str) -> object:
    with pytest.raises(SystemExit) as ended:
        main(["data", "import", *words])
    return ended.value.code


def edit(name: str, change: Callable[[pd.DataFrame], pd.DataFrame]) -> Callable[[], None]:
    def do() -> None:
        change(pd.read_csv(name, index_col=0)).to_csv(name)

    return do


def write(name: str, content: bytes) -> Callable[[], None]:
    return lambda: Path(name).write_bytes(content) and None


def save(name: str, array: np.ndarray) -> Callable[[], None]:
    return lambda: np.save(name, array)


def put(row: int, column: int, value: object) -> Callable[[pd.DataFrame], pd.DataFrame]:
    def change(table: pd.DataFrame) -> pd.DataFrame:
        table = table.astype(object)
        table.iloc[row, column] = value
        return table

    return change


def rename(names: list[str]) -> Callable[[pd.DataFrame], pd.DataFrame]:
    return lambda table: table.set_axis(names + list(table.index[len(names) :]))


def without_labels() -> None:
    np.savetxt("fc.csv", pd.read_csv("fc.csv", index_col=0).to_numpy(), delimiter=",")
    Path("labels.txt").write_text("a\nb\nc\nd")


def image(values: np.ndarray) -> Callable[[], None]:
    return lambda: nibabel.save(nibabel.Nifti1Image(values, np.eye(4)), "a.nii.gz")


CONNECTOME, EXPRESSION = ["--connectome", "fc.csv"], ["--expression", "expression.csv"]
REFUSED: dict[str, tuple[Callable[[], None], list[str], str]] = {
    "empty": (write("fc.csv", b""), CONNECTOME, "fc.csv is not a square matrix: it is empty"),
    "page": (write("fc.csv", b"<html>404</html>"), [], r"square matrix in fc.csv \(it has 1 rows"),
    "cell": (edit("fc.csv", put(3, 4, "oops")), [], "'oops' in row 5, column 6 is no number"),
    "given": (edit("fc.csv", put(3, 4, "x")), CONNECTOME, "'x' in row 5, column 6 is no number"),
    "thousands": (edit("fc.csv", put(0, 1, "1,000")), [], "'1,000' in row 2, column 3"),
    "short": (edit("fc.csv", lambda t: t.iloc[:-1]), CONNECTOME, "it has 31 rows and 32 columns"),
    "twice": (edit("fc.csv", rename(["LH_Vis_2"])), [], "several rows are named 'LH_Vis_2'"),
    "other": (edit("fc.csv", rename(["LH_x"])), [], "rows and columns name other regions, 'LH_V"),
    "lopsided": (edit("fc.csv", put(2, 5, 0.9)), [], "fc.csv is not symmetric: 0.9 and"),
    "text": (write("fc.npy", b"\x93NUMPY"), ["--connectome", "fc.npy"], "fc.npy cannot be read"),
    "axes": (save("fc.npy", np.zeros((9, 9, 9, 9))), ["--connectome", "fc.npy"], "array of shape"),
    "cut": (write("fc.xlsx", b"PK\3\4"), ["--connectome", "fc.xlsx"], "fc.xlsx cannot be read"),
    "old": (write("fc.xls", JUNK), ["--connectome", "fc.xls"], "save it as CSV or .xlsx"),
    "level": (edit("expression.csv", put(3, 3, "low")), EXPRESSION, "'low' in row 5, column 5"),
    "rows": (edit("expression.csv", rename(["LH_Vis_2"])), EXPRESSION, "several rows are named"),
    "axis": (edit("regions.csv", put(4, 2, "abc")), [], "column x: 'abc' is no number; correct"),
    "names": (edit("regions.csv", lambda t: pd.concat([t, t])), [], "lead to none"),
    "labels": (without_labels, ["--labels", "labels.txt"], r"labels.txt \(4 labels for 32 rows\)"),
    "counts": (edit("o.csv", lambda t: -t), ["--structural", "o.csv"], "no value above 0"),
    "holdout": (lambda: None, ["--holdout", "o.csv"], "give the file as --structural"),
    "measure": (edit("o.csv", lambda t: t * np.nan), ["--measure", "MEG=o.csv"], "measure MEG has"),
    "flat": (edit("o.csv", lambda t: t * 0), ["--measure", "MEG=o.csv"], "same value for every"),
    "taken": (lambda: None, ["--measure", "functional=o.csv"], "a name that gx2c uses itself"),
    "again": (lambda: None, ["--measure", "A=o.csv", "--measure", "A=fc.csv"], "comes twice"),
    "people": (save("p.npy", np.zeros((5, 9))), ["--individuals", "p.npy"], "array of shape"),
    "nii": (write("a.nii", JUNK), ["--atlas", "a.nii"], "a.nii cannot be read"),
    "gz": (write("a.nii.gz", JUNK), ["--atlas", "a.nii.gz"], "a.nii.gz cannot be read"),
    "dlabel": (write("a.dlabel.nii", JUNK), ["--atlas", "a.dlabel.nii"], "cannot be read"),
    "gifti": (write("lh.label.gii", JUNK), ["--atlas", "lh.label.gii"], "cannot be read"),
    "half": (write("lh.a.annot", JUNK), ["--atlas", "lh.a.annot"], "labels one hemisphere"),
    "surface": (write("lh.pial", JUNK), ["--atlas", "lh.pial"], "lh.pial is no atlas"),
    "name": (lambda: None, ["--atlas", "schaefer250"], "there is no atlas schaefer250: neither"),
    "zeros": (image(np.zeros((5, 5, 5), np.int16)), ["--atlas", "a.nii.gz"], "numbers no region"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_a_malformed_file_is_one_sentence(
    folder: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    damage, words, said = REFUSED[name]
    damage()
    assert run(".", *words, "--out", "../out") == 2
    err = capsys.readouterr().err
    assert err.startswith("gx2c: ") and "Traceback" not in err and "Warning" not in err
    assert re.search(said, " ".join(err.split())), err
    assert not Path("../out").exists()


def test_a_malformed_file_beside_the_others_is_named_and_stops_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ["a.nii", "a.nii.gz", "a.dlabel.nii", "lh.a.annot", "lh.pial", "x.mat", "x.parquet"]
    for name in [*names, "x.csv", "lh.surf.gii", "x.xlsx"]:
        (folder / name).write_bytes(JUNK)
    os.mkfifo(folder / "pipe.csv")
    (folder / "link.csv").symlink_to("nowhere")
    assert run(".", "--structural", "o.csv", "--out", "../out") == 0
    told = capsys.readouterr().out
    assert all(f"{name} cannot be read" in told or f"{name} is not used" in told for name in names)
    assert "32 usable regions, 12 genes" in told


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("paths: [", "cannot be read"),
        ("- 1", "repeats no import"),
        ("paths: [fc.csv]\ncolour: red", "repeats no import"),
        ("paths: 5", "import.yaml, paths: 5 cannot be"),
        ("paths: [fc.csv, 3]", "import.yaml, paths: "),
        ("paths: [fc.csv]\nby_position: maybe", "by_position: 'maybe' cannot be"),
        ("paths: [fc.csv]\nsurfaces: lh.gii", "surfaces: 'lh.gii' cannot be"),
    ],
)
def test_a_malformed_recipe_is_one_sentence(
    folder: Path, capsys: pytest.CaptureFixture[str], text: str, said: str
) -> None:
    (folder / "import.yaml").write_text(text)
    assert run("import.yaml", "--out", "../out") == 2
    assert said in capsys.readouterr().err
