"""The columns of an expression table: repeated, missing and damaged gene names."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np

from gx2c.data.brain import FloatArray
from gx2c.data.checks import duplicates, shown
from gx2c.data.symbols import known_symbols
from gx2c.errors import UserError

# The genes that spreadsheets take for dates, by month and day, under their approved symbols
_MONTH_GENES = {3: "MARCHF", 9: "SEPTIN", 12: "DELEC"}
_MONTHS = {"mar": 3, "march": 3, "sep": 9, "sept": 9, "dec": 12}
_DAY_MONTH = re.compile(r"(\d{1,2})[-/. ]([A-Za-z]{3,5})(?:[-/. ]\d{2,4})?")
_MONTH_DAY = re.compile(r"([A-Za-z]{3,5})[-/. ](\d{1,2})")
_ISO = re.compile(r"\d{4}-(\d{2})-(\d{2})(?: 00:00:00)?")
# A spreadsheet's day 1 is 1900-01-01, and it believes in 1900-02-29
_EPOCH = date(1899, 12, 30)
_SERIALS = range(36_000, 55_000)
MAX_SHARE_PARTLY_MISSING = 0.5


@dataclass(frozen=True)
class GeneColumns:
    """Expression with one column per gene."""

    genes: tuple[str, ...]  # n_genes symbols, each once
    # (n_regions, n_genes); a region without samples is a row of NaN, and nothing else is
    values: FloatArray
    notes: tuple[str, ...]  # One sentence per thing understood or changed
    repaired: Mapping[str, str]  # New symbol by the original name


def clean_genes(
    names: Sequence[str],
    values: FloatArray,
    source: str,
    *,
    repair: bool = False,
) -> GeneColumns:
    """Drop and average columns until each gene has one whole column.

    Parameters
    ----------
    names
        n_columns names.
    values
        (n_regions, n_columns).
    source
        The file.
    repair
        Whether dates of a spreadsheet, earlier symbols and Entrez numbers become symbols.

    Raises
    ------
    UserError
        If no gene is left.
    """
    notes: list[str] = []
    kept = [i for i, name in enumerate(names) if not _is_index(name, values[:, i])]
    if dropped := [names[i] for i in range(len(names)) if i not in set(kept)]:
        notes.append(f"{source}: {shown(dropped)} numbers the rows and is no gene; left out")
    names, values = [names[i] for i in kept], values[:, kept]
    if padded := [name for name in names if name != name.strip()]:
        notes.append(f"{source}: {shown(padded)} has spaces around it, which are dropped")
    names = [name.strip() for name in names]
    repaired = _repairs(names) if repair else {}
    if repaired:
        names = [repaired.get(name, name) for name in names]
        notes.append(f"{source}: {len(repaired)} gene names repaired, listed in README.md")
    if dates := _dates(names):
        pairs = [f"{old} (probably {new})" for old, new in dates.items()]
        notes.append(f"{source}: {shown(pairs)} is no symbol{_remedy(repair)}")
    if odd := [name for name in names if entrez_id(name) and name not in dates]:
        notes.append(f"{source}: {shown(odd)} is a number in place of a symbol{_remedy(repair)}")
    names, values, said = _averaged(names, values, source)
    values, whole, more = _without_partly_missing(names, values, source)
    genes = tuple(name for name, keep in zip(names, whole, strict=True) if keep)
    if not genes or np.isnan(values).all():
        raise UserError(f"{source} has no gene with a value in every region; fill or drop regions")
    return GeneColumns(genes, values[:, whole], tuple([*notes, *said, *more]), repaired)


def date_gene(name: str) -> str:
    """Return the gene that a spreadsheet turned into this date, or empty."""
    if match := _DAY_MONTH.fullmatch(name):
        month, day = _MONTHS.get(match[2].lower(), 0), int(match[1])
    elif match := _MONTH_DAY.fullmatch(name):
        month, day = _MONTHS.get(match[1].lower(), 0), int(match[2])
    elif match := _ISO.fullmatch(name):
        month, day = int(match[1]), int(match[2])
    elif name.isdigit() and int(name) in _SERIALS:
        found = _EPOCH + timedelta(days=int(name))
        month, day = found.month, found.day
    else:
        return ""
    return f"{_MONTH_GENES[month]}{day}" if month in _MONTH_GENES else ""


def entrez_id(name: str) -> str:
    """Return the number that stands in place of a symbol, as text; empty if none does."""
    number = name.strip().removesuffix(".0")
    return number if number.isdigit() else ""


def _dates(names: Sequence[str]) -> dict[str, str]:
    """Return the genes that became dates; among numbers in place of all names, none is a date."""
    are_ids = 2 * sum(bool(entrez_id(name)) for name in names) > len(names)
    found = {name: date_gene(name) for name in names if not (are_ids and entrez_id(name))}
    return {name: gene for name, gene in found.items() if gene}


def _repairs(names: Sequence[str]) -> dict[str, str]:
    """Return new names of the damaged and outdated ones; never one that another column has."""
    symbols, dates = known_symbols(), _dates(names)
    taken, found = set(names), {}
    for name in dict.fromkeys(names):
        number = symbols.entrez.get(entrez_id(name), "")
        new = dates.get(name) or number or symbols.current(name)
        if new not in taken:
            found[name] = new
            taken.add(new)
    return found


def _remedy(repair: bool) -> str:
    return "" if repair else "; --repair-genes renames such genes"


def _is_index(name: str, column: FloatArray) -> bool:
    unnamed = name.strip().lower() in ("", "index") or name.lower().startswith("unnamed")
    return unnamed or (
        len(column) > 3 and bool(np.all(np.diff(column) == 1)) and column[0] in (0.0, 1.0)
    )


def _averaged(
    names: Sequence[str], values: FloatArray, source: str
) -> tuple[list[str], FloatArray, list[str]]:
    repeated = duplicates(names)
    if not repeated:
        return list(names), values, []
    columns: dict[str, list[int]] = defaultdict(list)
    for i, name in enumerate(names):
        columns[name].append(i)
    means = [values[:, places].mean(axis=1) for places in columns.values()]
    note = f"{source}: {len(repeated)} genes have several columns, which are averaged: "
    return list(columns), np.stack(means, axis=1), [note + shown(repeated)]


def _without_partly_missing(
    names: Sequence[str], values: FloatArray, source: str
) -> tuple[FloatArray, Any, list[str]]:
    """Mark the genes that every sampled region has; empty mostly empty regions."""
    values = np.where(np.isfinite(values), values, np.nan)
    missing = np.isnan(values)
    poor = (missing.mean(axis=1) > MAX_SHARE_PARTLY_MISSING) & ~missing.all(axis=1)
    values = np.where(poor[:, None], np.nan, values)
    sampled = ~np.isnan(values).all(axis=1)
    whole: Any = np.isfinite(values[sampled]).all(axis=0)
    notes = []
    if poor.any():
        notes.append(f"{source}: {poor.sum()} regions miss most genes and count as without samples")
    if not whole.all():
        lost = [name for name, keep in zip(names, whole, strict=True) if not keep]
        notes.append(
            f"{source}: {len(lost)} genes miss values in regions that have others, and are left "
            f"out: {shown(lost)}"
        )
    return values, whole, notes
