"""The one reader and writer of a labelled matrix."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gx2c.data.matrix import matrix_text, read_matrix
from gx2c.errors import DataError

LABELS = ("a", "b", "c")
VALUES = np.array([[np.nan, 1 / 3, -0.25], [1 / 3, np.nan, 1e-9], [-0.25, 1e-9, np.nan]])


@pytest.mark.parametrize("index", ["", "region"])
def test_a_written_matrix_is_read_back_exactly(tmp_path: Path, index: str) -> None:
    path = tmp_path / "m.tsv"
    path.write_text(matrix_text(LABELS, VALUES, index=index))
    labels, values = read_matrix(path)
    assert labels == LABELS
    np.testing.assert_array_equal(values, VALUES)


def test_digits_are_as_many_as_asked() -> None:
    text = matrix_text(LABELS, VALUES, digits=8, index="region")
    assert text.splitlines()[:2] == ["region\ta\tb\tc", "a\tn/a\t0.33333333\t-0.25"]


def test_rows_are_put_into_the_order_of_the_header(tmp_path: Path) -> None:
    path = tmp_path / "m.tsv"
    lines = matrix_text(LABELS, VALUES, index="Node").splitlines()
    path.write_text("\r\n".join([lines[0], lines[3], lines[1], lines[2]]) + "\r\n")
    labels, values = read_matrix(path)
    assert labels == LABELS
    np.testing.assert_array_equal(values, VALUES)


def test_rows_of_other_labels_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.tsv"
    path.write_text(matrix_text(LABELS, VALUES, index="Node").replace("\nb\t", "\nd\t"))
    with pytest.raises(DataError, match="4 columns and 3 rows below its header"):
        read_matrix(path)
