"""Which regions each fold of a run trains on and holds out, by name: what a leak is judged by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gx2c.data import Brain
from gx2c.errors import UserError
from gx2c.splits import Fold
from sweeps.paths import SweepPaths
from sweeps.records import read_json


def describe_folds(brain: Brain, folds: Sequence[Fold]) -> dict[str, Any]:
    """Return the regions of every outer and inner fold as plain values."""

    def names(regions: Any) -> list[str]:
        return [brain.labels[i] for i in regions]

    return {
        "folds": [
            {
                "train": names(fold.train_regions),
                "test": names(fold.test_regions),
                "inner": [
                    {"train": names(f.train_regions), "validation": names(f.test_regions)}
                    for f in fold.inner
                ],
            }
            for fold in folds
        ]
    }


def read_folds(paths: SweepPaths) -> list[dict[str, Any]]:
    """Return what `describe_folds` wrote, one entry an outer fold.

    Raises
    ------
    UserError
        If the run does not say.
    """
    if not paths.folds.exists():
        raise UserError(
            f"{paths.root} does not say which regions its folds hold (no {paths.folds.name}); "
            "give a run that this version of gx2c made"
        )
    folds = read_json(paths.folds).get("folds")
    if not isinstance(folds, list) or not all({"train", "test", "inner"} <= set(f) for f in folds):
        raise UserError(f"{paths.folds} is not the file that gx2c wrote")
    return folds


def regions_searched(paths: SweepPaths) -> list[frozenset[str]]:
    """Return, for each outer fold of a run, every region that its search could have seen.

    Raises
    ------
    UserError
        As `read_folds`.
    """
    return [_seen(fold) for fold in read_folds(paths)]


def _seen(fold: dict[str, Any]) -> frozenset[str]:
    inner = [names for f in fold["inner"] for names in (f["train"], f["validation"])]
    return frozenset(fold["train"]).union(*inner)
