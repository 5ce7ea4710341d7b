"""Connectomes of single people: where their edges stand, and what is drawn of them."""

from __future__ import annotations

import dataclasses
from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from gx2c.data import check_dataset, load_dataset, make_synthetic_brain, take_regions, write_dataset
from gx2c.data.individuals import Individuals, edge_columns
from gx2c.errors import DataError


@pytest.fixture(scope="module")
def brain():
    return make_synthetic_brain(n_regions=12, n_genes=4, seed=2, n_subjects=5)


def matrix_of(brain, subject):
    """Return one person's connectome by a direct loop."""
    matrix = np.full((brain.n_regions, brain.n_regions), np.nan)
    edges = brain.individual_connectomes[subject]
    for value, (i, j) in zip(edges, combinations(range(brain.n_regions), 2), strict=True):
        matrix[i, j] = matrix[j, i] = value
    return matrix


def test_columns_are_those_of_the_upper_triangle():
    rows = np.array([4, 0, 6])
    pairs = list(combinations(range(7), 2))
    found = edge_columns(7, rows)
    for a, i in enumerate(rows):
        for b, j in enumerate(rows):
            if a != b:
                assert pairs[found[a, b]] == (min(i, j), max(i, j))


def test_taking_regions_takes_their_edges(brain):
    rows = np.array([9, 2, 5, 0, 11, 3, 7, 1])
    part = take_regions(brain, rows)
    for subject in range(5):
        expected = matrix_of(brain, subject)[np.ix_(rows, rows)]
        np.testing.assert_array_equal(matrix_of(part, subject), expected)


def test_one_person_is_drawn_whole(brain):
    rows = np.array([1, 4, 6, 8, 10])
    people = Individuals(brain.individual_connectomes, 12, rows)
    positions = np.array([3, 0, 4])
    drawn = {people.draw_one(positions, np.random.default_rng(s)).tobytes() for s in range(40)}
    regions = rows[positions]
    expected = {matrix_of(brain, s)[np.ix_(regions, regions)].tobytes() for s in range(5)}
    assert drawn == expected


def test_each_edge_may_be_of_another_person(brain):
    rows = np.arange(12)
    people = Individuals(brain.individual_connectomes, 12, rows)
    found = people.draw_each_edge(rows, np.random.default_rng(0))
    np.testing.assert_array_equal(found, found.T)
    everyone = np.stack([matrix_of(brain, s) for s in range(5)])
    owners = [
        {s for s in range(5) if np.array_equal(everyone[s, i, j], found[i, j], equal_nan=True)}
        for i, j in combinations(range(12), 2)
    ]
    assert all(owners), "every edge is somebody's"
    assert not set.intersection(*owners), "no single person has them all"


def test_a_written_dataset_is_read_back(brain, tmp_path):
    folder = write_dataset(tmp_path / "people", brain, {"Name": "people"})
    assert check_dataset(folder) == []
    loaded = load_dataset(folder)
    np.testing.assert_array_equal(loaded.individual_connectomes, brain.individual_connectomes)


def test_edges_may_be_named_either_way_and_in_any_order(brain, tmp_path):
    folder = write_dataset(tmp_path / "people", brain, {"Name": "people"})
    before = load_dataset(folder).checksum
    path = folder / "individual_connectomes.parquet"
    table = pd.read_parquet(path)
    assert table.index.name == "label"
    table.columns = ["--".join(name.split("--")[::-1]) for name in table.columns]
    table[table.columns[::-1]].to_parquet(path)
    loaded = load_dataset(folder)
    np.testing.assert_array_equal(loaded.individual_connectomes, brain.individual_connectomes)
    assert loaded.checksum != before


def test_a_region_without_expression_leaves_individuals_too(brain, tmp_path):
    folder = write_dataset(tmp_path / "people", brain, {"Name": "people"})
    path = folder / "expression.parquet"
    table = pd.read_parquet(path)
    table.iloc[4] = np.nan
    table.to_parquet(path)
    loaded = load_dataset(folder)
    kept = np.delete(np.arange(12), 4)
    expected = take_regions(brain, kept).individual_connectomes
    np.testing.assert_array_equal(loaded.individual_connectomes, expected)


def test_a_missing_edge_is_named(brain, tmp_path):
    folder = write_dataset(tmp_path / "people", brain, {"Name": "people"})
    path = folder / "individual_connectomes.parquet"
    pd.read_parquet(path).iloc[:, 1:].to_parquet(path)
    with pytest.raises(DataError, match="lacks the columns of 1 edges: 'synthetic_LH_1--synthetic"):
        load_dataset(folder)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda e: e[:, 1:], "have 65 edges; 12 regions need 66"),
        (lambda e: 3 * e, r"beyond \[-1, 1\]"),
        (lambda e: np.where(np.arange(5)[:, None] == 1, np.nan, e), "1 individual connectome"),
        (lambda e: e[:0], "of nobody"),
        (lambda e: e[0], "no .n_subjects, n_edges. array"),
    ],
)
def test_individuals_that_cannot_be_are_refused(brain, change, words):
    with pytest.raises(DataError, match=words):
        dataclasses.replace(brain, individual_connectomes=change(brain.individual_connectomes))
