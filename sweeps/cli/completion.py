"""Names that a shell completes: models, datasets and runs."""

from pathlib import Path

from sweeps.folder.paths import RUNS, SweepPaths
from sweeps.request.table import OPTIONS


def complete_model(incomplete: str) -> list[str]:
    """Return the models that begin with a text."""
    return [name for name in OPTIONS["model"].allowed() if name.startswith(incomplete)]


def complete_dataset(incomplete: str) -> list[str]:
    """Return the datasets on this machine whose names begin with a text."""
    from gx2c.data import list_datasets

    return [name for name, *_ in list_datasets() if name.startswith(incomplete)]


def complete_run(incomplete: str) -> list[str]:
    """Return the run folders, and the folders that may hold some, whose paths begin with a text."""
    typed = Path(incomplete)
    near = typed if incomplete.endswith("/") else typed.parent
    folders = {*RUNS.glob("*/"), *near.glob("*/")}
    found = sorted(str(f) for f in folders if str(f).startswith(incomplete))
    return [f if SweepPaths(Path(f)).sweep.exists() else f"{f}/" for f in found]
