"""Connectomes and scores of nulls come back as they were written, or are refused by name."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from gx2c.errors import UserError
from sweeps.folder.paths import SweepPaths
from sweeps.folder.results import (
    read_connectome,
    read_null_scores,
    write_connectome,
    write_null_scores,
)

# what pandas would take for missing, a number or a quoted cell is a name like any other
LABELS = ("NA", "12", 'a "b"')


def test_a_connectome_comes_back_to_eight_digits_without_its_diagonal(tmp_path):
    values = np.random.default_rng(0).uniform(-1, 1, (3, 3))
    path = tmp_path / "fold_00" / "x_relmat.tsv"
    write_connectome(path, LABELS, values)
    labels, read = read_connectome(path)
    assert labels == LABELS
    off = ~np.eye(3, dtype=bool)
    np.testing.assert_allclose(read[off], values[off], rtol=1e-8)
    assert np.isnan(np.diagonal(read)).all()


@pytest.mark.parametrize("text", [None, "", "region\ta\tb\na\t1\n", "region\ta\na\tx\n"])
def test_a_connectome_that_cannot_be_used_is_refused_with_what_to_do(tmp_path, text):
    path = tmp_path / "fold_00" / "x_relmat.tsv"
    path.parent.mkdir()
    if text is not None:
        path.write_text(text)
    with pytest.raises(UserError, match="x_relmat.tsv is .*delete the folder fold_00") as caught:
        read_connectome(path)
    assert "\n" not in str(caught.value)


def test_scores_of_nulls_come_back(tmp_path):
    paths = SweepPaths(tmp_path)
    index = pd.Index([0, 1], name="null")
    scores = pd.DataFrame({"pearson_r": [0.25, 1 / 3], "failed_folds": [0.0, 1.0]}, index=index)
    write_null_scores(paths, "mlp", scores)
    pd.testing.assert_frame_equal(read_null_scores(paths, "mlp"), scores)
    with pytest.raises(UserError, match="nulls of smt is missing"):
        read_null_scores(paths, "smt")
