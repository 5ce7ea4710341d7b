"""Why a file could not be read, or nothing was recognised in it, in words that help to mend it."""

from collections.abc import Sequence
from pathlib import Path

from gx2c.data.checks import duplicates, shown
from gx2c.importing.sheets import Sheet, is_missing, is_numeric


def reason_of(error: Exception) -> str:
    """Return what an exception says, on one line; its type if it says nothing."""
    return " ".join(str(error).split()) or type(error).__name__


def why_not(path: Path, sheets: Sequence[Sheet]) -> str:
    """Describe what a file holds in place of what was wanted.

    Parameters
    ----------
    path
        The file.
    sheets
        Its tables and arrays; empty if its format is not one of tables.
    """
    if path.is_dir():
        return "it is a folder of no such files"
    filled = [sheet for sheet in sheets if sheet.array is not None or sheet.body]
    if not filled:
        return "it is empty or of a format that holds no tables; save it as CSV or .xlsx"
    sheet = max(filled, key=lambda one: len(one.body))
    if sheet.array is not None:
        return f"it is an array of shape {sheet.shape}"
    return _wrong_cell(sheet) or f"it has {sheet.shape[0]} rows and {sheet.shape[1]} columns"


def _wrong_cell(sheet: Sheet) -> str:
    """Describe the first cell that makes a table of numbers none; empty if there is none."""
    if sheet.values is not None:
        return ""
    names = [row[0] for row in sheet.body]
    first = int(not any(is_numeric(name) for name in names))
    for number, row in enumerate(sheet.body, 1 + (sheet.header is not None)):
        for column, cell in enumerate(row[first:], 1 + first):
            if not (is_missing(cell) or is_numeric(cell)):
                return f"{cell[:40]!r} in row {number}, column {column} is no number"
    repeated = duplicates(names) if first else []
    return f"several rows are named {shown(repeated)}" if repeated else ""
