"""Ray Tune's folders, one per session of a sweep, and the checkpoints in them."""

import contextlib
import uuid
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

from pyarrow import fs

from sweeps.folder.paths import SweepPaths
from sweeps.folder.records import read_as, write_json
from trainables.work import CHECKPOINT_FILE

# One complete checkpoint, and one that was being written when the driver died
MAX_PER_TRIAL = 2


class EarlierCheckpoints:
    """Checkpoints of unfinished trials from earlier sessions, at most two per trial."""

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
        """Remove checkpoints that are no longer needed."""
        for path in checkpoints:
            self.remove_folder(str(PurePosixPath(path).parent))

    def remove_folder(self, path: str) -> None:
        """Remove a folder if possible."""
        with contextlib.suppress(OSError):
            self.filesystem.delete_dir(path)

    def _files_of(self, session: str) -> list[str]:
        # session / trial / checkpoint_000003 / trial.pt
        selector = fs.FileSelector(f"{self.root}/{session}", allow_not_found=True, recursive=True)
        found = self.filesystem.get_file_info(selector)
        return sorted(info.path for info in found if info.base_name == CHECKPOINT_FILE)


class TuneSessions:
    """The sessions of a sweep, by the names of Tune's folders.

    A resumed sweep starts a new Tune session: the records, not Tune's state, determine what is
    done, and only checkpoints of unfinished trials are reused. Without a storage, the folders are
    in the run folder.
    """

    def __init__(self, paths: SweepPaths, storage: str) -> None:
        self.paths, self.given = paths, storage
        self.storage = storage or str(paths.tune.resolve())
        self.all: list[dict[str, str]] = []
        if paths.sessions.exists():
            self.all = read_as(dict[str, list[dict[str, str]]], paths.sessions)["sessions"]
        # those in other storages cannot be read from here
        self.names = [one["name"] for one in self.all if one["storage"] == storage]

    def begin(self) -> str:
        """Return the name of a new session, which is recorded before anything else."""
        name = f"{self.paths.root.resolve().name}-{uuid.uuid4().hex[:8]}"
        self.names.append(name)
        self.all.append({"name": name, "storage": self.given})
        write_json(self.paths.sessions, {"sessions": self.all})
        return name

    def checkpoints(self) -> EarlierCheckpoints:
        """Return the checkpoints that earlier sessions took of unfinished trials."""
        return EarlierCheckpoints(self.storage, self.names)

    def remove(self) -> None:
        """Remove the folders of all sessions."""
        filesystem, root = fs.FileSystem.from_uri(self.storage)
        for path in [f"{root}/{name}" for name in self.names] if self.given else [root]:
            with contextlib.suppress(FileNotFoundError):
                filesystem.delete_dir(path)
