"""Look at a run's search in optuna-dashboard, on this machine alone."""

from __future__ import annotations

import importlib.util
from typing import Any

from gx2c.errors import UserError
from sweeps.paths import SweepPaths
from sweeps.status import read_status
from sweeps.study_copy import copy_study

HOST = "127.0.0.1"
TOKEN = "`ray get-auth-token`"


def prepare_dashboard(paths: SweepPaths, *, port: int) -> list[str]:
    """Write the copy of the search anew and say where to look.

    Raises
    ------
    UserError
        If optuna-dashboard is missing or the folder holds no sweep.
    """
    if importlib.util.find_spec("optuna_dashboard") is None:
        raise UserError(
            "optuna-dashboard is not installed; install it with `pip install 'gx2c[dashboard]'`"
        )
    status = read_status(paths)
    copy_study(paths)
    address = status["ray_dashboard"]
    up = f"{address} (asks for what {TOKEN} prints)"
    ray = up if address else "no cluster is up for this run"
    return [f"search   http://{HOST}:{port} (Ctrl-C ends it)", f"ray      {ray}"]


def serve_dashboard(paths: SweepPaths, *, port: int) -> None:
    """Serve the copy of the search until interrupted."""
    serve: Any = importlib.import_module("optuna_dashboard").run_server
    serve(f"sqlite:///{paths.study}", host=HOST, port=port)
