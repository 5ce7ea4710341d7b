"""Tables of numbers beside a dataset: read, matched to regions or genes, and part of the data."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from gx2c.data import BrainView, make_synthetic_brain
from gx2c.data.gene_sets import gene_groups
from gx2c.data.side_files import read_side_table
from gx2c.errors import UserError


@pytest.fixture(scope="module")
def brain():
    return make_synthetic_brain(n_regions=40, n_genes=30, seed=2)


def write(path, names, values, columns=None):
    columns = columns or [f"d{k}" for k in range(values.shape[1])]
    lines = ["name," + ",".join(columns)]
    rows = zip(names, values.tolist(), strict=True)
    lines += [f"{name}," + ",".join(map(repr, row)) for name, row in rows]
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def test_embeddings_stand_in_the_place_of_expression(brain, tmp_path):
    values = np.random.default_rng(0).standard_normal((41, 5))
    order = np.random.default_rng(1).permutation(41)
    names = np.array([*brain.labels, "elsewhere"])
    path = write(tmp_path / "e.csv", names[order], values[order])
    found = BrainView(embeddings=path).of(brain)
    np.testing.assert_array_equal(found.expression, values[:40])
    assert found.genes == ("d0", "d1", "d2", "d3", "d4")
    np.testing.assert_array_equal(found.connectome, brain.connectome)


def test_vectors_follow_their_genes(brain, tmp_path):
    values = np.arange(60.0).reshape(20, 3)
    path = write(tmp_path / "v.csv", [*brain.genes[25:4:-1]][:20], values)
    found = BrainView(gene_vectors=path).of(brain)
    assert found.genes == brain.genes[6:26]
    np.testing.assert_array_equal(found.gene_vectors, values[::-1])
    np.testing.assert_array_equal(found.expression, brain.expression[:, 6:26])


def test_another_file_is_other_data(brain, tmp_path):
    """Resuming and rerunning compare checksums, so that they need the same file."""
    values = np.ones((40, 2))
    path = write(tmp_path / "e.csv", brain.labels, values)
    one = BrainView(embeddings=path).of(brain).checksum
    assert one == BrainView(embeddings=path).of(brain).checksum != brain.checksum
    values[3, 1] = 2
    write(tmp_path / "e.csv", brain.labels, values)
    assert BrainView(embeddings=path).of(brain).checksum != one


def test_shipped_groups_are_memberships(brain):
    groups = gene_groups()
    others = set(groups["oligodendrocyte"]) - set(groups["neuron"])
    symbols = [*sorted(groups["neuron"])[:15], *sorted(others)[:14], "NOGENE"]
    named = dataclasses.replace(brain, genes=tuple(symbols))
    found = BrainView(gene_vectors="groups").of(named)
    assert found.genes == tuple(symbols[:-1])
    assert set(np.unique(found.gene_vectors)) == {0.0, 1.0}
    assert (found.gene_vectors.sum(axis=1) >= 1).all()
    assert found.gene_vectors[:15].sum(axis=0).max() == 15


def test_sets_of_a_gmt_file_are_memberships(brain, tmp_path):
    path = tmp_path / "cells.gmt"
    first, second, third = brain.genes[:3]
    path.write_text(f"Ast\tNA\t{first}\t{third}\t\nOli\tNA\t{second}\t{third}\tNOGENE\n")
    found = BrainView(gene_vectors=str(path)).of(brain)
    assert found.genes == (first, second, third)
    np.testing.assert_array_equal(found.gene_vectors, [[1, 0], [0, 1], [1, 1]])
    path.write_text(f"Ast\tNA\t{first}\t{third}\nOPC\tNA\t{second}\t{third}\n")
    assert BrainView(gene_vectors=str(path)).of(brain).checksum != found.checksum
    path.write_text("Ast\n")
    with pytest.raises(UserError, match="has no genes"):
        BrainView(gene_vectors=str(path)).of(brain)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("name,a\nx,1\nx,2\n", "repeats 'x'"),
        ("name,a\nx,1\ny,much\n", "row 'y', column 'a' is not a finite number"),
        ("name,a\nx,1\ny,inf\n", "row 'y'"),
        ("name\nx\n", "holds no numbers"),
        ("", "is not a table"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path, content, message):
    path = tmp_path / "t.csv"
    path.write_text(content)
    with pytest.raises(UserError, match=message):
        read_side_table(path)


def test_files_that_do_not_match_are_refused(brain, tmp_path):
    path = write(tmp_path / "t.csv", ["x", "y"], np.ones((2, 2)))
    with pytest.raises(UserError, match="no row for 40 of 40 regions"):
        BrainView(embeddings=path).of(brain)
    with pytest.raises(UserError, match="rows for 0 of 30 genes"):
        BrainView(gene_vectors=path).of(brain)
    with pytest.raises(UserError, match="cannot read .*No such file"):
        BrainView(embeddings=str(tmp_path / "none.tsv")).of(brain)
    with pytest.raises(UserError, match=r"give a file in \.csv or \.tsv"):
        read_side_table(tmp_path / "t.npy")
