"""Records and tables of retrained models and of groups of nulls, as they are written and read."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pydantic import Field

from gx2c.data.brain import FloatArray
from gx2c.data.matrix import matrix_text, read_matrix
from gx2c.errors import DataError, UserError
from gx2c.files import file_digest, ordinary
from gx2c.sealed import DamagedError
from sweeps.folder.paths import SweepPaths
from sweeps.folder.records import numbered, read_as, write_bytes
from sweeps.folder.regions import refuse_unlisted
from sweeps.folder.summary_parts import Part, Scores

_REPEAT = "delete the folder {}, then --resume"
DIGITS = 8


class Result(Part):
    """A retrained model: what determines it, its scores, and the checksums of its other files.

    For an ensemble, `config`, `learning_rates` and `seed` are those of the best config's first
    member, `others` those of the rest, and `test` the scores of the mean prediction.
    """

    model: str
    fold: int
    config: dict[str, Any]
    learning_rates: list[float]
    seed: int
    others: list[dict[str, Any]] = Field(default_factory=list)
    n_seeds: int = 1
    test: Scores
    # of the first member; None if it diverged, as of a member without scores
    single: Scores | None = None
    spread: Scores = Field(default_factory=dict)
    member_scores: list[Scores | None] = Field(default_factory=list)
    train_test: Scores | None = None
    # of `best`, whose `config` is empty: the share of each model in the mean
    weights: dict[str, float] = Field(default_factory=dict)
    seconds: float
    profile: dict[str, Any] | None = None
    files: dict[str, str] = Field(default_factory=dict)


class NullGroup(Part):
    """Scores of consecutive nulls on one outer fold; None for one without."""

    seeds: list[int]
    scores: list[Scores | None]
    seconds: float


def read_result(paths: SweepPaths, model: str, fold: int) -> Result:
    """Read the record of a retrained model; that of another model or fold is refused."""
    path = paths.retrained(model, fold)
    result = read_as(Result, path, hint=_REPEAT.format(path.parent))
    if (result.model, result.fold) != (model, fold):
        raise foreign(path, f"{result.model} on fold {result.fold}")
    return result


def foreign(path: Path, what: str) -> DamagedError:
    """Return the refusal of a record that belongs to other work."""
    hint = _REPEAT.format(path.parent)
    return DamagedError(f"{path} is the record of other work ({what}); {hint}")


def refuse_changed(path: Path) -> None:
    """Refuse a file of a retrained model that is not the one whose checksum its record has."""
    record = path.with_name("result.json")
    if not (path.exists() and record.exists()):
        return
    hint = _REPEAT.format(path.parent)
    wanted = read_as(Result, record, hint=hint).files.get(path.name)
    if wanted is not None and (not path.is_file() or wanted != file_digest(path)):
        raise DamagedError(f"{path} is damaged (its checksum differs); {hint}")


def result_files(paths: SweepPaths) -> list[Path]:
    """Return the records of all retrained models."""
    return sorted(paths.root.glob("retrained/*/fold_*/result.json"))


def null_files(paths: SweepPaths) -> list[Path]:
    """Return the files of all groups of nulls."""
    return list(numbered(sorted(paths.root.glob("nulls/**/group_*.json"))))


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
    refuse_unlisted(paths, path)
    try:
        return pd.read_csv(ordinary(path), sep="\t", index_col="null").astype("float64")
    except FileNotFoundError:
        raise UserError(f"{path.name} of the nulls of {model} is missing") from None
    except (OSError, ValueError) as error:
        raise DamagedError(f"{path} cannot be read ({error}); --resume the sweep") from None
