"""Keep the checkpoints of unfinished trials alone."""

from __future__ import annotations

from typing import Any

from ray.tune import Callback

from sweeps.search.earlier_checkpoints import EarlierCheckpoints


class CheckpointKeeper(Callback):  # type: ignore[misc]
    """Removes a trial's checkpoints when it ends, and older ones when it has a newer one.

    Parameters
    ----------
    earlier
        Of earlier sessions.
    keep
        Keep the last checkpoint of every trial.
    """

    def __init__(self, earlier: EarlierCheckpoints, *, keep: bool = False) -> None:
        self.earlier, self.keep = earlier, keep

    def on_checkpoint(
        self, iteration: int, trials: Any, trial: Any, checkpoint: Any, **info: Any
    ) -> None:
        """Remove what an earlier session left of this trial."""
        self.earlier.remove(trial.config["checkpoints"])

    def on_trial_complete(self, iteration: int, trials: Any, trial: Any, **info: Any) -> None:
        """Remove all checkpoints of a trial that has its record."""
        self._remove_all(trial)

    def on_trial_error(self, iteration: int, trials: Any, trial: Any, **info: Any) -> None:
        """Remove all checkpoints of a trial that has failed for good."""
        self._remove_all(trial)

    def _remove_all(self, trial: Any) -> None:
        if self.keep:
            return
        self.earlier.remove(trial.config["checkpoints"])
        self.earlier.remove_folder(trial.storage.trial_fs_path)

    def __getstate__(self) -> dict[str, Any]:
        return {}
