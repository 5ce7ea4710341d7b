"""How right a sweep's estimate of its own duration is: `gx2c bench estimate`.

Short sweeps on schaefer100, one after another; each prints its estimate before its search. The
times are those of search, retraining and nulls, worker starts included.
"""

import contextlib
import io
import tempfile
from pathlib import Path
from typing import Any

from sweeps.folder.disk import folder_bytes
from sweeps.folder.paths import SweepPaths
from sweeps.folder.records import read_json
from sweeps.request.options import make_options
from sweeps.run import sweep as sweep_module
from sweeps.run.estimate import GB, Estimate

SWEEPS: dict[str, dict[str, Any]] = {
    "geography": {},
    "kernel_ridge": {},
    "geography+genes": {},
    "mlp": {"nulls": 4},
    "geography+mlp": {"nulls": 4},
    "geography+smt": {"nulls": 4, "max_epochs": 30, "ensemble": "2x2"},
}
PHASES = ("search", "retrain", "nulls")


def run() -> dict[str, Any]:
    """Run every sweep; several minutes."""
    return {model: measure(model, given) for model, given in SWEEPS.items()}


def measure(model: str, given: dict[str, Any]) -> dict[str, Any]:
    """Run one sweep and compare its seconds and bytes with its estimate."""
    made: list[Estimate] = []

    class Kept(Estimate):
        def text(self) -> str:
            made.append(self)
            return super().text()

    options = make_options(model, preset="quick", **given)
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        paths = SweepPaths(Path(folder) / "run")
        sweep_module.Estimate = Kept  # type: ignore[misc]
        sweep_module.run_sweep(options, paths.root)
        spent, size = read_json(paths.seconds), folder_bytes(paths.root)
    (estimate,) = made
    took = sum(spent[phase] for phase in PHASES)
    return {
        "options": given,
        "estimate_s": round(estimate.total, 1),
        "took_s": round(took, 1),
        "estimate_over_took": round(estimate.total / took, 2),
        "parts_s": {p: [round(getattr(estimate, p), 1), round(spent[p], 1)] for p in PHASES},
        "mb": [round(1e3 * estimate.n_bytes / GB, 1), round(size / 1e6, 1)],
    }
