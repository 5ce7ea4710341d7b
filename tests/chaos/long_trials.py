"""Kill trials that take minutes, and see how much of their training is done again."""

from __future__ import annotations

import hashlib
import json
import random
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import processes
import torch
from real_sweeps import PATIENCE_S, kill_driver, start_gx2c, wait_for
from tensorboardX.proto.event_pb2 import Event

from gx2c.data import make_synthetic_brain, write_dataset
from sweeps.folder.paths import SweepPaths
from trainables.work import CHECKPOINT_FILE, TrialContext

# One published network per fold, which trains for three checkpoint intervals on a quiet machine;
# one trial at a time
OPTIONS = (
    "--preset standard --budget none --seeds 1 --samples 1 --max-epochs 130 --folds 2 "
    "--inner-folds 2 --genes all --nulls 0 --max-concurrent 1"
).split()
N_TRIALS = 2
KILLS = ("worker", "driver")
# A checkpoint is due at the first report after the interval
LONGEST_S = TrialContext.checkpoint_interval_s + 2 * TrialContext.report_interval_s
AT_ONCE_S = 3.0
Checkpoint = tuple[Path, float, int]


def run_long_trials(folder: Path, *, seed: int, log: Callable[[dict[str, Any]], None]) -> bool:
    """Search with two long trials, undisturbed and, beside it, through kills.

    Parameters
    ----------
    folder
        Where datasets and runs go.
    seed
        Of the moments of the kills.
    log
        Told of every kill: the age of the newest checkpoint when it happened, the epochs in that
        checkpoint, and those that the trial had at its first report afterwards.

    Returns
    -------
    bool
        Whether the trials ended alike.
    """
    brain = make_synthetic_brain(n_regions=200, n_genes=2000, seed=3)
    dataset = write_dataset(folder / "slow", brain, {"Name": "slow", "Summary": "synthetic"})
    undisturbed, killed = (LongSweep(dataset, SweepPaths(folder / n)) for n in ("calm", "killed"))
    rng = random.Random(seed)
    try:
        for sweep in (undisturbed, killed):
            sweep.start()
        for what in KILLS:
            log(killed.kill_after_checkpoint(what, delay_s=rng.uniform(0, 8)))
        return killed.trials() == undisturbed.trials()
    finally:
        for sweep in (undisturbed, killed):
            sweep.stop()


class LongSweep:
    """A search whose trials outlive several checkpoints."""

    def __init__(self, dataset: Path, paths: SweepPaths) -> None:
        self.dataset, self.paths = dataset, paths
        self.known: set[Path] = set()

    def start(self) -> None:
        """Start the sweep, or go on with it."""
        resume = ["--resume"] if self.paths.sweep.exists() else []
        self.process = start_gx2c(
            "sweep", "smt", "--dataset", str(self.dataset), "--out", str(self.paths.root),
            *OPTIONS, *resume, cwd=self.paths.root.parent,
        )  # fmt: skip

    def stop(self) -> None:
        """Kill the sweep if it runs."""
        if self.process.poll() is None:
            kill_driver(self.process)

    def trials(self) -> list[dict[str, Any]]:
        """Wait until all trials have ended; return their records without time and checksum."""
        files = wait_for(
            self.process, self._all_records, "end of all trials", patience_s=3 * PATIENCE_S
        )
        return [
            json.loads(path.read_text()) | dict.fromkeys(("seconds", "started", "ended", "sha256"))
            for path in files
        ]

    def kill_after_checkpoint(self, what: str, *, delay_s: float) -> dict[str, Any]:
        """Kill a trial's worker or the driver some time after a trial's next checkpoint."""
        wait_for(self.process, self._new_checkpoints, "checkpoint")
        time.sleep(delay_s)
        work: dict[int, tuple[float, str]] = wait_for(self.process, self._busy, "busy worker")
        path, written, epochs = wait_for(self.process, self._newest, "new checkpoint")
        killed = time.time()
        if what == "worker":
            processes.kill(work)
        else:
            kill_driver(self.process)
            self.start()
        self.known = set(self._files())
        again = wait_for(self.process, lambda: self._first_report(path, killed), "report")
        ((pid, (used, title)),) = work.items()
        return {
            "sweep": "long", "what": what, "phase": "search", "pid": pid, "busy_pid": pid,
            "title": title[:60], "used_s": round(used, 3),
            "checkpoint_age_s": round(killed - written, 1), "checkpoint_epochs": epochs,
            "epochs_at_first_report": again,
        }  # fmt: skip

    def _all_records(self) -> list[Path]:
        files = sorted(self.paths.root.glob("records/smt/*/config_*.json"))
        return files if len(files) == N_TRIALS else []

    def _busy(self) -> dict[int, tuple[float, str]]:
        return processes.busy(lambda: processes.descendants(self.process.pid))

    def _files(self) -> list[Path]:
        return sorted(self.paths.tune.rglob(CHECKPOINT_FILE), key=lambda p: p.stat().st_mtime)

    def _new_checkpoints(self) -> list[Path]:
        return [path for path in self._files() if path not in self.known]

    def _newest(self) -> Checkpoint | None:
        """Return a new checkpoint's file, when it was written and the epochs that it holds."""
        for path in self._new_checkpoints()[-1:]:
            with path.open("rb") as file:
                file.seek(hashlib.sha256().digest_size)
                state = torch.load(file, weights_only=True)["state"]
            return path, path.stat().st_mtime, len(state["nested"]["curve"])
        return None

    def _first_report(self, checkpoint: Path, since: float) -> int:
        """Return the epochs that the checkpoint's trial had when it first reported again."""
        folder = self.paths.tensorboard / checkpoint.parts[-3]
        events = [e for path in folder.glob("events.*") for e in _events(path)]
        later = [e for e in events if e.wall_time > since and e.step]
        first = min((e.wall_time for e in later), default=0.0)
        # all epochs of one report are written at once; it is whole when there is another
        if not any(e.wall_time > first + AT_ONCE_S for e in later):
            return 0
        return max(e.step for e in later if e.wall_time <= first + AT_ONCE_S)


def _events(path: Path) -> list[Any]:
    """Return the events of a TensorBoard file; the last one may be half written."""
    content, found = path.read_bytes(), []
    while len(content) >= 16:
        (length,) = struct.unpack("<Q", content[:8])
        if len(content) < 16 + length:
            break
        # length, its checksum, event, its checksum
        found.append(Event.FromString(content[12 : 12 + length]))
        content = content[16 + length :]
    return found
