"""Break a valid dataset in one way; the message must name what is wrong."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from dataset_editing import Rows, rewrite_expression, rewrite_table

from gx2c.data import check_dataset, describe_dataset, load_dataset
from gx2c.errors import DataError, UserError

Break = Callable[[Path], object]


def main_relmat(folder: Path) -> Path:
    return next(folder.glob("*cohort-main*_relmat.tsv"))


def cell(file: str, line: int, column: str, value: str) -> Break:
    def edit(rows: Rows) -> Rows:
        rows[line][rows[0].index(column)] = value
        return rows

    return lambda folder: rewrite_table(folder / file, edit)


def relmat(edit: Callable[[Rows], Rows]) -> Break:
    return lambda folder: rewrite_table(main_relmat(folder), edit)


def relmat_cell(value: str, *places: tuple[int, int]) -> Break:
    def edit(rows: Rows) -> Rows:
        for row, column in places:
            rows[row][column] = value
        return rows

    return relmat(edit)


def table(file: str, edit: Callable[[Rows], Rows]) -> Break:
    return lambda folder: rewrite_table(folder / file, edit)


def expression(edit: Callable[[pd.DataFrame], pd.DataFrame]) -> Break:
    return lambda folder: rewrite_expression(folder, edit)


def write(file: str, content: bytes) -> Break:
    return lambda folder: (folder / file).write_bytes(content)


def truncate(file: str, keep: float) -> Break:
    def edit(folder: Path) -> None:
        content = (folder / file).read_bytes()
        (folder / file).write_bytes(content[: int(keep * len(content))])

    return edit


def without_column(column: str) -> Callable[[Rows], Rows]:
    def edit(rows: Rows) -> Rows:
        at = rows[0].index(column)
        return [row[:at] + row[at + 1 :] for row in rows]

    return edit


def repeated_gene_columns(folder: Path) -> None:
    table = pq.read_table(folder / "expression.parquet")
    names = ["GENE1" if name == "GENE2" else name for name in table.column_names]
    pq.write_table(pa.table(table.columns, names=names), folder / "expression.parquet")


def second_connectome(folder: Path) -> None:
    path = main_relmat(folder)
    other = path.with_name(path.name.replace("seg-small", "seg-other"))
    other.write_bytes(path.read_bytes())
    other.with_suffix(".json").write_bytes(path.with_suffix(".json").read_bytes())


def folder_instead(folder: Path) -> None:
    (folder / "regions.tsv").unlink()
    (folder / "regions.tsv").mkdir()


REGIONS, GENES = "regions.tsv", "genes.tsv"
PARQUET, JSON = "expression.parquet", "dataset_description.json"

BREAKS: dict[str, tuple[Break, str]] = {
    "no expression": (lambda f: (f / PARQUET).unlink(), "expression.parquet is missing"),
    "no regions": (lambda f: (f / REGIONS).unlink(), "regions.tsv is missing"),
    "no genes": (lambda f: (f / GENES).unlink(), "genes.tsv is missing"),
    "no description": (lambda f: (f / JSON).unlink(), "dataset_description.json is missing"),
    "no connectome": (lambda f: main_relmat(f).unlink(), "there is no connectome"),
    "no sidecar": (lambda f: main_relmat(f).with_suffix(".json").unlink(), "_relmat.json is miss"),
    "two connectomes": (second_connectome, "2 files for one connectome"),
    "a folder for a file": (folder_instead, "regions.tsv cannot be read: it is a folder"),
    "empty regions": (write(REGIONS, b""), "regions.tsv is empty"),
    "empty genes": (write(GENES, b" \n"), "genes.tsv is empty"),
    "empty expression": (write(PARQUET, b""), "not a whole Parquet file"),
    "empty connectome": (lambda f: main_relmat(f).write_bytes(b""), "_relmat.tsv is empty"),
    "truncated expression": (truncate(PARQUET, 0.6), "not a whole Parquet file"),
    "CSV as Parquet": (write(PARQUET, b"label,GENE1\na,1\n"), "not a whole Parquet file"),
    "regions not UTF-8": (write(REGIONS, "label\té".encode("latin-1")), "regions.tsv is not UTF-8"),
    "regions in UTF-16": (
        lambda f: (f / REGIONS).write_text((f / REGIONS).read_text(), encoding="utf-16"),
        "regions.tsv is not UTF-8",
    ),
    "description not JSON": (write(JSON, b"{"), "is not valid JSON"),
    "description a list": (write(JSON, b"[]"), "holds a list; a JSON object is needed"),
    "description without name": (write(JSON, b"{}"), "has no 'Name'"),
    "deep JSON": (write(JSON, b"[" * 100_000), "is not valid JSON"),
    "sidecar not JSON": (
        lambda f: main_relmat(f).with_suffix(".json").write_text("nope"),
        "_relmat.json is not valid JSON",
    ),
    "directed": (
        lambda f: main_relmat(f).with_suffix(".json").write_text('{"Directed": true}'),
        "declares a directed connectome",
    ),
    "commas": (
        lambda f: (f / REGIONS).write_text((f / REGIONS).read_text().replace("\t", ",")),
        "not separated by tabs",
    ),
    "header only": (table(REGIONS, lambda rows: rows[:1]), "a header and no rows"),
    "no hemisphere": (table(REGIONS, without_column("hemisphere")), "no column 'hemisphere'"),
    "no z": (table(REGIONS, without_column("z_mni_mm")), "no column 'z_mni_mm'"),
    "no tss": (table(GENES, without_column("tss")), "genes.tsv has no column 'tss'"),
    "part of a sphere": (table(REGIONS, without_column("z_sphere_mm")), "give all three or none"),
    "columns repeat": (
        table(REGIONS, lambda rows: [[*row, row[1]] for row in rows]),
        "columns that repeat: 'hemisphere'",
    ),
    "ragged": (
        table(REGIONS, lambda rows: [*rows[:3], rows[3][:-1], *rows[4:]]),
        "number of cells than its header's 9: '4'",
    ),
    "rows repeat": (
        table(REGIONS, lambda rows: [*rows, rows[1]]),
        "regions.tsv has regions that repeat: 'synthetic_LH_1'",
    ),
    "one region less": (
        table(REGIONS, lambda rows: rows[:-1]),
        "1 region(s) that regions.tsv lacks: 'synthetic_RH_6'",
    ),
    "region renamed": (
        expression(lambda frame: frame.rename(index={"synthetic_LH_1": "V1"})),
        "expression.parquet has 1 region(s) that regions.tsv lacks: 'V1'",
    ),
    "labels by number": (expression(lambda frame: frame.reset_index(drop=True)), "no column 'labe"),
    "expression rows repeat": (
        expression(lambda frame: pd.concat([frame, frame.iloc[:1]])),
        "expression.parquet has regions that repeat",
    ),
    "hemisphere left": (cell(REGIONS, 1, "hemisphere", "left"), "'left' is none of L, R, B"),
    "hemisphere wrong": (cell(REGIONS, 1, "hemisphere", "R"), "contradicts the label"),
    "x is text": (cell(REGIONS, 2, "x_mni_mm", "abc"), "'abc (line 3)' is no number"),
    "x with a comma": (cell(REGIONS, 2, "x_mni_mm", "1,5"), "'1,5 (line 3)' is no number"),
    "x missing": (cell(REGIONS, 2, "x_mni_mm", "n/a"), "coordinates are not finite in regions"),
    "x infinite": (cell(REGIONS, 2, "x_mni_mm", "inf"), "coordinates are not finite in regions"),
    "x far away": (cell(REGIONS, 2, "y_mni_mm", "900"), "coordinates reach 900"),
    "sphere off": (cell(REGIONS, 1, "x_sphere_mm", "500"), "project them to one radius"),
    "too few with expression": (
        expression(lambda frame: frame.iloc[:7].reindex(frame.index)),
        "7 usable regions; at least 8",
    ),
    "partly missing expression": (
        expression(lambda frame: frame.where(frame != frame.iloc[3, 2])),
        "1 values that are not finite, in regions 'synthetic_LH_4'",
    ),
    "expression of text": (
        expression(lambda frame: frame.astype({"GENE2": "str"})),
        "columns 'GENE2' hold no numbers",
    ),
    "expression of booleans": (
        expression(lambda frame: frame.astype({"GENE2": "bool"})),
        "columns 'GENE2' hold no numbers",
    ),
    "gene columns repeat": (repeated_gene_columns, "gene symbols repeat: 'GENE1'"),
    "a gene less": (
        expression(lambda frame: frame.drop(columns="GENE3")),
        "genes.tsv has 1 gene(s) that expression.parquet lacks: 'GENE3'",
    ),
    "a gene more": (
        expression(lambda frame: frame.assign(GENE7=frame["GENE1"])),
        "genes.tsv lacks 1 gene(s) of expression.parquet: 'GENE7'",
    ),
    "gene rows repeat": (table(GENES, lambda rows: [*rows, rows[1]]), "genes that repeat"),
    "chromosome 23": (cell(GENES, 1, "chromosome", "23"), "'23' is none of 1 to 22"),
    "chromosome chr1": (cell(GENES, 1, "chromosome", "chr1"), "'chr1' is none of 1 to 22"),
    "tss text": (cell(GENES, 1, "tss", "chr1:5"), "column tss: 'chr1:5 (line 2)' is no number"),
    "tss zero": (cell(GENES, 1, "tss", "0"), "a transcription start from 1 on"),
    "tss alone": (cell(GENES, 1, "chromosome", "n/a"), "give both, or n/a for both"),
    "asymmetric": (relmat_cell("0.123", (1, 3)), "connectome is not symmetric"),
    "not Pearson": (relmat_cell("1.7", (1, 3), (4, 0)), "values up to 1.7"),
    "missing pair": (relmat_cell("n/a", (1, 3), (4, 0)), "off the diagonal that are not finite"),
    "connectome text": (relmat_cell("high", (1, 3)), "holds something that is not a number"),
    "connectome row missing": (relmat(lambda rows: rows[:-1]), "12 columns and 11 rows"),
    "connectome without header": (relmat(lambda rows: rows[1:]), "12 columns and 11 rows"),
    "connectome of others": (
        relmat(lambda rows: [["V1", *rows[0][1:]], *rows[1:]]),
        "lacks 1 region(s) of regions.tsv",
    ),
    "connectome constant": (
        relmat(lambda rows: [rows[0], *[["0.5"] * 12 for _ in rows[1:]]]),
        "the same value for every pair",
    ),
}


@pytest.mark.parametrize("what", BREAKS)
def test_a_malformed_dataset_is_refused_in_words(small_folder: Path, what: str) -> None:
    break_it, expected = BREAKS[what]
    break_it(small_folder)
    with pytest.raises(DataError) as refused:
        load_dataset(small_folder)
    assert any(expected in problem for problem in refused.value.problems), refused.value.problems
    assert set(refused.value.problems) <= set(check_dataset(small_folder))
    with pytest.raises(DataError):
        describe_dataset(small_folder)


COMBINATIONS = [
    ("no regions", "asymmetric", "truncated expression"),
    ("no description", "hemisphere left", "chromosome 23", "not Pearson"),
    ("no genes", "x far away", "partly missing expression"),
    ("two connectomes", "tss zero", "expression of text"),
    ("no connectome", "no hemisphere", "a gene less"),
]


@pytest.mark.parametrize("several", COMBINATIONS, ids=" + ".join)
def test_all_problems_are_listed_at_once(small_folder: Path, several: tuple[str, ...]) -> None:
    for what in several:
        BREAKS[what][0](small_folder)
    with pytest.raises(DataError) as refused:
        load_dataset(small_folder)
    for what in several:
        expected = BREAKS[what][1]
        assert any(expected in problem for problem in refused.value.problems), (
            what,
            refused.value.problems,
        )


def test_what_a_folder_lacks_is_all_listed(tmp_path: Path) -> None:
    (tmp_path / JSON).write_text('{"Name": "x"}')
    (tmp_path / GENES).write_text("gene\n")
    with pytest.raises(DataError) as refused:
        load_dataset(tmp_path)
    assert len(refused.value.problems) == 4


def test_a_folder_of_other_files_points_to_the_import(tmp_path: Path) -> None:
    (tmp_path / "fc.csv").write_text("1,0\n0,1\n")
    with pytest.raises(UserError, match=r"holds no dataset; gx2c data import .* --out FOLDER"):
        load_dataset(tmp_path)


@pytest.mark.parametrize("seed", range(40))
def test_damaged_bytes_never_raise_anything_else(small_folder: Path, seed: int) -> None:
    damage = random.Random(seed)
    path = damage.choice(sorted(small_folder.iterdir()))
    content = bytearray(path.read_bytes())
    for _ in range(damage.randrange(1, 30)):
        content[damage.randrange(len(content))] = damage.randrange(256)
    path.write_bytes(bytes(content))
    try:
        load_dataset(small_folder)
    except DataError as refused:
        assert refused.problems
