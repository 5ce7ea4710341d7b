"""Approved symbols of genes, by their earlier names and NCBI (Entrez) numbers."""

import csv
import gzip
import io
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Self

from gx2c.data.layout import DATASET_DIRS

# The table that comes with gx2c, below the folder of datasets
SYMBOLS = "hgnc/symbols.tsv.gz"
COLUMNS = ("symbol", "entrez", "earlier")
MARK = "|"
# Column of HGNC's table, and locus types that are left out
ENTREZ = "NCBI Gene ID(supplied by NCBI)"
NO_GENES = ("pseudogene", "phenotype")


@dataclass(frozen=True)
class Symbols:
    """Which gene a name means; names that several genes share mean none."""

    earlier: Mapping[str, str]  # Approved symbol by previous and alias symbols
    entrez: Mapping[str, str]  # Approved symbol by NCBI's number, as text
    approved: frozenset[str]

    @classmethod
    def read(cls, text: str) -> Self:
        """Read the table of `symbol_rows`."""
        rows = _rows(text)
        return cls(
            {old: r["symbol"] for r in rows for old in r["earlier"].split(MARK) if old},
            {r["entrez"]: r["symbol"] for r in rows if r["entrez"]},
            frozenset(r["symbol"] for r in rows),
        )

    def current(self, name: str) -> str:
        """Return the approved symbol of a name, or the name itself if it means no single gene."""
        return name if name in self.approved else self.earlier.get(name, name)


@cache
def known_symbols() -> Symbols:
    """Read the table that comes with gx2c."""
    path = next(folder / SYMBOLS for folder in DATASET_DIRS if (folder / SYMBOLS).is_file())
    return Symbols.read(gzip.decompress(path.read_bytes()).decode())


def symbol_rows(hgnc: str) -> list[tuple[str, ...]]:
    """Make the rows of the table from HGNC's own: approved symbols and what leads to them alone.

    A previous symbol outweighs an alias, because the literature used it for the gene. Pseudogenes
    and phenotypes are left out, but keep the names that they share from leading to another gene.
    """
    rows = [row for row in _rows(hgnc) if row["Status"] == "Approved"]
    approved = {row["Approved symbol"] for row in rows}
    earlier = _unique(rows, "Alias symbols") | _unique(rows, "Previous symbols")
    names: dict[str, list[str]] = defaultdict(list)
    for old, symbol in earlier.items():
        if symbol and old not in approved:
            names[symbol].append(old)
    numbers = _unique(rows, ENTREZ)
    kept = [row for row in rows if not any(kind in row["Locus type"] for kind in NO_GENES)]
    return [
        (
            row["Approved symbol"],
            row[ENTREZ] if numbers.get(row[ENTREZ]) else "",
            MARK.join(sorted(names[row["Approved symbol"]])),
        )
        for row in sorted(kept, key=lambda row: row["Approved symbol"])
    ]


def _unique(rows: Iterable[Mapping[str, str]], column: str) -> dict[str, str]:
    """Return the symbol of each name in a column; empty where several genes share it."""
    found: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        for name in filter(None, row[column].split(", ")):
            found[name].add(row["Approved symbol"])
    return {name: symbols.pop() if len(symbols) == 1 else "" for name, symbols in found.items()}


def _rows(table: str) -> Sequence[Mapping[str, str]]:
    return list(csv.DictReader(io.StringIO(table), delimiter="\t", quoting=csv.QUOTE_NONE))
