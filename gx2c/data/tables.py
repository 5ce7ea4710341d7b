"""Read text tables, JSON and Parquet; one error type, with sentences that name the file."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gx2c.data.brain import FloatArray
from gx2c.data.checks import duplicates, shown
from gx2c.errors import DataError
from gx2c.files import ordinary

# Most rows and cells of a Parquet file, read from its footer
MAX_ROWS, MAX_CELLS = 1_000_000, 1_000_000_000
NOT_AVAILABLE = ("n/a", "NaN", "nan", "")


@dataclass(frozen=True)
class Frame:
    """A table of numbers with names."""

    values: FloatArray  # (n_rows, n_columns)
    # n_rows and n_columns names
    row_names: tuple[str, ...]
    column_names: tuple[str, ...]


def refuse(path: Path, sentence: str) -> DataError:
    """Make the error of one file; the sentence follows its name."""
    return DataError(path.name, [f"{path.name} {sentence}"])


def read_text(path: Path) -> str:
    """Read a UTF-8 file.

    Raises
    ------
    DataError
        If it cannot be read, or is empty.
    """
    try:
        text = ordinary(path).read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise refuse(path, "is missing; a dataset needs it (see data/README.md)") from None
    except UnicodeDecodeError:
        raise refuse(path, "is not UTF-8 text; save it again as UTF-8") from None
    except OSError as error:
        raise refuse(path, f"cannot be read: {error.strerror}; mend or replace the file") from None
    if not text.strip():
        raise refuse(path, "is empty; write its contents again")
    return text


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object.

    Raises
    ------
    DataError
        If it cannot be read.
    """
    text = read_text(path)
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise refuse(path, f"is not valid JSON ({error}); correct it") from None
    if not isinstance(value, dict):
        raise refuse(path, f"holds a {type(value).__name__}; a JSON object is needed")
    return value


def read_tsv(path: Path, columns: Sequence[str]) -> dict[str, list[str]]:
    """Read a tab-separated table with a header: the cells of each column.

    Parameters
    ----------
    path
        The file.
    columns
        The columns that must be there; others may be.

    Raises
    ------
    DataError
        If the table cannot be used.
    """
    header, *body = read_rows(path)
    if missing := [column for column in columns if column not in header]:
        raise refuse(path, f"has no column {shown(missing)}; its header is {shown(header)}")
    if not body:
        raise refuse(path, "has a header and no rows; add the rows")
    return {name: [row[index] for row in body] for index, name in enumerate(header)}


def numbers(path: Path, table: Mapping[str, Sequence[str]], columns: Sequence[str]) -> FloatArray:
    """Return columns of a table as numbers, (n_rows, n_columns); n/a is NaN.

    Raises
    ------
    DataError
        If a cell is neither; each column has its sentence.
    """
    problems = []
    values = np.full((len(table[columns[0]]), len(columns)), np.nan)
    for index, column in enumerate(columns):
        wrong = []
        for row, cell in enumerate(table[column]):
            try:
                values[row, index] = parse_number(cell)
            except ValueError:
                wrong.append(f"{cell} (line {row + 2})")
        if wrong:
            problems.append(
                f"{path.name}, column {column}: {shown(wrong)} is no number; correct it"
            )
    if problems:
        raise DataError(path.name, problems)
    return values


def read_parquet(path: Path) -> Frame:
    """Read numeric columns and the row names in a column `label` (or pandas' unnamed index).

    Raises
    ------
    DataError
        If there is no such file or column, or another column holds no numbers.
    """
    # pyarrow takes a quarter of a second to import: only reading a dataset pays for it
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(ordinary(path)) as file:
            _refuse_too_large(path, file.metadata.num_rows, file.metadata.num_columns)
            # one column per gene: handing each to a thread costs more than reading it
            table = file.read(use_threads=False)
        names = [str(name) for name in table.column_names]
    except FileNotFoundError:
        raise refuse(path, "is missing; a dataset needs it (see data/README.md)") from None
    except DataError:
        raise
    except (pa.ArrowException, OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or f"{error or type(error).__name__}"
        raise refuse(
            path, f"is not a whole Parquet file ({reason.splitlines()[0]}); write or copy it again"
        ) from None
    index = next((name for name in ("label", "__index_level_0__") if name in names), None)
    if index is None:
        raise refuse(path, "has no column 'label'; make the region labels its index")
    if names.count(index) > 1:
        raise refuse(path, f"has the column {index!r} more than once; keep one")
    columns = {at: table.column(at) for at in range(len(names)) if names[at] != index}
    if wrong := [
        names[at]
        for at, column in columns.items()
        if not (pa.types.is_floating(column.type) or pa.types.is_integer(column.type))
    ]:
        sentence = f"{path.name}: columns {shown(wrong)} hold no numbers; every gene needs floats"
        raise DataError(path.name, [sentence])
    labels = _labels(path, table.column(names.index(index)))
    values = np.empty((len(labels), len(columns)), dtype=np.float64)
    for place, column in enumerate(columns.values()):
        values[:, place] = column.to_numpy()
    return Frame(values, tuple(labels), tuple(names[at] for at in columns))


def _refuse_too_large(path: Path, n_rows: int, n_columns: int) -> None:
    # a column of equal values takes no room in the file, and all of it in memory
    if n_rows > MAX_ROWS or n_rows * n_columns > MAX_CELLS:
        raise refuse(
            path,
            f"has {n_rows:,} rows and {n_columns:,} columns; at most {MAX_ROWS:,} rows and "
            f"{MAX_CELLS:,} cells are read: keep those of one dataset",
        )


def _labels(path: Path, column: Any) -> list[str]:
    import pyarrow.types as kinds

    kind = column.type.value_type if kinds.is_dictionary(column.type) else column.type
    if not (kinds.is_string(kind) or kinds.is_large_string(kind) or kinds.is_integer(kind)):
        raise refuse(path, f"has labels of type {kind}; make them text")
    try:
        return ["" if name is None else str(name) for name in column.to_pylist()]
    except UnicodeDecodeError:
        raise refuse(path, "has labels that are not UTF-8 text; write them again") from None


def read_rows(path: Path) -> list[list[str]]:
    """Read the cells of a tab-separated table, its header first.

    Raises
    ------
    DataError
        If it cannot be read, columns repeat, or rows have different lengths.
    """
    text = read_text(path)
    rows = [line.split("\t") for line in text.replace("\r\n", "\n").rstrip("\n").split("\n")]
    header = rows[0]
    if len(header) == 1 and ("," in header[0] or ";" in header[0]):
        raise refuse(path, "is not separated by tabs; save it as tab-separated text")
    if repeated := duplicates(header):
        raise refuse(path, f"has columns that repeat: {shown(repeated)}; keep one of each")
    if ragged := [str(at) for at, row in enumerate(rows, 1) if len(row) != len(header)]:
        raise refuse(
            path,
            "has lines with another number of cells than its header's "
            f"{len(header)}: {shown(ragged)}; complete them",
        )
    return rows


def parse_number(cell: str) -> float:
    """Read a number, or NaN for n/a and empty cells; raise ValueError for anything else."""
    stripped = cell.strip()
    if stripped in NOT_AVAILABLE:
        return float("nan")
    # float() also takes 1_000, which no table means
    if "_" in stripped:
        raise ValueError(f"could not read {cell!r}")
    return float(stripped)


def is_number(cell: str) -> bool:
    """Return whether a cell holds a number, or a missing value."""
    try:
        parse_number(cell)
    except ValueError:
        return False
    return True
