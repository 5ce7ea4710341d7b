"""Durable records of finished work: one immutable file each, the only truth about a sweep."""

import contextlib
import json
import math
import os
import re
import statistics
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from pydantic import ConfigDict

from gx2c.errors import UserError, logger
from gx2c.files import load_json
from gx2c.sealed import DamagedError, T, checked, sealed, unsealed
from sweeps.folder.paths import SweepPaths

State = Literal["COMPLETE", "PRUNED", "FAILED", "RUNNING"]

REMAKE = "delete it, and gx2c makes it again"
# Names of earlier versions
_RENAMED = {"passes": "epochs", "max_passes": "max_epochs"}


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
    """Write a file completely or not at all, safe against a power cut, with its checksum inside."""
    text = json.dumps(sealed(finite_or_none(content)), indent=1, allow_nan=False)
    write_bytes(path, (text + "\n").encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Write to a temporary file, fsync, then rename; on failure the previous file is unharmed."""
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


def read_json(path: Path, *, hint: str = REMAKE) -> dict[str, Any]:
    """Read a JSON object that `write_json` wrote, in this version or an earlier one.

    If it cannot be read or was changed, `hint` ends the message.
    """
    try:
        content = load_json(path)
    except (OSError, ValueError) as error:
        raise DamagedError(f"{path} cannot be read ({error}); {hint}") from None
    return dict(present_names(unsealed(content, path, hint=hint)))


def read_as(schema: type[T], path: Path, *, hint: str = REMAKE) -> T:
    """Read a JSON object of a type, in this version's names."""
    return checked(schema, read_json(path, hint=hint), path, hint=hint)


def numbered(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield the files whose names end in a number, as gx2c writes them; name and skip others."""
    for path in paths:
        if re.fullmatch(r"[a-z]+_[0-9]{4,}\.json", path.name):
            yield path
        else:
            logger.warning("%s is ignored: gx2c writes no file of that name", path)


def present_names(content: Any) -> Any:
    """Replace the names of an earlier version by those of today, at any depth."""
    if isinstance(content, dict):
        return {_RENAMED.get(name, name): present_names(item) for name, item in content.items()}
    if isinstance(content, list):
        return [present_names(item) for item in content]
    return content


@dataclass(frozen=True)
class ConfigRecord:
    """One finished config of one search, or one that is running now.

    Attributes
    ----------
    model, fold, number, batch
        Its search, and its place in it.
    params
        Values that the searcher suggested, by name.
    config
        The `FitConfig` as plain values.
    state
        COMPLETE (early-stopped counts), PRUNED by the scheduler, or FAILED; RUNNING is never saved
        as a record.
    score
        Best validation score, larger is better; None if FAILED.
    epochs
        Epochs at the best score; 0 for a closed form.
    validation
        Each metric at the best score.
    curve
        One entry per epoch.
    seconds
        Duration of the work, summed over all attempts.
    cause
        Reason of a failure, else empty.
    started, ended
        Seconds since 1970; 0 in records of earlier versions.
    node, gpu_share, profile
        Name of the machine, share of a GPU, and `ComputeProfile` of the device.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    model: str
    fold: int
    number: int
    batch: int
    params: dict[str, Any]
    config: dict[str, Any]
    seed: int
    state: State
    score: float | None
    epochs: int
    validation: dict[str, Any]
    curve: list[dict[str, Any]] = field(default_factory=list)
    seconds: float = 0.0
    cause: str = ""
    started: float = 0.0
    ended: float = 0.0
    node: str = ""
    gpu_share: float = 0.0
    profile: dict[str, Any] | None = None


def ranked(records: Iterable[ConfigRecord]) -> list[ConfigRecord]:
    """Return the fully trained configs, the best first, and the first of equals before."""
    complete = [r for r in records if r.state == "COMPLETE" and r.score is not None]
    return sorted(complete, key=lambda r: (-(r.score or 0.0), r.number))


def best_of(records: Iterable[ConfigRecord]) -> ConfigRecord | None:
    """Return the best fully trained config; None if there is none."""
    return next(iter(ranked(records)), None)


def curve_of(record: ConfigRecord) -> dict[int, float]:
    """Return the scores by epoch; that of a closed form at 0."""
    if not record.curve:
        return {} if record.score is None else {0: record.score}
    return {p["epochs"]: p["score"] for p in record.curve if p["score"] is not None}


def relative_scores(records: Sequence[ConfigRecord]) -> dict[int, float]:
    """Return values of the configs of one search, by number, that compare over folds.

    The value is the score at the last epoch that all of them reached, minus their median: early
    stops and easy folds make no difference.
    """
    curves = {r.number: curve_of(r) for r in records if r.state != "FAILED"}
    curves = {number: curve for number, curve in curves.items() if curve}
    reached = min((max(curve) for curve in curves.values()), default=0)
    scores = {number: curve[reached] for number, curve in curves.items() if reached in curve}
    median = statistics.median(scores.values()) if scores else 0.0
    return {number: score - median for number, score in scores.items()}


# The finished configs of every search, by model and outer fold
Records = Mapping[tuple[str, int], Sequence[ConfigRecord]]


class RecordStore:
    """Reads and writes the records of finished configs.

    `committed` is called with each new file, before its config counts as finished.
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
        files = sorted(self.paths.records_dir(model, fold).glob("config_*.json"))
        records = [_load_one(path, model, fold) for path in numbered(files)]
        return {record.number: record for record in records}


def _load_one(path: Path, model: str, fold: int) -> ConfigRecord:
    record = read_as(ConfigRecord, path)
    number = int(path.stem.removeprefix("config_"))
    if (record.model, record.fold, record.number) != (model, fold, number):
        raise DamagedError(f"{path} is a record of another config; {REMAKE}")
    return record
