"""What earlier sessions of a sweep left of trials that they did not finish."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

from pyarrow import fs

from trainables.checkpoint import CHECKPOINT_FILE

# One that is complete, and one that was being written when the driver died
MAX_PER_TRIAL = 2


class EarlierCheckpoints:
    """Checkpoints of unfinished trials, at most two of each.

    Parameters
    ----------
    storage
        A folder or URI.
    sessions
        Tune's names of the earlier sessions, oldest first.
    """

    def __init__(self, storage: str, sessions: Sequence[str]) -> None:
        self.filesystem, self.root = fs.FileSystem.from_uri(storage)
        self.by_trial: dict[str, list[str]] = {}
        for session in sessions:
            for path in self._files_of(session):
                self.by_trial.setdefault(PurePosixPath(path).parts[-3], []).append(path)
        for trial, paths in self.by_trial.items():
            self.by_trial[trial] = paths[-MAX_PER_TRIAL:]
            self.remove(paths[:-MAX_PER_TRIAL])

    def of(self, trial: str) -> list[str]:
        """Return the checkpoints of a trial, newest first."""
        return self.by_trial.get(trial, [])[::-1]

    def remove(self, checkpoints: Iterable[str]) -> None:
        """Remove checkpoints that are of no more use."""
        for path in checkpoints:
            self.remove_folder(str(PurePosixPath(path).parent))

    def remove_folder(self, path: str) -> None:
        """Remove a folder, if it is there and can be."""
        with contextlib.suppress(OSError):
            self.filesystem.delete_dir(path)

    def _files_of(self, session: str) -> list[str]:
        # session / trial / checkpoint_000003 / trial.pt
        selector = fs.FileSelector(f"{self.root}/{session}", allow_not_found=True, recursive=True)
        found = self.filesystem.get_file_info(selector)
        return sorted(info.path for info in found if info.base_name == CHECKPOINT_FILE)
