"""Read text tables, JSON and Parquet without ever raising: what is wrong is put into words."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gx2c.data.brain import FloatArray
from gx2c.data.checks import duplicates, shown

NOT_AVAILABLE = ("n/a", "NaN", "nan")


@dataclass(frozen=True)
class Matrix:
    """A table of numbers with names.

    Attributes
    ----------
    values
        (n_rows, n_columns).
    row_names
        n_rows names; those of the columns where the file names only columns.
    column_names
        n_columns names.
    """

    values: FloatArray
    row_names: tuple[str, ...]
    column_names: tuple[str, ...]


def read_text(path: Path, problems: list[str]) -> str | None:
    """Read a UTF-8 file; None, with the problem noted, if it cannot be read."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        problems.append(f"{path.name} is missing; a dataset needs it (see data/README.md)")
        return None
    except UnicodeDecodeError:
        problems.append(f"{path.name} is not UTF-8 text; save it again as UTF-8")
        return None
    except OSError as error:
        problems.append(f"{path.name} cannot be read: {error.strerror}; mend or replace the file")
        return None
    if not text.strip():
        problems.append(f"{path.name} is empty; write its contents again")
        return None
    return text


def read_json(path: Path, problems: list[str]) -> dict[str, Any] | None:
    """Read a JSON object; None, with the problem noted, if it cannot be read."""
    text = read_text(path, problems)
    if text is None:
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        problems.append(f"{path.name} is not valid JSON ({error}); correct it")
        return None
    if not isinstance(value, dict):
        problems.append(f"{path.name} holds a {type(value).__name__}; a JSON object is needed")
        return None
    return value


def read_tsv(path: Path, columns: Sequence[str], problems: list[str]) -> dict[str, list[str]]:
    """Read a tab-separated table with a header.

    Parameters
    ----------
    path
        The file.
    columns
        The columns that must be there; others may be.
    problems
        Receives what is wrong.

    Returns
    -------
    dict
        Column name -> cells; empty if the table cannot be used.
    """
    rows = _read_rows(path, problems)
    if rows is None:
        return {}
    header, *body = rows
    missing = [column for column in columns if column not in header]
    if missing:
        problems.append(
            f"{path.name} has no column {shown(missing)}; its header is {shown(header)}"
        )
        return {}
    if not body:
        problems.append(f"{path.name} has a header and no rows; add the rows")
        return {}
    return {name: [row[index] for row in body] for index, name in enumerate(header)}


def read_matrix_tsv(path: Path, problems: list[str]) -> Matrix | None:
    """Read a square tab-separated matrix: labels in the header, rows in the header's order."""
    rows = _read_rows(path, problems)
    if rows is None:
        return None
    header, *body = rows
    if len(body) != len(header):
        problems.append(
            f"{path.name} has {len(header)} columns and {len(body)} rows below its header; "
            "a square matrix with a header of labels is needed"
        )
        return None
    try:
        values = np.array([[_number(cell) for cell in row] for row in body], dtype=np.float64)
    except ValueError as error:
        problems.append(f"{path.name} holds something that is not a number ({error}); correct it")
        return None
    return Matrix(values, tuple(header), tuple(header))


def numbers(
    cells: Sequence[str], *, file: str, column: str, problems: list[str]
) -> FloatArray | None:
    """Turn cells into numbers, n/a into NaN; None, with the problem noted, if one is neither."""
    wrong: list[str] = []
    values = np.full(len(cells), np.nan)
    for row, cell in enumerate(cells):
        try:
            values[row] = _number(cell)
        except ValueError:
            wrong.append(f"{cell} (line {row + 2})")
    if wrong:
        problems.append(f"{file}, column {column}: {shown(wrong)} is no number; correct it")
        return None
    return values


def read_parquet(path: Path, problems: list[str]) -> Matrix | None:
    """Read numeric columns and the row names in a column `label` (or pandas' unnamed index)."""
    # pyarrow takes a quarter of a second to import: only reading a dataset pays for it
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not path.exists():
        problems.append(f"{path.name} is missing; a dataset needs it (see data/README.md)")
        return None
    try:
        # one column a gene: handing each to a thread costs more than reading it
        table = pq.ParquetFile(path).read(use_threads=False)
    except (pa.ArrowException, OSError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        problems.append(
            f"{path.name} is not a whole Parquet file ({reason}); write or copy it again"
        )
        return None
    return _matrix_from_table(table, path.name, problems)


def _matrix_from_table(table: Any, file: str, problems: list[str]) -> Matrix | None:
    import pyarrow as pa

    names = [str(name) for name in table.column_names]
    index = next((name for name in ("label", "__index_level_0__") if name in names), None)
    if index is None:
        problems.append(f"{file} has no column 'label'; make the region labels its index")
        return None
    if names.count(index) > 1:
        problems.append(f"{file} has the column {index!r} more than once; keep one")
        return None
    at = names.index(index)
    labels = tuple("" if value is None else str(value) for value in table.column(at).to_pylist())
    columns = [(names[i], table.column(i)) for i in range(len(names)) if i != at]
    wrong = [
        name
        for name, column in columns
        if not (pa.types.is_floating(column.type) or pa.types.is_integer(column.type))
    ]
    if wrong:
        problems.append(f"{file}: columns {shown(wrong)} hold no numbers; every gene needs floats")
        return None
    values = np.empty((len(labels), len(columns)), dtype=np.float64)
    for i, (_, column) in enumerate(columns):
        values[:, i] = column.to_numpy()
    return Matrix(values, labels, tuple(name for name, _ in columns))


def _read_rows(path: Path, problems: list[str]) -> list[list[str]] | None:
    text = read_text(path, problems)
    if text is None:
        return None
    rows = [line.split("\t") for line in text.replace("\r\n", "\n").rstrip("\n").split("\n")]
    header = rows[0]
    if len(header) == 1 and ("," in header[0] or ";" in header[0]):
        problems.append(f"{path.name} is not separated by tabs; save it as tab-separated text")
        return None
    if repeated := duplicates(header):
        problems.append(f"{path.name} has columns that repeat: {shown(repeated)}; keep one of each")
        return None
    ragged = [str(i + 2) for i, row in enumerate(rows[1:]) if len(row) != len(header)]
    if ragged:
        problems.append(
            f"{path.name} has lines with another number of cells than its header's "
            f"{len(header)}: {shown(ragged)}; complete them"
        )
        return None
    return rows


def _number(cell: str) -> float:
    stripped = cell.strip()
    if stripped in NOT_AVAILABLE:
        return float("nan")
    # float() also takes 1_000, which no table means
    if "_" in stripped:
        raise ValueError(f"could not read {cell!r}")
    return float(stripped)
