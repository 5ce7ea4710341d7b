"""Groups ship whole, GMT files are read, clusters are found in training regions alone."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

from gx2c.data import (
    gene_groups,
    gene_order,
    load_dataset,
    read_gmt,
    resolve_genes,
    select_genes,
)
from gx2c.data.genes import clustered_order
from gx2c.errors import UserError

GMT = "Ast\tNA\tGFAP\tAQP4\nMic\tNA\tCX3CR1\tGFAP\tNOWHERE\t\n"
GENES = ("AQP4", "CX3CR1", "GFAP", "OTHER")


@pytest.fixture
def gmt(tmp_path: Path) -> Path:
    path = tmp_path / "lake.gmt"
    path.write_text(GMT)
    return path


def test_the_shipped_groups_are_whole() -> None:
    sizes = {name: len(symbols) for name, symbols in gene_groups().items()}
    assert sizes == {
        "brain": 2413,
        "layers": 46,
        "neuron": 2530,
        "oligodendrocyte": 1769,
        "synaptome": 1886,
        "all_groups": len(set().union(*gene_groups().values())),
    }
    assert "MBP" in gene_groups()["oligodendrocyte"] and "SNAP25" in gene_groups()["synaptome"]


def test_groups_are_cut_to_the_dataset(caplog: pytest.LogCaptureFixture) -> None:
    brain = load_dataset("schaefer100")
    with caplog.at_level(logging.INFO, "gx2c"):
        layers = resolve_genes("layers", brain.genes)
    assert set(layers) == set(gene_groups()["layers"]) & set(brain.genes)
    assert f"{len(layers)} of 46 genes are in the dataset" in caplog.text


def test_a_gmt_file_gives_all_or_one_of_its_sets(gmt: Path) -> None:
    assert read_gmt(gmt)["Mic"] == ("CX3CR1", "GFAP", "NOWHERE")
    assert resolve_genes(str(gmt), GENES) == ("AQP4", "CX3CR1", "GFAP")
    assert resolve_genes(f"{gmt}#Ast", GENES) == ("AQP4", "GFAP")


def test_rules_and_lists_stay_what_they_are(tmp_path: Path) -> None:
    assert resolve_genes("all", GENES) == "all" and resolve_genes("2_var", GENES) == "2_var"
    path = tmp_path / "mine.txt"
    path.write_text("GFAP\n")
    assert resolve_genes(str(path), GENES) == ("GFAP",)
    path.write_text("GFAP\nNOWHERE\n")
    with pytest.raises(UserError, match="1 of 2 gene symbols are not in the dataset"):
        resolve_genes(str(path), GENES)


def test_a_rule_for_more_genes_than_there_are_takes_all(caplog: pytest.LogCaptureFixture) -> None:
    assert resolve_genes("4_var", GENES) == "4_var" and not caplog.text
    assert resolve_genes("500_var", GENES) == "all"
    assert "the dataset has 4, so all of them are taken" in caplog.text


def test_wrong_choices_are_refused(gmt: Path, tmp_path: Path) -> None:
    for choice, message in {
        f"{gmt}#Oli": "has no set 'Oli'; choose from 'Ast', 'Mic'",
        "neuron": "none of the 2530 genes of 'neuron' is in the dataset",
        str(tmp_path / "no.gmt"): "cannot read the file of gene sets .*No such file",
        "neurons": "cannot read the gene list neurons",
    }.items():
        with pytest.raises(UserError, match=message):
            resolve_genes(choice, GENES)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\n", "are empty"),
        (b"Ast\tNA\n", "'Ast' has no genes"),
        (b"Ast GFAP AQP4\n", "has no genes"),
        (b"A\tx\tG\nA\tx\tH\n", "repeat 'A'"),
        (b"\xff\xfe\x00", "not UTF-8"),
    ],
)
def test_malformed_gene_sets_are_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "bad.gmt"
    path.write_bytes(content)
    with pytest.raises(UserError, match=message):
        read_gmt(path)


def planted_clusters(
    n_clusters: int, size: int, *, seed: int
) -> tuple[np.ndarray, np.ndarray, list[str]]:
    rng = np.random.default_rng(seed)
    cluster = rng.permutation(np.repeat(np.arange(n_clusters), size))
    centres = rng.normal(size=(40, n_clusters))
    scale, shift = rng.uniform(0.1, 9, (2, len(cluster)))
    expression = centres[:, cluster] + 0.1 * rng.normal(size=(40, len(cluster)))
    return cluster, expression * scale + shift, [f"G{i}" for i in rng.permutation(len(cluster))]


@pytest.mark.parametrize("seed", [0, 1, 2, 3])
def test_planted_clusters_are_found(seed: int) -> None:
    cluster, expression, genes = planted_clusters(8, 12, seed=seed)
    order = clustered_order(expression, genes, size=12)
    assert sorted(order.tolist()) == list(range(96))
    for run in np.split(cluster[order], 8):
        assert len(set(run.tolist())) == 1


def test_clusters_do_not_depend_on_the_order_of_genes() -> None:
    _, expression, genes = planted_clusters(5, 10, seed=1)
    moved = np.random.default_rng(0).permutation(50)
    order = clustered_order(expression, genes, size=10)
    again = clustered_order(expression[:, moved], [genes[i] for i in moved], size=10)
    assert [genes[i] for i in order] == [genes[moved[i]] for i in again]


@pytest.mark.parametrize(("n_genes", "size"), [(1, 5), (5, 5), (11, 5), (7, 1), (23, 4)])
def test_any_number_of_genes_is_ordered(n_genes: int, size: int) -> None:
    expression = np.random.default_rng(0).normal(size=(9, n_genes))
    expression[:, 0] = 3.0
    order = clustered_order(expression, [f"G{i}" for i in range(n_genes)], size=size)
    assert sorted(order.tolist()) == list(range(n_genes))


def test_the_order_is_chosen_by_name() -> None:
    cluster, expression, genes = planted_clusters(4, 5, seed=2)
    order = select_genes(expression, genes, order="cluster_5")
    np.testing.assert_array_equal(order, clustered_order(expression, genes, size=5))
    for name in ("cluster_0", "cluster_", "cluster_5_6", "cluster"):
        with pytest.raises(UserError, match=r"no gene order named .* or cluster_<k>"):
            gene_order(name)
