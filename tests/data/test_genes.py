from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gx2c.data import count_genes, read_gene_list, select_genes
from gx2c.data.brain import FloatArray
from gx2c.data.gene_starts import CHROMOSOMES, chromosome_and_tss, genome_position
from gx2c.errors import UserError

GENES = ("BETA", "ALPHA", "GAMMA", "DELTA", "EPSILON")
# Spreads 4, 1, 3, 0, 2 and means 10, 30, 20, 50, 40: no two orders agree
SPREAD = np.array([4.0, 1.0, 3.0, 0.0, 2.0])
MEAN = np.array([10.0, 30.0, 20.0, 50.0, 40.0])
# BETA and EPSILON are on no known chromosome; MT comes after X, and X after 9
TSS = np.array(
    [
        np.nan,
        genome_position("MT", 5),
        genome_position("9", 140_000_000),
        genome_position("X", 10),
        np.nan,
    ]
)


@pytest.fixture
def training() -> FloatArray:
    pattern = np.array([-1.0, 1.0, -1.0, 1.0])[:, None]
    return MEAN + SPREAD * pattern


def chosen(indices: np.ndarray) -> list[str]:
    return [GENES[i] for i in indices.tolist()]


def test_tss_order_is_chromosome_major_and_unknown_last(training: FloatArray) -> None:
    found = select_genes(training, GENES, tss=TSS, order="tss")
    assert chosen(found) == ["GAMMA", "DELTA", "ALPHA", "BETA", "EPSILON"]
    assert chosen(select_genes(training, GENES, tss=None, order="tss")) == sorted(GENES)


def test_expression_order_is_ascending_mean(training: FloatArray) -> None:
    found = select_genes(training, GENES, tss=TSS, order="expression")
    assert chosen(found) == ["BETA", "GAMMA", "ALPHA", "EPSILON", "DELTA"]


def test_random_order_follows_its_seed(training: FloatArray) -> None:
    orders = [
        chosen(select_genes(training, GENES, tss=TSS, order="random", seed=s)) for s in (1, 1, 2, 3)
    ]
    assert orders[0] == orders[1]
    assert len({tuple(order) for order in orders}) > 1
    assert sorted(orders[0]) == sorted(GENES)


def test_the_most_variable_genes_are_chosen_then_ordered(training: FloatArray) -> None:
    found = select_genes(training, GENES, tss=TSS, which="2_var", order="expression")
    assert chosen(found) == ["BETA", "GAMMA"]
    assert chosen(select_genes(training, GENES, tss=TSS, which="3_var")) == [
        "GAMMA",
        "BETA",
        "EPSILON",
    ]


def test_symbols_are_chosen_in_the_order_asked_for(training: FloatArray) -> None:
    found = select_genes(training, GENES, tss=TSS, which=("BETA", "ALPHA"), order="tss")
    assert chosen(found) == ["ALPHA", "BETA"]


def test_selection_sees_training_regions_only(training: FloatArray) -> None:
    np.testing.assert_array_equal(
        select_genes(training, GENES, tss=TSS, which="2_var"),
        select_genes(training[::-1] * 1.0, GENES, tss=TSS, which="2_var"),
    )
    changed = training.copy()
    changed[0, 3] = 1e6
    assert chosen(select_genes(changed, GENES, tss=TSS, which="1_var")) == ["DELTA"]


@pytest.mark.parametrize(
    ("which", "message"),
    [
        ("6_var", "asks for 6; the dataset has 5"),
        ("0_var", "asks for 0"),
        ("many", "'many' is no choice; give 'all', '<N>_var'"),
        ("-1_var", "is no choice"),
        (("ALPHA", "ZETA"), r"1 of 2 gene symbols are not in the dataset \(ZETA\)"),
        (tuple("UVWXYZ"), r"6 of 6 gene symbols are not in the dataset \(U, V, W, X, Y, …\)"),
        ((), "empty or repeats"),
        (("ALPHA", "ALPHA"), "empty or repeats"),
    ],
)
def test_wrong_choices_are_refused(
    training: FloatArray, which: str | tuple[str, ...], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        select_genes(training, GENES, tss=TSS, which=which)
    with pytest.raises(UserError, match=message):
        count_genes(which, GENES)


def test_an_unknown_order_is_refused(training: FloatArray) -> None:
    with pytest.raises(UserError, match=r"no gene order named 'kmeans'.*expression.*random.*tss"):
        select_genes(training, GENES, tss=TSS, order="kmeans")


def test_a_gene_list_is_read(tmp_path: Path) -> None:
    path = tmp_path / "genes.txt"
    path.write_text("# my genes\nALPHA\n\nBETA # second\n")
    assert read_gene_list(path) == ("ALPHA", "BETA")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"# only\n", "is empty"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (b"ALPHA, BETA\n", "write one symbol per line"),
        (b"ALPHA\nALPHA\n", "repeats 'ALPHA'"),
    ],
)
def test_a_malformed_gene_list_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "genes.txt"
    path.write_bytes(content)
    with pytest.raises(UserError, match=message):
        read_gene_list(path)
    with pytest.raises(UserError, match="cannot read the gene list"):
        read_gene_list(tmp_path / "missing.txt")


def test_genome_positions_are_ordered_and_undone() -> None:
    positions = [genome_position(chromosome, 248_000_000) for chromosome in CHROMOSOMES]
    assert positions == sorted(positions)
    assert genome_position("2", 1) > genome_position("1", 248_956_422)
    assert [chromosome_and_tss(p) for p in positions] == [(c, 248_000_000) for c in CHROMOSOMES]
    assert np.isnan(genome_position("Un", 5))
