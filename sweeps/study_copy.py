"""A copy of a run's search for optuna-dashboard, at any time."""

from __future__ import annotations

from pathlib import Path

from sweeps.export import write_study
from sweeps.paths import SweepPaths
from sweeps.plan import make_plan
from sweeps.request import read_options


def copy_study(paths: SweepPaths) -> Path:
    """Write the study of a run from its records; the run may still be going on.

    Raises
    ------
    UserError
        If the folder holds no sweep.
    """
    plan = make_plan(read_options(paths))
    write_study(plan, paths, plan.board(paths).records())
    return paths.study
