"""Ray's files of a sweep on one machine: in a private folder, which is removed at the end."""

import contextlib
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from gx2c.errors import UserError

# Where Ray keeps the token of this user's clusters, unless one of these variables names another
TOKEN = Path(".ray/auth_token")
TOKEN_VARIABLES = ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH")
PREFIX = "gx2c-ray-"
LOCK_FILE = ".lock"
# Below it, and the kernel's limit of a socket's path
SOCKET = "r/session_2026-01-01_00-00-00_000000_0000000/sockets/plasma_store"
LONGEST_SOCKET = 107
SHORT = "/tmp"  # nosec B108: a folder of our own is made in it
N_TRIES = 10
PAUSE_S = 0.2


@contextlib.contextmanager
def session_folder() -> Iterator[Path]:
    """Make a folder that only this user can read, and remove it and what killed sweeps left.

    It lies below $TMPDIR, or below /tmp if that path is too long for a socket.

    Raises
    ------
    UserError
        If neither can be used.
    """
    parent = _parent()
    _remove_left(parent)
    # only a folder with its lock held has the name by which others find it
    made = Path(tempfile.mkdtemp(prefix=f".{PREFIX}", dir=parent))
    lock = FileLock(made / LOCK_FILE)
    with lock:
        folder = made.rename(made.with_name(made.name.removeprefix(".")))
        try:
            # Ray lets everyone into its own folder, but nobody else gets through ours
            yield folder / "r"
        finally:
            _remove(folder)


def _parent() -> Path:
    parents = [Path(tempfile.gettempdir()), Path(SHORT)]
    for parent in parents:
        longest = len(os.fsencode(parent / f"{PREFIX}xxxxxxxx" / SOCKET))
        if longest <= LONGEST_SOCKET and os.access(parent, os.W_OK):
            return parent
    raise UserError(
        f"Ray cannot make its sockets below {parents[0]}, whose path is too long, nor below "
        f"{SHORT}, which cannot be written; set TMPDIR to a short path"
    )


def _remove_left(parent: Path) -> None:
    """Remove the folders of this user's sweeps that ended without removing them."""
    for folder in parent.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError, Timeout):
            is_ours = not folder.is_symlink() and folder.stat().st_uid == os.getuid()
            if is_ours and (folder / LOCK_FILE).is_file():
                with FileLock(folder / LOCK_FILE, timeout=0):
                    _remove(folder)


def _remove(folder: Path) -> None:
    # processes of Ray that are still ending may write in it
    for _ in range(N_TRIES):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(PAUSE_S)


def keep_token_private() -> None:
    """Let only this user read the token of Ray's clusters, which Ray writes for all to read.

    Without one, Ray makes it when it starts; it is made here, for it must never be open.
    """
    path = Path.home() / TOKEN
    if any(name in os.environ for name in TOKEN_VARIABLES):
        return
    with contextlib.suppress(OSError):
        if path.exists():
            path.chmod(0o600)
            return
        path.parent.mkdir(exist_ok=True)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(32))
