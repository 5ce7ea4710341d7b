"""Edit the files of a dataset folder in tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd

Rows = list[list[str]]


def rewrite_table(path: Path, edit: Callable[[Rows], Rows]) -> None:
    rows = [line.split("\t") for line in path.read_text().splitlines()]
    path.write_text("".join("\t".join(row) + "\n" for row in edit(rows)))


def rewrite_expression(folder: Path, edit: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    path = folder / "expression.parquet"
    frame = pd.read_parquet(path)
    assert frame.index.name == "label"
    edit(frame).to_parquet(path)
