"""The status of a run for a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from sweeps.progress import clock

COLUMNS = ("model", "fold", "configs", "full", "pruned", "failed", "best score", "config")


def print_status(status: Mapping[str, Any], console: Console | None = None) -> None:
    """Print a table of the searches, and a few lines below it."""
    console = console or Console(highlight=False)
    table = Table(title=_title(status), title_justify="left")
    for name in COLUMNS:
        table.add_column(name, justify="left" if name == "model" else "right", no_wrap=True)
    for fold in status["folds"]:
        table.add_row(
            fold["model"],
            str(fold["fold"]),
            f"{fold['done']}/{fold['total']}",
            *(str(fold[state]) for state in ("complete", "pruned", "failed")),
            "-" if fold["best"] is None else f"{fold['best']:.4f}",
            "-" if fold["best_config"] is None else str(fold["best_config"]),
        )
    console.print(table)
    for line in _lines(status):
        console.print(line, soft_wrap=True)


def _title(status: Mapping[str, Any]) -> str:
    return f"{status['model']} on {status['dataset']}, {status['split']} split: {status['run']}"


def _lines(status: Mapping[str, Any]) -> list[str]:
    process = f" (process {status['process']})" if status["process"] else ""
    eta = "" if status["eta_s"] is None else f", ETA of this phase {clock(status['eta_s'])}"
    gpu = f", {clock(status['gpu_s'])} GPU" if status["gpu_s"] else ""
    done = {name: "{done}/{total}".format(**status[name]) for name in ("retrained", "nulls")}
    return [
        f"state    {status['state']}{process}, phase {status['phase']}{eta}",
        f"done     retrained {done['retrained']}, nulls on folds {done['nulls']}",
        f"work     {clock(status['cpu_s'])} CPU{gpu}; disk {status['disk_bytes'] / 1e6:.1f} MB",
        *(f"failed   {number} x {cause}" for cause, number in status["causes"].items()),
        *([f"ray      {status['ray_dashboard']}"] if status["ray_dashboard"] else []),
    ]
