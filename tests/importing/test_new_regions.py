"""Expression of new regions, with places from a table, from known labels, or from nowhere."""

from __future__ import annotations

import numpy as np
import pytest

from gx2c.data import make_synthetic_brain
from gx2c.data.unmeasured import Unmeasured
from gx2c.errors import UserError
from gx2c.importing.new_regions import read_new_regions

N = 12


@pytest.fixture
def brain():
    return make_synthetic_brain(n_regions=N, n_genes=20, seed=0)


@pytest.fixture
def known(brain):
    places = (brain.coords_mm, brain.hemisphere)
    return Unmeasured("known", brain.labels, (), np.empty((N, 0)), *places)


def table(path, labels, brain, *, down=False, cells=None):
    values = brain.expression.astype(object)
    for place, value in (cells or {}).items():
        values[place] = value
    rows, columns = (brain.genes, labels) if down else (labels, brain.genes)
    lines = [["region", *columns]]
    lines += [[name, *row] for name, row in zip(rows, values.T if down else values, strict=True)]
    path.write_text("\n".join("\t".join(map(str, line)) for line in lines))
    return path


@pytest.mark.parametrize("down", [False, True])
def test_known_labels_lie_where_they_lay(down, brain, known, tmp_path):
    path = table(tmp_path / "genes.tsv", brain.labels, brain, down=down)
    found = read_new_regions(path, known=known).regions
    assert (found.name, found.labels, found.genes) == ("genes", brain.labels, brain.genes)
    np.testing.assert_array_equal(found.expression, brain.expression)
    np.testing.assert_array_equal(found.coords_mm, brain.coords_mm)
    np.testing.assert_array_equal(found.hemisphere, brain.hemisphere)


def test_unknown_labels_lie_nowhere_or_in_a_table(brain, known, tmp_path):
    labels = [f"lh_area{k}" for k in range(N)]
    path = table(tmp_path / "genes.tsv", labels, brain)
    nowhere = read_new_regions(path, known=known).regions
    assert nowhere.labels == tuple(labels) and np.isnan(nowhere.coords_mm).all()
    assert not nowhere.hemisphere.any()
    rows = [[label, *map(str, xyz)] for label, xyz in zip(labels, brain.coords_mm, strict=True)]
    places = tmp_path / "regions.tsv"
    places.write_text("\n".join("\t".join(r) for r in [["label", "x", "y", "z"], *rows[::-1]]))
    found = read_new_regions(path, places, known=known).regions
    assert found.labels == tuple(labels[::-1])
    np.testing.assert_array_equal(found.coords_mm, brain.coords_mm[::-1])
    np.testing.assert_array_equal(found.expression, brain.expression[::-1])


def test_a_gene_with_a_gap_is_missing_and_an_empty_region_left_out(brain, known, tmp_path):
    cells = {(3, 4): "n/a", **{(5, k): "n/a" for k in range(20)}}
    path = table(tmp_path / "genes.tsv", brain.labels, brain, cells=cells)
    found = read_new_regions(path, known=known)
    assert len(found.regions.labels) == N - 1 and brain.labels[5] not in found.regions.labels
    assert brain.genes[4] not in found.regions.genes and len(found.regions.genes) == 19
    assert any("are left out: 'GENE5'" in note for note in found.notes)


def test_what_is_no_table_of_genes_is_refused(brain, known, tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("a b\nc d\n")
    with pytest.raises(UserError, match="no column per gene"):
        read_new_regions(path, known=known)
    genes = table(tmp_path / "genes.tsv", brain.labels, brain)
    with pytest.raises(UserError, match="is not a table of regions"):
        read_new_regions(genes, path, known=known)
