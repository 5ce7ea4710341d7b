"""Every format of a table gives the same numbers and labels."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.io
from world import World, assert_same, imported, square, zero_diagonal

from gx2c.errors import UserError
from gx2c.importing.files import list_files, parse_text, read_sheets

Write = Callable[[pd.DataFrame, Path], None]


def as_text(ending: str, **keywords: object) -> tuple[str, Write]:
    return ending, lambda frame, path: frame.to_csv(path, **keywords)  # type: ignore[call-overload]


def with_bom_and_crlf(frame: pd.DataFrame, path: Path) -> None:
    path.write_bytes(b"\xef\xbb\xbf" + frame.to_csv().replace("\n", "\r\n").encode())


def as_utf16(frame: pd.DataFrame, path: Path) -> None:
    path.write_text(frame.to_csv(sep="\t"), encoding="utf-16")


def as_r_writes(frame: pd.DataFrame, path: Path) -> None:
    """Write a header without a name of the index, as write.table does."""
    path.write_text(frame.to_csv(sep=" ").replace(" ", "", 1).replace(" ", "\t"))


FORMATS: dict[str, tuple[str, Write]] = {
    "comma": as_text(".csv"),
    "tab": as_text(".tsv", sep="\t"),
    "semicolon": as_text(".csv", sep=";"),
    "semicolon and decimal comma": as_text(".csv", sep=";", decimal=","),
    "tab and decimal comma": as_text(".txt", sep="\t", decimal=","),
    "byte order mark and CRLF": (".csv", with_bom_and_crlf),
    "UTF-16": (".txt", as_utf16),
    "R": (".txt", as_r_writes),
    "Excel": (".xlsx", lambda frame, path: frame.to_excel(path)),
    "Parquet": (".parquet", lambda frame, path: frame.to_parquet(path)),
    "Parquet with a column of labels": (
        ".parquet",
        lambda frame, path: frame.rename_axis("region").reset_index().to_parquet(path),
    ),
}


@pytest.mark.parametrize("name", FORMATS)
def test_a_table_is_read_whatever_its_format(world: World, raw: Path, name: str) -> None:
    ending, write = FORMATS[name]
    write(square(world.connectome, world.labels), raw / f"fc{ending}")
    write(world.frame(), raw / f"genes{ending}")
    world.regions().to_csv(raw / "regions.csv", index=False)
    brain, _ = imported(raw)
    assert_same(brain, world)
    assert brain.n_genes == 12 and brain.network == world.network


HEADS: dict[str, Callable[[pd.DataFrame], str]] = {
    "header and index": lambda f: f.to_csv(),
    "header": lambda f: f.to_csv(index=False),
    "index": lambda f: f.to_csv(header=False),
    "positions on top": lambda f: f.to_csv(index=False, header=[str(i) for i in range(len(f))]),
    "positions at both": lambda f: pd.DataFrame(f.to_numpy()).to_csv(),
    "neither": lambda f: f.to_csv(index=False, header=False),
}


@pytest.mark.parametrize("head", HEADS)
def test_a_matrix_is_named_by_itself_or_by_a_list(world: World, raw: Path, head: str) -> None:
    (raw / "fc.csv").write_text(HEADS[head](square(world.connectome, world.labels)))
    if "positions" in head or head == "neither":
        (raw / "labels.csv").write_text(",".join(world.labels))
    world.regions().sample(frac=1, random_state=1).to_csv(raw / "regions.csv", index=False)
    brain, _ = imported(raw)
    assert_same(brain, world)
    assert brain.labels == world.labels


def write_mat5(path: Path, world: World) -> None:
    names = np.array(world.labels, dtype=object)
    scipy.io.savemat(path, {"FC": world.connectome, "labels": names, "SC": world.counts})


def write_mat73(path: Path, world: World) -> None:
    with h5py.File(path, "w", userblock_size=512) as file:
        # MATLAB stores columns first, and text as numbers of two bytes
        for name, matrix in (("FC", world.connectome), ("SC", world.counts)):
            file.create_dataset(name, data=matrix.T).attrs["MATLAB_class"] = np.bytes_("double")
        references = []
        for i, label in enumerate(world.labels):
            text = np.array([[ord(letter)] for letter in label], dtype=np.uint16)
            item = file.create_dataset(f"#refs#/{i}", data=text)
            item.attrs["MATLAB_class"] = np.bytes_("char")
            item.attrs["MATLAB_int_decode"] = 2
            references.append(item.ref)
        cells = file.create_dataset("labels", data=np.array([references], dtype=h5py.ref_dtype))
        cells.attrs["MATLAB_class"] = np.bytes_("cell")
    with path.open("r+b") as whole:
        head = b"MATLAB 7.3 MAT-file".ljust(124) + bytes.fromhex("0002") + b"IM"
        whole.write(head)


@pytest.mark.parametrize("write", [write_mat5, write_mat73])
def test_matlab_files_of_both_versions(
    world: World, raw: Path, write: Callable[[Path, World], None]
) -> None:
    write(raw / "data.mat", world)
    world.regions().to_csv(raw / "regions.csv", index=False)
    brain, made = imported(raw)
    assert_same(brain, world)
    counts = np.log1p(world.counts)
    assert brain.structural_connectome is not None
    np.testing.assert_allclose(brain.structural_connectome, counts / counts.max(), atol=1e-9)
    assert any("counts; weights are log(1 + count)" in note for note in made.draft.notes)


def test_dsi_studio_names_parcels_by_bytes(world: World, raw: Path) -> None:
    text = "\n".join(f"atlas-4S_dseg_{i + 1}" for i in range(32)) + "\n"
    names = np.frombuffer(text.encode() + b"\0", dtype=np.uint8)
    single = world.counts.astype(np.float32)
    scipy.io.savemat(raw / "x_count.mat", {"connectivity": single, "name": names[None]})
    square(world.connectome, world.labels).to_csv(raw / "fc.csv")
    world.regions().assign(id=range(1, 33)).to_csv(raw / "regions.csv", index=False)
    brain, made = imported(raw)
    assert brain.structural_connectome is not None
    counts = np.log1p(world.counts)
    np.testing.assert_allclose(brain.structural_connectome, counts / counts.max(), rtol=1e-6)
    assert "x_count.mat:connectivity: ids of regions.csv name its rows" in made.draft.notes


def test_numpy_arrays_take_a_list_of_labels(world: World, raw: Path) -> None:
    np.save(raw / "fc.npy", world.connectome)
    np.savetxt(raw / "sc.txt", world.counts)
    (raw / "names.txt").write_text("\n".join(world.labels) + "\n")
    world.regions().to_excel(raw / "regions.xlsx", index=False)
    brain, _ = imported(raw)
    assert_same(brain, world)
    assert brain.structural_connectome is not None


def test_files_of_macos_and_hidden_ones_are_not_looked_at(world: World, raw: Path) -> None:
    square(world.connectome, world.labels).to_csv(raw / "fc.csv")
    (raw / "._fc.csv").write_bytes(b"\0\5\26\7" * 20)
    (raw / ".cache").mkdir()
    (raw / ".cache" / "other.csv").write_text("1,2\n")
    assert [path.name for path in list_files([raw])] == ["fc.csv"]


def test_an_undamaged_cell_that_is_empty_is_a_missing_value() -> None:
    rows = parse_text("label;a;b\nx;1,5;\ny;2,5;3\n")
    assert rows == [["label", "a", "b"], ["x", "1.5", ""], ["y", "2.5", "3"]]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("fc.mat", b"MATLAB 5.0 MAT-file" + b"\0" * 200, "fc.mat cannot be read"),
        ("fc.xlsx", b"PK\3\4nothing", "fc.xlsx cannot be read"),
        ("fc.npy", b"\x93NUMPY\1\0", "fc.npy cannot be read"),
        ("fc.parquet", b"PAR1", "fc.parquet cannot be read"),
    ],
)
def test_a_broken_file_is_named(raw: Path, name: str, content: bytes, words: str) -> None:
    (raw / name).write_bytes(content)
    with pytest.raises(UserError, match=words):
        read_sheets(raw / name)


def test_a_pickled_array_is_not_opened(raw: Path) -> None:
    np.save(raw / "map.npy", np.array({(0, 1): 0}, dtype=object))
    with pytest.raises(UserError, match=r"map.npy cannot be read.*allow_pickle"):
        read_sheets(raw / "map.npy")


@pytest.mark.parametrize(
    ("package", "name"),
    [("openpyxl", "regions.xlsx"), ("pymatreader", "x.mat")],
)
def test_a_missing_package_is_named(
    world: World, raw: Path, monkeypatch: pytest.MonkeyPatch, package: str, name: str
) -> None:
    world.regions().to_excel(raw / "regions.xlsx", index=False)
    scipy.io.savemat(raw / "x.mat", {"connectivity": world.connectome})
    for one in [one for one in sys.modules if one.split(".")[0] == "pymatreader"]:
        monkeypatch.delitem(sys.modules, one)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(
        UserError, match=rf"{package}, which is not installed; pip install 'gx2c\[data\]'"
    ):
        read_sheets(raw / name)


def test_a_whole_matrix_is_compared_not_its_diagonal(world: World, raw: Path) -> None:
    square(zero_diagonal(world.connectome), world.labels).to_csv(raw / "fc.csv")
    world.regions().to_csv(raw / "regions.csv", index=False)
    assert np.diagonal(imported(raw)[0].connectome).tolist() == [1.0] * 32
