"""What the embedded dataset says of itself: description and README."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from gx2c.data.writing import DatasetTables


def description(sources: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Return the description."""
    return {"Name": "schaefer100", "Summary": "x"}


def readme(tables: DatasetTables) -> str:
    """Return the README."""
    return "x"
