"""Real sweeps in processes of their own, and what may be done to them while they run."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sweeps.folder.paths import SweepPaths

REPOSITORY = Path(__file__).parents[2]
# Small, but with rungs, two groups of nulls and a fold more than one
TINY = (
    "--preset quick --samples 4 --max-epochs 20 --folds 2 --inner-folds 2 --genes 20_var "
    "--nulls 18 --ensemble 1"
).split()
PATIENCE_S = 240.0


def start_gx2c(
    *arguments: str, cwd: Path, environment: Mapping[str, str] | None = None
) -> subprocess.Popen[str]:
    """Start `gx2c` in a process group of its own, on this machine unless told of a cluster."""
    search_path = os.pathsep.join([str(REPOSITORY), os.environ.get("PYTHONPATH", "")])
    # no GPU is seen even where there is one: results must be those of every machine
    inherited = {name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"}
    ours = {"PYTHONPATH": search_path, "CUDA_VISIBLE_DEVICES": ""}
    return subprocess.Popen(
        [sys.executable, "-m", "sweeps.cli.app", *arguments],
        cwd=cwd,
        env=inherited | ours | dict(environment or {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def gx2c(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run `gx2c` to its end, whatever that is."""
    process = start_gx2c(*arguments, cwd=cwd)
    out, err = process.communicate(timeout=PATIENCE_S)
    return subprocess.CompletedProcess(arguments, process.returncode, out, err)


def sweep(model: str, dataset: Path, out: Path, *more: str) -> SweepPaths:
    """Run a tiny sweep to its end; later options beat earlier ones."""
    done = gx2c(*sweep_arguments(model, dataset, out, *more), cwd=out.parent)
    assert done.returncode == 0, done.stderr + done.stdout
    return SweepPaths(out)


def sweep_arguments(model: str, dataset: Path, out: Path, *more: str) -> list[str]:
    return ["sweep", model, "--dataset", str(dataset), "--out", str(out), *TINY, *more]


def wait_for(
    process: subprocess.Popen[str],
    happened: Callable[[], Any],
    what: str,
    *,
    patience_s: float = PATIENCE_S,
) -> Any:
    """Wait until something has happened while the process runs, and return it."""
    end = time.monotonic() + patience_s
    while not (found := happened()):
        assert process.poll() is None, f"ended before {what}: {process.communicate()}"
        assert time.monotonic() < end, f"no {what} after {patience_s:g} s"
        time.sleep(0.02)
    return found


def kill_driver(process: subprocess.Popen[str]) -> None:
    """Kill the driver outright; workers end when they miss it."""
    os.kill(process.pid, signal.SIGKILL)
    end = time.monotonic() + 10
    while trial_workers(process) and time.monotonic() < end:
        time.sleep(0.1)
    # Ray's agents take half a minute to notice
    for member in members_of(process.pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(member, signal.SIGKILL)
    process.communicate()


def trial_workers(process: subprocess.Popen[str]) -> list[int]:
    """Return the processes of this sweep that train trials."""
    # between two steps, and during one
    titles = re.compile(r"ray::(FoldTrainable|\S+ fold \d+ config )")
    return [pid for pid in members_of(process.pid) if titles.search(title_of(pid))]


def members_of(session: int) -> list[int]:
    members = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        # state, parent, group, session
        if fields[0] != "Z" and int(fields[3]) == session and int(path.parent.name) != session:
            members.append(int(path.parent.name))
    return members


def title_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def result_of(paths: SweepPaths) -> dict[str, Any]:
    """Return a summary without what may differ between two runs of the same sweep."""
    summary = json.loads(paths.summary.read_text())
    differ = ("provenance", "seconds", "sha256")
    return {key: summary[key] for key in summary if key not in differ}


def finished_files(paths: SweepPaths) -> dict[Path, tuple[int, int]]:
    """Return inode and time of every file that says that something is finished."""
    files = [
        *paths.root.glob("records/*/*/config_*.json"),
        *paths.root.glob("retrained/*/*/result.json"),
        *paths.root.glob("nulls/*/*/group_*.json"),
    ]
    return {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in files}
