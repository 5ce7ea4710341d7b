"""A labelled matrix of regions: the one reader and the one writer of its file."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from gx2c.data.brain import FloatArray
from gx2c.data.tables import is_number, parse_number, read_rows
from gx2c.errors import DataError


def matrix_text(
    labels: Sequence[str], values: FloatArray, *, digits: int | None = None, index: str = ""
) -> str:
    """Write a labelled matrix as tab-separated text (BIDS BEP017).

    Parameters
    ----------
    labels
        n_regions labels, written as the header.
    values
        (n_regions, n_regions); what is not finite becomes n/a.
    digits
        Significant digits; None for the fewest that give a number back exactly.
    index
        Name of a first column that repeats the labels; empty for none.
    """
    rows = [[format_number(value, digits) for value in row] for row in values.tolist()]
    if index:
        rows = [[label, *row] for label, row in zip(labels, rows, strict=True)]
    return table_text([[index, *labels] if index else labels, *rows])


def read_matrix(path: Path) -> tuple[tuple[str, ...], FloatArray]:
    """Read a labelled matrix, with or without a first column of labels.

    Returns
    -------
    labels : tuple of str
        Those of the header.
    values : FloatArray
        (n_regions, n_regions), rows in the order of the header; n/a is NaN.

    Raises
    ------
    DataError
        If the file cannot be read or is not a square matrix of numbers with a header.
    """
    header, *body = read_rows(path)
    names = [row[0] for row in body]
    # a symmetric matrix without labels also repeats its first row in its first column
    if (not header[0] or not is_number(header[0])) and sorted(names) == sorted(header[1:]):
        place = {name: row[1:] for name, row in zip(names, body, strict=True)}
        header = header[1:]
        body = [place[label] for label in header]
    if len(body) != len(header):
        sentence = (
            f"{path.name} has {len(header)} columns and {len(body)} rows below its header; "
            "a square matrix with a header of labels is needed"
        )
        raise DataError(path.name, [sentence])
    try:
        values = np.array([[parse_number(cell) for cell in row] for row in body], dtype=np.float64)
    except ValueError as error:
        sentence = f"{path.name} holds something that is not a number ({error}); correct it"
        raise DataError(path.name, [sentence]) from None
    return tuple(header), values


def format_number(value: float, digits: int | None = None) -> str:
    """Write a number, with the fewest digits that give it back; n/a if it is not finite."""
    if not np.isfinite(value):
        return "n/a"
    return repr(float(value)) if digits is None else f"{value:.{digits}g}"


def table_text(rows: Sequence[Sequence[str]]) -> str:
    """Join cells by tabs and rows by line ends."""
    return "".join("\t".join(row) + "\n" for row in rows)
