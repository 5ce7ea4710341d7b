"""Sweeps of synthetic brains: planted effects get their grade, and false grades are counted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from gx2c.calibration.brains import CLOSED_FORMS, FIELDS, NETWORKS, Cell
from gx2c.errors import UserError
from sweeps.run.grading import GradeRow, cortex_of, grade_brains, grade_rates

TABLE = Path(__file__).parents[3] / "docs/grades.tsv"
# Of real places: those of a symmetric cortex have other fields on other processors, since
# covariances with equal eigenvalues have many roots
NONE = Cell("none", "patches", "mni", 1, True, 99)
GENES = Cell("genes", "geodesic", "sphere", 1, False, 99, 1.0)
TINY = {"preset": "quick", "folds": 2, "inner_folds": 2, "samples": 4, "nulls": 19, "ensemble": "2"}


def test_planted_effects_are_graded_and_a_table_goes_on_where_it_ended(tmp_path):
    out = tmp_path / "a.tsv"
    asked = {"seed": 1, "cells": [(GENES, 1), (NONE, 2)], **TINY}
    whole = grade_brains(out, "geography+genes", **asked)
    assert whole["grade"][1:].max() <= NONE.highest
    assert whole["grade"][0] in (3, 4)
    assert whole.loc[0, "bound"] > 0
    assert whole.loc[0, ["hungarian", "random_field"]].max() <= 0.05
    written = out.read_bytes()
    lines = written.splitlines(keepends=True)
    out.write_bytes(b"".join(lines[:1] + lines[2:]))
    grade_brains(out, "geography+genes", **asked)
    assert out.read_bytes() == written


def test_the_committed_table_is_what_the_command_gives(tmp_path):
    found = grade_brains(tmp_path / "a.tsv", "geography+genes", cells=[(CLOSED_FORMS[0][0], 1)])
    committed = pd.read_csv(TABLE, sep="\t")
    # another kind of processor may choose another of two equal configs
    pd.testing.assert_frame_equal(found, committed.head(1), check_dtype=False, atol=0.02)


def test_rates_have_exact_intervals_that_are_simultaneous_over_cells():
    cells = [cell for cell, _ in CLOSED_FORMS if cell.effect == "none"][:2]
    hits = {cells[0].name: 4, cells[1].name: 0}
    rows = [
        GradeRow("m", name, k, 3 if k < n else 1, 3, *[0.5] * 7)
        for name, n in hits.items()
        for k in range(17)
    ]
    found = {row["cell"]: row for row in grade_rates(pd.DataFrame(rows))}
    # the cell with the smaller p is corrected for both
    for (name, n), level in zip(hits.items(), (1 - 0.05 / 2, 0.95), strict=True):
        expected = binomtest(n, 17).proportion_ci(level)
        assert (found[name]["low"], found[name]["high"]) == tuple(expected)
    pooled = found["none: all"]
    assert (pooled["n"], pooled["brains"]) == (4, 34)
    assert (pooled["low"], pooled["high"]) == tuple(binomtest(4, 34).proportion_ci())


def test_cells_are_as_many_as_announced():
    null = [(cell, n) for cell, n in CLOSED_FORMS if cell.effect == "none"]
    assert (len(null), sum(n for _, n in null)) == (12, 200)
    assert sum(n for _, n in NETWORKS) == 100
    assert {cell.connectome for cell, _ in null} == set(FIELDS)
    assert len({cell.name for cell, _ in null}) == len(null)


@pytest.mark.parametrize("n_regions", [99, 200])
def test_genes_enter_the_connectome_by_their_share_alone(n_regions):
    cortex = cortex_of(n_regions)
    none, other, genes = (
        cortex.make(cell, 0, seed=1)
        for cell in (
            Cell("none", "lengths", "mni", 2, False, n_regions),
            Cell("none", "lengths", "sphere", 3, True, n_regions),
            Cell("genes", "lengths", "mni", 2, False, n_regions, 0.5),
        )
    )
    assert none.n_regions == n_regions
    np.testing.assert_array_equal(none.connectome, other.connectome)
    assert not np.array_equal(none.expression, other.expression)
    np.testing.assert_array_equal(none.expression, genes.expression)
    assert not np.array_equal(none.connectome, genes.connectome)


def test_a_model_without_geography_is_refused(tmp_path):
    with pytest.raises(UserError, match="not adjusted for geography"):
        grade_brains(tmp_path / "a.tsv", "kernel_ridge")
