"""The saved models that come with gx2c, by name."""

from pathlib import Path

from gx2c.data.layout import DATASET_DIRS
from gx2c.errors import UserError
from gx2c.files import user_path
from gx2c.saved import INDEX_FILE, MODEL_FILE

FOLDER = "pretrained"


def pretrained_folders() -> dict[str, Path]:
    """Return the folder of each model that comes with gx2c, by name."""
    found: dict[str, Path] = {}
    for parent in DATASET_DIRS:
        for file in sorted((parent / FOLDER).glob(f"*/{MODEL_FILE}")):
            found.setdefault(file.parent.name, file.parent)
    return found


def find_model(name_or_path: str | Path) -> Path:
    """Return the folder of a saved model or of a run: one that exists, or that of a name.

    Raises
    ------
    UserError
        If it is neither; the message lists the names.
    """
    path, known = user_path(name_or_path), pretrained_folders()
    if any((path / file).exists() for file in (MODEL_FILE, INDEX_FILE)):
        return path
    if str(name_or_path) in known:
        return known[str(name_or_path)]
    if path.exists():
        return path
    raise UserError(
        f"no pretrained model {str(name_or_path)!r} and no such folder; choose from "
        f"{sorted(known)}, or give the folder of a run or of a saved model"
    )
