"""Whole sweeps in this process, task after task, through the code that Ray otherwise runs."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from sweep_fixtures import TINY, run_board_serially

from sweeps.cli.app import main
from sweeps.report.picture import Picture
from sweeps.request.options import SweepOptions, make_options
from sweeps.run import sweep as sweep_module


def in_this_process(patch: pytest.MonkeyPatch, module: Any) -> None:
    """Let a module that searches on Ray search in this process."""

    def serially(plan: Any, paths: Any, board: Any, *_: Any) -> list[str]:
        if not board.finished:
            run_board_serially(plan, board)
        return []

    patch.setattr(module, "ray_session", lambda **_: nullcontext(1))
    patch.setattr(module, "run_search", serially)


def without_ray(patch: pytest.MonkeyPatch) -> None:
    """Let `run_sweep` search, retrain and test in this process."""

    def in_turn(function: Any, jobs: Any, *, shared: Any, **_: Any) -> Any:
        return ((job, function(shared, job)) for job in jobs)

    patch.setattr(Picture, "svg", lambda picture, *, on_page=True: "<svg></svg>")
    in_this_process(patch, sweep_module)
    patch.setattr(sweep_module, "run_tasks", in_turn)


def tiny_options(model: str, dataset: Path, **more: Any) -> SweepOptions:
    given = {
        name: value for name, value in TINY.items() if name not in ("grace_epochs", "patience")
    }
    return make_options(model, preset="quick", dataset=str(dataset), **given | more)


def exit_code_of(*arguments: str) -> int:
    """Run `gx2c` in this process."""
    try:
        main(list(arguments))
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0
