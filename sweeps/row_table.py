"""Print rows of plain values as a table on the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def print_rows(rows: Iterable[Mapping[str, Any]]) -> None:
    """Print a line a row under the names of the first; numbers with three digits."""
    from rich.console import Console
    from rich.table import Table

    rows = list(rows)
    table = Table(*rows[0], box=None, pad_edge=False)
    for row in rows:
        table.add_row(*(f"{v:.3f}" if isinstance(v, float) else str(v) for v in row.values()))
    Console(highlight=False, width=160).print(table)
