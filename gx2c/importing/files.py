"""Read files of any format that holds tables or arrays, and list those of a folder."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gx2c.errors import UserError
from gx2c.files import load_npy, load_npz, ordinary
from gx2c.importing.ahba.files import is_aside
from gx2c.importing.reasons import reason_of
from gx2c.importing.sheets import Sheet, is_numeric, sheet_of_rows

MAX_FILES = 5_000
DELIMITERS = ("\t", ";", ",", "|")
MISSING_EXTRA = "{name} is read by {package}, which is not installed; pip install 'gx2c[data]'"


def list_files(paths: Sequence[Path]) -> list[Path]:
    """List the files of some files and folders, sorted; hidden files and macOS's ._ files not.

    Raises
    ------
    UserError
        If a path does not exist, is no regular file, or is too large.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(p for p in path.rglob("*") if p.is_file())
            # hidden files start with a dot, macOS's with ._
            found += [
                p
                for p in inside
                if not any(x[0] == "." or x == "__MACOSX" for x in p.relative_to(path).parts)
                and not is_aside(p)
            ]
        elif not path.exists():
            raise UserError(f"there is no {path}; give files or folders to import")
        else:
            found.append(path)
    if len(found) > MAX_FILES:
        raise UserError(
            f"{len(found)} files are too many to look through (at most {MAX_FILES}); name those "
            "that belong to one dataset"
        )
    for path in found:
        try:
            ordinary(path)
        except OSError as error:
            raise UserError(f"cannot read {path}: {error.strerror}") from None
    return list(dict.fromkeys(found))


def read_sheets(path: Path) -> list[Sheet]:
    """Read every table or array of a file; empty for formats that hold none.

    Raises
    ------
    UserError
        If the file cannot be read, or a package that reads its format is missing.
    """
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        return []
    try:
        return list(reader(path))
    except ImportError as error:
        package = str(error.name).split(".")[0]
        raise UserError(MISSING_EXTRA.format(name=path.name, package=package)) from None
    except UserError:
        raise
    except Exception as error:
        # readers of binary formats raise whatever they stumble over
        raise UserError(f"{path} cannot be read ({reason_of(error)}); save it again") from None


def decode(content: bytes) -> str:
    """Decode text as its byte order mark says, else as UTF-8, else as Windows-1252."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def parse_text(text: str) -> list[list[str]]:
    """Cut text into cells at the delimiter that cuts its lines alike; mend decimal commas."""
    lines = [line for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    lines = [line for line in lines if line.strip() and not line.startswith("#")]
    if not lines:
        return []
    delimiter = _delimiter(lines)
    if delimiter is None:
        return [line.split() if _is_spaced(lines) else [line.strip()] for line in lines]
    rows = list(csv.reader(io.StringIO("\n".join(lines)), delimiter=delimiter))
    rows = [[cell.strip() for cell in row] for row in rows]
    return rows if delimiter == "," else _with_points(rows)


def _delimiter(lines: Sequence[str]) -> str | None:
    sample = lines[:20]
    counts = {mark: [line.count(mark) for line in sample] for mark in DELIMITERS}
    # a semicolon or tab that cuts every line alike wins over commas, which may be decimal
    for mark in DELIMITERS:
        if min(counts[mark]) > 0 and len(set(counts[mark])) == 1:
            return mark
    most = max(DELIMITERS, key=lambda mark: min(counts[mark]))
    return most if min(counts[most]) > 0 else None


def _is_spaced(lines: Sequence[str]) -> bool:
    """Return whether lines are rows of numbers between spaces, as np.savetxt writes them."""
    sample = [line.split() for line in lines[:20]]
    return len(sample[0]) > 1 and all(
        len(row) == len(sample[0]) and all(map(is_numeric, row)) for row in sample
    )


def _with_points(rows: list[list[str]]) -> list[list[str]]:
    cells = [cell for row in rows for cell in row if "," in cell or "." in cell]
    decimal = [cell for cell in cells if is_numeric(cell.replace(",", ".", 1))]
    if not any("," in cell for cell in decimal) or any("." in cell for cell in decimal):
        return rows
    return [
        [c.replace(",", ".", 1) if is_numeric(c.replace(",", ".", 1)) else c for c in row]
        for row in rows
    ]


def _read_text(path: Path) -> Iterator[Sheet]:
    yield sheet_of_rows(parse_text(decode(path.read_bytes())), path)


def _read_workbook(path: Path) -> Iterator[Sheet]:
    import openpyxl

    book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    try:
        for sheet in book.worksheets:
            rows = [[_cell_text(cell) for cell in row] for row in sheet.iter_rows(values_only=True)]
            if any(any(row) for row in rows):
                several = len(book.worksheets) > 1
                yield sheet_of_rows(rows, path, part=sheet.title if several else "")
    finally:
        book.close()


def _cell_text(cell: Any) -> str:
    if cell is None:
        return ""
    # spreadsheets hold whole numbers as 1.0 and dates as such
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return cell.strftime("%Y-%m-%d") if hasattr(cell, "strftime") else str(cell).strip()


def _read_parquet(path: Path) -> Iterator[Sheet]:
    import pandas as pd

    frame = pd.read_parquet(path)
    if not isinstance(frame.index, pd.RangeIndex):
        frame = frame.reset_index()
    rows = frame.astype(object).where(frame.notna(), "").astype(str).to_numpy().tolist()
    yield sheet_of_rows([[str(name) for name in frame.columns], *rows], path)


def _read_npy(path: Path) -> Iterator[Sheet]:
    array = load_npy(path)
    if array.dtype.kind in "US":
        yield Sheet(path, tuple((str(name),) for name in array.ravel()))
    elif array.dtype.kind in "fiub":
        yield Sheet(path, array=array.astype(np.float64))


def _read_npz(path: Path) -> Iterator[Sheet]:
    yield from _sheets_of(load_npz(path), path)


def _read_mat(path: Path) -> Iterator[Sheet]:
    from pymatreader import read_mat

    yield from _sheets_of(read_mat(str(path)), path)


def _sheets_of(variables: dict[str, Any], path: Path) -> Iterator[Sheet]:
    """Yield a sheet a variable; one list of names also names the rows of matrices of its length."""
    names = {key: found for key, value in variables.items() if (found := _names_in(value))}
    for key, value in variables.items():
        if key.startswith("__"):
            continue
        if isinstance(value, dict):
            yield from _sheets_of({f"{key}.{k}": v for k, v in value.items()}, path)
        elif key in names:
            yield Sheet(path, tuple((name,) for name in names[key]), part=key)
        elif isinstance(value, np.ndarray) and value.dtype.kind in "fiub" and value.size > 1:
            array = value.astype(np.float64).squeeze()
            fitting = [found for found in names.values() if len(found) == len(array)]
            rows = fitting[0] if len(fitting) == 1 and array.ndim == 2 else None
            yield Sheet(path, part=key, array=array, row_names=rows)


def _names_in(value: Any) -> tuple[str, ...]:
    """Read a list of names: of strings, or as DSI Studio writes it, of bytes with line ends."""
    if isinstance(value, str) and "\n" in value.strip():
        return tuple(value.replace("\0", "").split())
    if isinstance(value, np.ndarray) and value.dtype == np.uint8 and value.ndim == 1:
        text = bytes(value).split(b"\0")[0]
        if b"\n" in text:
            return tuple(
                line.strip() for line in text.decode("latin-1").split("\n") if line.strip()
            )
    items = value.ravel().tolist() if isinstance(value, np.ndarray) else value
    if isinstance(items, list) and len(items) > 3 and all(isinstance(x, str) for x in items):
        return tuple(item.strip() for item in items)
    return ()


TEXT_FORMATS = (".csv", ".tsv", ".txt", ".1d", ".dat", ".ssv", ".tab")
READERS: dict[str, Callable[[Path], Iterable[Sheet]]] = {
    **dict.fromkeys(TEXT_FORMATS, _read_text),
    **dict.fromkeys((".xlsx", ".xlsm"), _read_workbook),
    ".parquet": _read_parquet,
    ".npy": _read_npy,
    ".npz": _read_npz,
    ".mat": _read_mat,
}
