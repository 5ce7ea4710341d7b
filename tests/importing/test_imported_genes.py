"""Columns of genes: repeated, missing, and damaged by spreadsheets."""

from __future__ import annotations

import numpy as np
import pytest

from gx2c.errors import UserError
from gx2c.importing.genes import clean_genes, date_gene


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
