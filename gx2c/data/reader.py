"""Parts of a dataset as they are read, in one order, and the problems of its files."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from gx2c.data.brain import IntArray
from gx2c.data.checks import duplicates, shown
from gx2c.data.layout import (
    REGIONS,
    DatasetFolder,
)
from gx2c.errors import DataError


@dataclass
class Reader:
    """Collects parts and problems; `with reader:` notes a DataError and goes on after it."""

    folder: DatasetFolder
    parts: dict[str, Any] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def __enter__(self) -> None: ...

    def __exit__(self, _: object, error: BaseException | None, traceback: object) -> bool:
        if isinstance(error, DataError):
            self.problems += error.problems
        return isinstance(error, DataError)


def align(
    path: Path,
    found: Sequence[str],
    wanted: Sequence[str],
    *,
    kind: str = "region",
    base: str = REGIONS,
) -> IntArray:
    """Find where in `found` each wanted name stands; refuse if the two are not one set."""
    problems = []
    if repeated := duplicates(found):
        problems.append(f"{path.name} has {kind}s that repeat: {shown(repeated)}; keep one each")
    if missing := sorted(set(wanted) - set(found)):
        problems.append(
            f"{path.name} lacks {len(missing)} {kind}(s) of {base}: {shown(missing)}; "
            "both need the same names"
        )
    if extra := sorted(set(found) - set(wanted)):
        problems.append(
            f"{path.name} has {len(extra)} {kind}(s) that {base} lacks: {shown(extra)}; "
            "both need the same names"
        )
    if problems:
        raise DataError(path.name, problems)
    place = {name: row for row, name in enumerate(found)}
    return np.array([place[name] for name in wanted], dtype=np.int64)
