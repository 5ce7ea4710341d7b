"""Learning curves for TensorBoard: one small file per network trial and session."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ray.tune import Callback
from tensorboardX import SummaryWriter

from trainables.work import TrialWork

# Of the longest training: a file stays below 100 kB whatever --max-epochs
MAX_POINTS = 200
FLUSH_S = 30


class LearningCurves(Callback):  # type: ignore[misc]
    """Writes what trials report, while they run.

    Parameters
    ----------
    folder
        One folder per trial is made in it.
    max_passes
        Of the longest training.
    """

    def __init__(self, folder: Path, *, max_passes: int) -> None:
        self.folder, self.every = folder, math.ceil(max_passes / MAX_POINTS)
        self.writers: dict[str, SummaryWriter] = {}

    def on_trial_result(
        self, iteration: int, trials: Any, trial: Any, result: Mapping[str, Any], **info: Any
    ) -> None:
        """Write the passes of a network; closed forms have none."""
        points = [p for p in result.get("points", ()) if p["passes"] % self.every == 0]
        if not points:
            return
        writer = self._writer_of(trial)
        for point in points:
            for name in ("score", "train_mse", "learning_rate"):
                _write(writer, name, point[name], point["passes"])
            for name, value in point["validation"].items():
                _write(writer, f"validation/{name}", value, point["passes"])

    def on_trial_complete(self, iteration: int, trials: Any, trial: Any, **info: Any) -> None:
        """Close the file of a trial that ended."""
        self._close(trial)

    def on_trial_error(self, iteration: int, trials: Any, trial: Any, **info: Any) -> None:
        """Close the file of a trial that failed for good."""
        self._close(trial)

    def __getstate__(self) -> dict[str, Any]:
        return {}

    def _writer_of(self, trial: Any) -> SummaryWriter:
        if trial.trial_id not in self.writers:
            name = TrialWork.from_dict({**trial.config, "configs": []}).name
            path = str(self.folder / name)
            self.writers[trial.trial_id] = SummaryWriter(path, flush_secs=FLUSH_S)
        return self.writers[trial.trial_id]

    def _close(self, trial: Any) -> None:
        writer = self.writers.pop(trial.trial_id, None)
        if writer is not None:
            writer.close()


def _write(writer: SummaryWriter, name: str, value: float | None, step: int) -> None:
    if value is not None and math.isfinite(value):
        writer.add_scalar(name, value, step)
