"""Durable records of finished work: one immutable file each, the only truth about a sweep."""

from __future__ import annotations

import contextlib
import json
import math
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from gx2c.errors import UserError
from sweeps.paths import SweepPaths

State = Literal["COMPLETE", "PRUNED", "FAILED"]


def finite_or_none(value: Any) -> Any:
    """Replace numbers that JSON does not have (a diverged or undefined score) by None."""
    if isinstance(value, Mapping):
        return {name: finite_or_none(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite_or_none(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a file that is there in full or not at all, and survives a power cut."""
    text = json.dumps(finite_or_none(content), indent=1, allow_nan=False)
    write_bytes(path, (text + "\n").encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Write next to the path, flush to disk, rename.

    Raises
    ------
    UserError
        If the disk is full, cannot be written, or fails; what was there before is unharmed.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise UserError(
            f"{path} cannot be written ({error.strerror}); make room or make it writable, then "
            "--resume: nothing finished is lost"
        ) from None


def _sync_folder(folder: Path) -> None:
    # the rename itself is on disk only with the folder's entry
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_json(path: Path) -> dict[str, Any]:
    """Read a record.

    Raises
    ------
    UserError
        If the file is not the JSON object that gx2c wrote.
    """
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise UserError(
            f"{path} cannot be read ({error}); delete it to have it made anew"
        ) from None
    if not isinstance(content, dict):
        raise UserError(f"{path} is not a record; delete it to have it made anew")
    return content


@dataclass(frozen=True)
class ConfigRecord:
    """One finished config of one search.

    Attributes
    ----------
    model, fold, number, batch
        Which search, and where in it.
    params
        What the searcher suggested, by name.
    config
        The `FitConfig` as plain values.
    seed
        Of the trial.
    state
        COMPLETE (early-stopped counts), PRUNED by the scheduler, or FAILED.
    score
        Best validation score, larger is better; None if FAILED.
    passes
        Passes at the best score; 0 for a closed form.
    validation
        Each metric at the best score.
    curve
        One entry a pass.
    seconds
        Of work, summed over the trial's life.
    cause
        Why it failed, else empty.
    """

    model: str
    fold: int
    number: int
    batch: int
    params: dict[str, Any]
    config: dict[str, Any]
    seed: int
    state: State
    score: float | None
    passes: int
    validation: dict[str, float]
    curve: list[dict[str, Any]] = field(default_factory=list)
    seconds: float = 0.0
    cause: str = ""


class RecordStore:
    """Reads and writes the records of finished configs.

    Parameters
    ----------
    paths
        Of the run.
    committed
        Told of each file that was written, before its config counts as finished.
    """

    def __init__(
        self, paths: SweepPaths, committed: Callable[[Path], None] = lambda path: None
    ) -> None:
        self.paths, self.committed = paths, committed

    def save(self, record: ConfigRecord) -> None:
        """Commit a record; from then on its config counts as finished."""
        path = self.paths.record(record.model, record.fold, record.number)
        write_json(path, asdict(record))
        self.committed(path)

    def load(self, model: str, fold: int) -> dict[int, ConfigRecord]:
        """Return the finished configs of one search by number."""
        files = sorted(self.paths.records_dir(model, fold).glob("config_[0-9]*.json"))
        records = [_load_one(path, model, fold) for path in files]
        return {record.number: record for record in records}


def _load_one(path: Path, model: str, fold: int) -> ConfigRecord:
    try:
        record = ConfigRecord(**read_json(path))
    except TypeError as error:
        raise UserError(
            f"{path} is a record of another version ({error}); delete it to have it made anew"
        ) from None
    number = int(path.stem.removeprefix("config_"))
    if (record.model, record.fold, record.number) != (model, fold, number):
        raise UserError(f"{path} is a record of another config; delete it to have it made anew")
    return record
