"""Let abagen 0.1.3 run on today's pandas and NumPy.

It changes pandas and NumPy for its whole process, so only `gx2c.importing.ahba.process` calls it.
"""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
from pandas.core.groupby.generic import DataFrameGroupBy

# Functions that pandas used to recognise, and computed without NaN
_BY_NAME = {np.mean: "mean", np.median: "median"}


def import_abagen() -> Any:
    """Import abagen with what newer versions took away put back."""
    sys.modules["pkg_resources"] = _pkg_resources()
    for owner, name, replacement in (
        (np, "row_stack", np.vstack),
        (pd.DataFrame, "append", _append),
        (pd.DataFrame, "groupby", _groupby),
        (pd.DataFrame, "set_axis", _set_axis),
        (DataFrameGroupBy, "aggregate", _aggregate),
    ):
        setattr(owner, name, replacement)
    import abagen

    assign = abagen.AtlasTree._assign_sample
    # a tie is returned as an array of one number, which no longer counts as a number
    abagen.AtlasTree._assign_sample = lambda *words: int(np.ravel(assign(*words))[0])
    return abagen


def _pkg_resources() -> ModuleType:
    """Make the one function of setuptools' former module that abagen uses."""

    def resource_filename(package: str, resource: str) -> str:
        spec = importlib.util.find_spec(package)
        assert spec is not None and spec.origin is not None
        return str(Path(spec.origin).parent / resource)

    module = ModuleType("pkg_resources")
    vars(module)["resource_filename"] = resource_filename
    return module


def _append(self: Any, other: Any, ignore_index: bool = False) -> Any:
    # rows that are empty throughout used to leave the type of the others as it was
    other = other.astype(float) if other.isna().all(axis=None) else other
    return pd.concat([self, other], ignore_index=ignore_index)


class _ColumnGroups:
    """Groups of columns, of which abagen takes means only."""

    def __init__(self, frame: Any, by: Any) -> None:
        self.frame, self.by = frame, by

    def mean(self) -> Any:
        return self.frame.T.groupby(self.by).mean().T


_frame_groupby, _frame_set_axis = pd.DataFrame.groupby, pd.DataFrame.set_axis
_groups_aggregate = DataFrameGroupBy.aggregate


def _groupby(self: Any, by: Any = None, axis: int = 0, **options: Any) -> Any:
    return _ColumnGroups(self, by) if axis == 1 else _frame_groupby(self, by, **options)


def _set_axis(self: Any, labels: Any, *, axis: int = 0, inplace: bool = False) -> Any:
    assert not inplace
    return _frame_set_axis(self, labels, axis="columns" if axis else "index")


def _aggregate(self: Any, func: Any = None, *words: Any, **options: Any) -> Any:
    name = _BY_NAME.get(func, func) if callable(func) else func
    return _groups_aggregate(self, name, *words, **options)
