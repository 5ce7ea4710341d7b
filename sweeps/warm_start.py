"""Trials of earlier runs that the searches of a sweep may learn from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from gx2c.errors import UserError
from sweeps.records import ConfigRecord, read_json


@dataclass(frozen=True)
class WarmStart:
    """Trials of earlier runs that the searches of a sweep may learn from.

    Attributes
    ----------
    trials
        By model and outer fold of the sweep, in the order in which they are told.
    sources
        What was taken from which run, for people and for the records.
    """

    trials: Mapping[tuple[str, int], tuple[ConfigRecord, ...]] = field(default_factory=dict)
    sources: tuple[dict[str, Any], ...] = ()

    def of(self, model: str, fold: int) -> tuple[ConfigRecord, ...]:
        """Return the trials for one search."""
        return self.trials.get((model, fold), ())

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        trials = [
            {"model": model, "fold": fold, "records": [asdict(r) for r in records]}
            for (model, fold), records in self.trials.items()
        ]
        return {"sources": list(self.sources), "trials": trials}


def read_warm_start(path: Path) -> WarmStart:
    """Read what a sweep accepted when it was started.

    Raises
    ------
    UserError
        If the file is not the one that gx2c wrote.
    """
    content = read_json(path)
    try:
        trials = {
            (part["model"], part["fold"]): tuple(ConfigRecord(**r) for r in part["records"])
            for part in content["trials"]
        }
        return WarmStart(trials, tuple(content["sources"]))
    except (KeyError, TypeError):
        raise UserError(f"{path} is not the file that gx2c wrote") from None
