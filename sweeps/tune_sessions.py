"""Ray Tune's folders: one per session of a sweep, kept in mind for the checkpoints in it."""

from __future__ import annotations

import contextlib
import uuid
from pathlib import Path

from pyarrow import fs

from sweeps.paths import SweepPaths
from sweeps.records import read_json, write_json
from sweeps.search.earlier_checkpoints import EarlierCheckpoints


class TuneSessions:
    """The sessions of a sweep, by the names of Tune's folders.

    A resumed sweep starts Tune afresh, beside what earlier sessions left: the records, not Tune's
    state, say what is done, and only checkpoints of unfinished trials are used again.

    Parameters
    ----------
    paths
        Of the sweep.
    storage
        Where Tune keeps its folders, a path or URI; empty for the run folder.
    """

    def __init__(self, paths: SweepPaths, storage: str) -> None:
        self.paths, self.given = paths, storage
        self.storage = storage_path(storage or paths.tune)
        self.all: list[dict[str, str]] = []
        if paths.sessions.exists():
            self.all = list(read_json(paths.sessions).get("sessions", []))
        # those elsewhere cannot be read from here
        self.names = [one["name"] for one in self.all if one["storage"] == storage]

    def begin(self) -> str:
        """Return the name of a new session, which is written down before anything else."""
        name = f"{self.paths.root.resolve().name}-{uuid.uuid4().hex[:8]}"
        self.names.append(name)
        self.all.append({"name": name, "storage": self.given})
        write_json(self.paths.sessions, {"sessions": self.all})
        return name

    def checkpoints(self) -> EarlierCheckpoints:
        """Return what the sessions so far left of unfinished trials."""
        return EarlierCheckpoints(self.storage, self.names)

    def remove(self) -> None:
        """Remove the folders of all sessions."""
        filesystem, root = fs.FileSystem.from_uri(self.storage)
        for path in [f"{root}/{name}" for name in self.names] if self.given else [root]:
            with contextlib.suppress(FileNotFoundError):
                filesystem.delete_dir(path)


def storage_path(storage: str | Path) -> str:
    """Return an absolute path or the URI: Ray takes a relative path for a URI without a scheme."""
    given = str(storage)
    return given if "://" in given else str(Path(given).expanduser().resolve())
