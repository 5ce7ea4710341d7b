"""The tab-separated tables of a run folder: connectomes and scores of nulls."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from gx2c.data.brain import FloatArray
from gx2c.data.matrix import matrix_text, read_matrix
from gx2c.errors import DataError, UserError
from gx2c.files import file_digest, ordinary
from gx2c.sealed import DamagedError
from sweeps.folder.paths import SweepPaths
from sweeps.folder.records import read_json, write_bytes
from sweeps.folder.results import refuse_changed

DIGITS = 8


def write_connectome(path: Path, labels: Sequence[str], values: FloatArray) -> None:
    """Write the connectome of some regions, (n_regions, n_regions); its diagonal is not data."""
    shown = np.where(np.eye(len(labels), dtype=bool), np.nan, values)
    write_bytes(path, matrix_text(labels, shown, digits=DIGITS, index="region").encode())


def read_connectome(path: Path) -> tuple[tuple[str, ...], FloatArray]:
    """Read labels and values of `write_connectome`, the diagonal NaN; refuse other files."""
    refuse_changed(path)
    try:
        return read_matrix(path)
    except DataError as error:
        damaged = path.exists()
        why = f"is damaged ({error.problems[0]})" if damaged else "is missing"
        raise (DamagedError if damaged else UserError)(
            f"{path.name} {why}; delete the folder {path.parent.name} that it belongs in, then "
            "--resume"
        ) from None


def write_null_scores(paths: SweepPaths, model: str, scores: pd.DataFrame) -> None:
    """Write each null's scores, averaged over folds; rows are nulls, columns metrics."""
    text = scores.to_csv(sep="\t", float_format="%.17g")
    write_bytes(paths.null_scores(model), text.encode())


def read_null_scores(paths: SweepPaths, model: str) -> pd.DataFrame:
    """Read a table that `write_null_scores` wrote; refuse other files."""
    path = paths.null_scores(model)
    if path.exists() and paths.summary.exists():
        wanted = read_json(paths.summary).get("files", {}).get(str(path.relative_to(paths.root)))
        if wanted is not None and wanted != file_digest(path):
            raise DamagedError(f"{path} is damaged (its checksum differs); --resume the sweep")
    try:
        return pd.read_csv(ordinary(path), sep="\t", index_col="null").astype("float64")
    except FileNotFoundError:
        raise UserError(f"{path.name} of the nulls of {model} is missing") from None
    except (OSError, ValueError) as error:
        raise DamagedError(f"{path} cannot be read ({error}); --resume the sweep") from None
