"""Edit the files of a dataset folder in tests, and run commands on it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from sweeps.cli.app import main

Rows = list[list[str]]


def rewrite_table(path: Path, edit: Callable[[Rows], Rows]) -> None:
    rows = [line.split("\t") for line in path.read_text().splitlines()]
    path.write_text("".join("\t".join(row) + "\n" for row in edit(rows)))


def rewrite_expression(folder: Path, edit: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    path = folder / "expression.parquet"
    frame = pd.read_parquet(path)
    assert frame.index.name == "label"
    edit(frame).to_parquet(path)


def without_checksums(folder: Path) -> Path:
    path = folder / "dataset_description.json"
    path.write_text(json.dumps({"Name": "lying"}))
    return folder


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    return int(ended.value.code or 0)
