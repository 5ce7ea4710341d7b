"""Take over a finished search of another run of the same data, folds and seed."""

from __future__ import annotations

import shutil
from pathlib import Path

from sweeps.paths import SweepPaths


def adopt_search(model: str, source: SweepPaths, target: SweepPaths) -> None:
    """Copy a model's records and retrained models, as if the target had made them.

    A folder is there in full or not at all; what is there already stays.
    """
    for name in ("records", "retrained"):
        _copy_folder(source.root / name / model, target.root / name / model)


def _copy_folder(source: Path, target: Path) -> None:
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}")
    shutil.rmtree(temporary, ignore_errors=True)
    shutil.copytree(source, temporary)
    temporary.rename(target)
