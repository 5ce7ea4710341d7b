"""A table of a file: its names and its cells."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from gx2c.data.brain import FloatArray

MISSING = frozenset(("", "n/a", "na", "nan", "null", "none", "#n/a", ".", "inf", "-inf"))
# Names that a first column of labels or numbers may have above it
INDEX_NAMES = frozenset(
    (
        "",
        "unnamed: 0",
        "index",
        "node",
        "nodes",
        "label",
        "labels",
        "region",
        "regions",
        "roi",
        "id",
    )
)
# Names of a first column of genes, in which only letters count
GENE_TITLES = frozenset(
    ("gene", "genes", "geneid", "genesymbol", "symbol", "entrez", "entrezid", "ncbigeneid")
)
STABILITY_TITLES = frozenset(("stability", "differentialstability", "ds"))
Rows = Sequence[Sequence[str]]


@dataclass(frozen=True)
class Sheet:
    """A rectangular table with the names that its file gives to rows and columns."""

    path: Path  # The file
    # The cells below the header as text; empty where `array` holds numbers instead
    body: tuple[tuple[str, ...], ...] = ()
    header: tuple[str, ...] | None = None  # The name of each column of `body`, or None
    has_index: bool = False  # Whether the first column names the rows
    # The sheet of a workbook or the variable of a MATLAB file; empty where a file is one
    # table
    part: str = ""
    # Numbers of a binary file, of any number of axes, or None
    array: FloatArray | None = field(default=None, repr=False)
    row_names: tuple[str, ...] | None = None  # Names that a binary file gives to the rows, or None

    @property
    def name(self) -> str:
        """The file's name, with the part that this table is."""
        return f"{self.path.name}:{self.part}" if self.part else self.path.name

    @property
    def shape(self) -> tuple[int, ...]:
        """Rows and columns of the values, without names."""
        if self.array is not None:
            return self.array.shape
        return len(self.body), (len(self.body[0]) if self.body else 0) - self.has_index

    @property
    def is_square(self) -> bool:
        """Whether it can be a region x region matrix."""
        return len(self.shape) == 2 and self.shape[0] == self.shape[1] > 3

    @cached_property
    def values(self) -> FloatArray | None:
        """The numbers, missing cells as NaN; None if a cell holds something else."""
        if self.array is not None:
            return self.array
        return to_numbers([row[self.has_index :] for row in self.body])

    @cached_property
    def rows(self) -> tuple[str, ...] | None:
        """The names of the rows, or None."""
        return tuple(row[0] for row in self.body) if self.has_index else self.row_names

    @property
    def has_gene_rows(self) -> bool:
        """Whether rows are genes by the title of the first column."""
        return self.has_index and self.header is not None and is_gene_title(self.header[0])

    @cached_property
    def columns(self) -> tuple[str, ...] | None:
        """The names of the columns of `values`, or None."""
        return None if self.header is None else self.header[self.has_index :]

    def texts(self) -> dict[str, tuple[str, ...]]:
        """Return the cells of each named column, the index included."""
        if self.header is None:
            return {}
        return {name: tuple(row[i] for row in self.body) for i, name in enumerate(self.header)}


def sheet_of_rows(rows: Rows, path: Path, *, part: str = "") -> Sheet:
    """Find the header and the index of a table of text.

    Parameters
    ----------
    rows
        The cells; short rows are completed, empty rows and empty last columns dropped.
    path, part
        Where it comes from.
    """
    cells = _rectangle(rows)
    if not cells:
        return Sheet(path, part=part)
    header = cells[0] if _is_header(cells) else None
    body = cells[1:] if header else cells
    if header:
        header = tuple(name.strip() for name in header)
    return Sheet(path, tuple(body), header, _has_index(header, body), part)


def is_missing(cell: str) -> bool:
    """Return whether a cell stands for a missing value."""
    return cell.strip().lower() in MISSING


def is_numeric(cell: str) -> bool:
    """Return whether a cell holds a number."""
    try:
        return "_" not in cell and math.isfinite(float(cell))
    except ValueError:
        return False


def is_counting(names: Sequence[str]) -> bool:
    """Return whether names only count: 0, 1, 2, … or 1, 2, 3, …, also written as 1.0."""
    if not names or not all(is_numeric(name) for name in names):
        return False
    first = float(names[0])
    return first in (0.0, 1.0) and [float(name) for name in names] == [
        first + step for step in range(len(names))
    ]


def is_gene_title(title: str) -> bool:
    """Return whether a column of this title holds names of genes."""
    return _letters(title) in GENE_TITLES


def stability_columns(sheet: Sheet) -> tuple[str, str] | None:
    """Return the titles of genes and of their differential stability; None without both."""
    titles = sheet.header or ()
    genes = [title for title in titles if is_gene_title(title)]
    values = [title for title in titles if _letters(title) in STABILITY_TITLES]
    return (genes[0], values[0]) if genes and values else None


def _letters(title: str) -> str:
    return re.sub(r"[^a-z]", "", title.lower())


def are_ids(names: Sequence[str]) -> bool:
    """Return whether names are whole numbers, each once, that do more than count."""
    return (
        len(set(names)) == len(names)
        and not is_counting(names)
        and all(is_numeric(name) and float(name).is_integer() for name in names)
    )


def to_numbers(rows: Rows) -> FloatArray | None:
    """Turn cells into numbers, missing ones into NaN; None if one is neither."""
    try:
        return np.array(rows, dtype=np.float64).reshape(len(rows), -1)
    except ValueError:
        pass
    values = np.full((len(rows), len(rows[0]) if rows else 0), np.nan)
    for i, row in enumerate(rows):
        for j, cell in enumerate(row):
            if not is_missing(cell):
                try:
                    values[i, j] = float(cell)
                except ValueError:
                    return None
    return values


def _rectangle(rows: Rows) -> list[tuple[str, ...]]:
    kept = [list(row) for row in rows if any(cell.strip() for cell in row)]
    width = max((len(row) for row in kept), default=0)
    if len(kept) > 2 and len(kept[0]) == width - 1 and {len(row) for row in kept[1:]} == {width}:
        # R's write.table names the columns but not the index
        kept[0].insert(0, "")
    full = [tuple([*row, *[""] * (width - len(row))]) for row in kept]
    while width > 1 and all(not row[width - 1].strip() for row in full):
        width -= 1
        full = [row[:width] for row in full]
    return full


def _is_header(cells: list[tuple[str, ...]]) -> bool:
    first, rest = cells[0], cells[1:]
    if not rest:
        return False
    names = [cell for cell in first[1:] if not is_missing(cell)] or list(first)
    if not any(is_numeric(name) for name in names):
        if len(first) == 1:
            # a column of text may be a list of labels without a title
            return first[0].strip().lower() in INDEX_NAMES or is_numeric(rest[0][0])
        return any(is_numeric(row[i]) for row in rest[:3] for i in range(1, len(first))) or any(
            name.strip().lower() in INDEX_NAMES for name in first
        )
    # numbers on top are names where they count, or number the columns of a square matrix
    square = len(rest) == len(first) or len(rest) == len(first) - 1
    whole = [name for name in names if is_numeric(name) and float(name).is_integer()]
    rising = len(whole) == len(names) and np.all(np.diff([float(n) for n in names]) == 1)
    titled = first[0].strip().lower() in INDEX_NAMES and len(first) > 2
    if titled and are_ids(names) and len(names) > 3:
        return True
    return bool(rising and len(names) > 3 and (square or titled))


def _has_index(header: tuple[str, ...] | None, body: list[tuple[str, ...]]) -> bool:
    width = len(body[0]) if body else 0
    column = [row[0] for row in body]
    if width < 2 or len(set(column)) < len(column):
        return False
    others_numeric = all(
        is_numeric(cell) or is_missing(cell) for row in body[:50] for cell in row[1:]
    )
    if not others_numeric:
        return False
    if not any(is_numeric(name) for name in column):
        return True
    titled = header is not None and (
        header[0].strip().lower() in INDEX_NAMES or is_gene_title(header[0])
    )
    whole = all(is_numeric(name) and float(name).is_integer() for name in column)
    return whole and ((titled and width > 4) or (len(body) == width - 1 and is_counting(column)))
