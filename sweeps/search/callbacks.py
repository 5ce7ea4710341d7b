"""Tune callbacks: halting, learning curves, running configs, removal of checkpoints."""

import contextlib
import math
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from ray.tune import Callback
from ray.tune.progress_reporter import TrialProgressCallback
from tensorboardX.event_file_writer import EventsWriter
from tensorboardX.proto.event_pb2 import Event
from tensorboardX.summary import hparams, scalar

from gx2c.errors import UserError, logger
from sweeps.folder.disk import DiskBudget, Turns
from sweeps.search.tune_sessions import EarlierCheckpoints

# Points per curve: a file stays below 100 kB whatever --max-epochs
MAX_POINTS = 200
FLUSH_S = 30
# Seconds between two lists of running configs
INTERVAL_S = 2.0


class Stateless:
    """Keeps no state in Tune's files: only the records are authoritative."""

    def __getstate__(self) -> dict[str, Any]:
        return {}

    def save(self, checkpoint_path: str) -> None:
        """Save nothing."""

    def restore(self, checkpoint_path: str) -> None:
        """Restore nothing."""


# (model, fold, number) -> values of a config; None to leave it out of the table
ParamsOf = Callable[[str, int, int], Mapping[str, Any] | None]


class LearningCurves(Stateless, Callback):  # type: ignore[misc]
    """Writes the reports of running trials for TensorBoard, one folder per config.

    Networks have curves; TensorBoard's table (HPARAMS) has a row per config. Nothing reads them
    back, so after an error of the disk the sweep goes on without them.
    """

    def __init__(
        self, folder: Path, *, max_epochs: int, params_of: ParamsOf = lambda *_: None
    ) -> None:
        self.folder, self.every = folder, math.ceil(max_epochs / MAX_POINTS)
        self.params_of = params_of
        self.writers: dict[str, EventsWriter] = {}
        self.flushes = Turns(FLUSH_S)
        self.failed = False

    def on_trial_result(
        self, iteration: int, trials: Any, trial: Any, result: Mapping[str, Any], **info: Any
    ) -> None:
        """Write the epochs of a network, or the scores of closed forms."""
        points = [p for p in result.get("points", ()) if p["epochs"] % self.every == 0]
        if self.failed:
            return
        with self._giving_up():
            for scored in result.get("results", ()):
                self._write_scored(trial.config, scored)
            if points and trial.trial_id not in self.writers:
                number, first = trial.config["numbers"][0], points[0]["validation"]
                self._write_row(self._writer_of(trial), trial.config, number, first)
            for point in points:
                write = partial(_write, self._writer_of(trial), step=point["epochs"])
                for name in ("score", "train_mse", "learning_rate"):
                    write(name, point[name])
                for name, value in point["validation"].items():
                    write(f"validation/{name}", value)
            self.flushes.take(self._flush)

    def on_trial_complete(self, iteration: int, trials: Any, trial: Any, **info: Any) -> None:
        """Close the file of a trial that ended."""
        with self._giving_up():
            if writer := self.writers.pop(trial.trial_id, None):
                writer.close()

    # of one that failed for good, too
    on_trial_error = on_trial_complete

    def _write_scored(self, config: Mapping[str, Any], scored: Mapping[str, Any]) -> None:
        """Write a folder for a config of a closed form, which has no curve."""
        model, fold, number = config["model"], config["fold"], scored["number"]
        if self.params_of(model, fold, number) is None:
            return
        writer = self._open(f"{model}_fold{fold}_config{number}")
        self._write_row(writer, config, number, scored["validation"])
        _write(writer, "score", scored["score"], step=0)
        for name, value in scored["validation"].items():
            _write(writer, f"validation/{name}", value, step=0)
        writer.close()

    def _write_row(
        self,
        writer: EventsWriter,
        config: Mapping[str, Any],
        number: int,
        validation: Mapping[str, float | None],
    ) -> None:
        """Write a config's values and the names of its scores, for TensorBoard's table."""
        params = self.params_of(config["model"], config["fold"], number)
        if params is None:
            return
        metrics = ["score", *(f"validation/{n}" for n, v in validation.items() if _is_drawn(v))]
        # as text, for TensorBoard shows the number 2 as 2.0000
        about = {"model": config["model"], "outer fold": f"{config['fold']}", "config": f"{number}"}
        # its end at once: a sweep that is killed has no other time to write it
        for part in hparams({**about, **params}, dict.fromkeys(metrics)):
            writer.write_event(Event(wall_time=time.time(), summary=part))

    def _writer_of(self, trial: Any) -> EventsWriter:
        if trial.trial_id not in self.writers:
            self.writers[trial.trial_id] = self._open(trial.config["name"])
        return self.writers[trial.trial_id]

    def _open(self, name: str) -> EventsWriter:
        # SummaryWriter has a thread and a queue, which blocks for ever once the thread met an error
        (self.folder / name).mkdir(parents=True, exist_ok=True)
        return EventsWriter(str(self.folder / name / "events"))

    def _flush(self) -> None:
        for writer in self.writers.values():
            writer.flush()

    @contextlib.contextmanager
    def _giving_up(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if not self.failed:
                logger.warning(
                    "%s: no more learning curves for TensorBoard (%s)", self.folder, error
                )
            self.failed = True
            for writer in self.writers.values():
                with contextlib.suppress(OSError):
                    writer.close()


def _write(writer: EventsWriter, name: str, value: float | None, *, step: int) -> None:
    if _is_drawn(value):
        event = Event(wall_time=time.time(), step=step, summary=scalar(name, value))
        writer.write_event(event)


def _is_drawn(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


class RunningConfigs(Stateless, Callback):  # type: ignore[misc]
    """Calls `write` regularly, from the thread that runs the search.

    Parameters
    ----------
    write
        Function that writes the configs that train now, for dashboards.
    """

    def __init__(self, write: Callable[[], None]) -> None:
        self.write = write
        self.turns = Turns(INTERVAL_S)

    def on_step_end(self, iteration: int, trials: Any, **info: Any) -> None:
        """Write them if it is time."""
        try:
            self.turns.take(self.write)
        except UserError as error:
            # the file is only for inspection: the sweep continues without it
            logger.warning("%s", error)


class SilentTrials(TrialProgressCallback):  # type: ignore[misc]
    """Replaces Tune's own line per trial, which no verbosity level silences."""

    def _print(self, msg: str) -> None:
        """Print nothing: gx2c shows one line for the whole sweep."""


class CheckpointKeeper(Stateless, Callback):  # type: ignore[misc]
    """Removes a trial's checkpoints when it ends, and old ones when it has a new one.

    `keep` retains the last checkpoint of every trial.
    """

    def __init__(self, earlier: EarlierCheckpoints, *, keep: bool = False) -> None:
        self.earlier, self.keep = earlier, keep

    def on_checkpoint(
        self, iteration: int, trials: Any, trial: Any, checkpoint: Any, **info: Any
    ) -> None:
        """Remove checkpoints that an earlier session took of this trial."""
        self.earlier.remove(trial.config["checkpoints"])

    def on_trial_complete(self, iteration: int, trials: Any, trial: Any, **info: Any) -> None:
        """Remove all checkpoints of a finished trial."""
        if self.keep:
            return
        self.earlier.remove(trial.config["checkpoints"])
        self.earlier.remove_folder(trial.storage.trial_fs_path)

    # of one that failed for good, too
    on_trial_error = on_trial_complete


class Halt(Stateless, Callback):  # type: ignore[misc]
    """Abort the whole Tune run from a callback instead of marking one trial as failed.

    It keeps the first exception and raises it at the end of Tune's step. Tune catches exceptions
    that a scheduler raises while a trial ends, and retries that trial: a full disk would become a
    failed config.
    """

    def __init__(self, disk: DiskBudget | None = None) -> None:
        self.disk = disk
        self.reason: UserError | OSError | None = None

    @contextlib.contextmanager
    def catching(self) -> Iterator[None]:
        """Store the exception of a block and continue."""
        try:
            yield
        except (UserError, OSError) as error:
            self.reason = self.reason or error

    def on_step_end(self, iteration: int, trials: Any, **info: Any) -> None:
        """Raise the stored exception, if any."""
        if self.disk is not None:
            self.disk.check()
        if self.reason is not None:
            raise self.reason
