"""Where a result comes from: versions, commit, data, host, command."""

import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gx2c.saved.origin import processor_name, versions

NOTIFY = "--notify"
PACKAGES = ("gx2c", "torch", "ray", "optuna", "numpy", "scipy", "scikit-learn", "pandas")


def provenance() -> dict[str, Any]:
    """Return what a reader needs to judge and repeat a result."""
    return {
        "versions": versions(PACKAGES),
        "git_commit": _git_commit(),
        "host": {
            "system": platform.platform(),
            "processor": processor_name(),
            "cpus": os.cpu_count(),
        },
        "command": " ".join([Path(sys.argv[0]).name, *without_address(sys.argv[1:])]),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def without_address(words: Sequence[str]) -> list[str]:
    """Take the address of `--notify`, which may be secret, out of the words of a command."""
    kept: list[str] = []
    for word in words:
        hidden = kept and kept[-1] == NOTIFY
        start = f"{NOTIFY}="
        kept.append("..." if hidden else f"{start}..." if word.startswith(start) else word)
    return kept


def _git_commit() -> str:
    """Return the commit of the source tree, "+" if it was changed, or "unknown"."""
    folder = Path(__file__).resolve().parent
    try:
        commit = _git(folder, "rev-parse", "HEAD")
        changed = _git(folder, "status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return commit + ("+" if changed else "")


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments],
        capture_output=True,
        text=True,
        check=True,
        timeout=10,
    )
    return done.stdout.strip()
