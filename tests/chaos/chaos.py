"""Kill parts of real sweeps at random moments, and see that nothing finished is lost.

python tests/chaos/chaos.py --out docs/chaos.json     (make chaos)
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import processes
from long_trials import run_long_trials
from real_sweeps import finished_files, kill_driver, result_of, start_gx2c
from virtual_cluster import VirtualCluster

from gx2c.data import make_synthetic_brain, write_dataset
from sweeps.folder.paths import SweepPaths
from sweeps.folder.provenance import provenance

OPTIONS = (
    "--preset quick --samples 24 --max-epochs 60 --folds 2 --inner-folds 2 --genes 20_var "
    "--nulls 160"
).split()
N_RECORDS, N_RETRAINED, N_GROUPS = 2 * (24 + 32), 4, 2 * 10
PATIENCE_S = 600.0
# What is killed or, for seconds, frozen, and in which phase; a head, driver or part of Ray that is
# killed is started again
LOCAL = (
    ("worker", "search"),
    ("frozen worker", "search"),
    ("frozen driver", "search"),
    ("driver", "search"),
    ("raylet", "search"),
    ("worker", "retrain"),
    ("frozen worker", "retrain"),
    ("gcs", "retrain"),
    ("worker", "nulls"),
    ("frozen worker", "nulls"),
    ("frozen driver", "nulls"),
    ("agent", "nulls"),
    ("driver", "nulls"),
    ("driver", "export"),
)
CLUSTER = (
    ("node", "search"),
    ("head", "search"),
    ("node", "retrain"),
    ("node", "nulls"),
    ("head", "nulls"),
)
FROZEN = "frozen "
LONGEST_FREEZE_S = 4.0
# Parts of this machine's Ray, by what their command lines hold
RAY_PARTS = {"raylet": "raylet/raylet ", "gcs": "gcs_server ", "agent": "ray::RuntimeEnvAgent"}
Files = dict[str, tuple[int, int, str]]


def phase_of(paths: SweepPaths) -> str:
    """Say what a sweep does, by what it has finished."""
    if len(list(paths.root.glob("records/*/*/config_*.json"))) < N_RECORDS:
        return "search"
    if len(list(paths.root.glob("retrained/*/*/result.json"))) < N_RETRAINED:
        return "retrain"
    if len(list(paths.root.glob("nulls/*/*/group_*.json"))) < N_GROUPS:
        return "nulls"
    return "export"


def fingerprints(paths: SweepPaths) -> Files:
    """Return inode, time and content of every file that says that something is finished."""
    return {
        str(path.relative_to(paths.root)): (*stat, hashlib.sha256(path.read_bytes()).hexdigest())
        for path, stat in finished_files(paths).items()
    }


class Scenario:
    """One sweep and what happens to it.

    Parameters
    ----------
    dataset, paths
        Of the sweep.
    kills
        (what, phase) in order.
    rng
        Decides moments and victims.
    log
        Told of every kill.
    """

    def __init__(
        self,
        dataset: Path,
        paths: SweepPaths,
        kills: Sequence[tuple[str, str]],
        rng: random.Random,
        log: Callable[[dict[str, Any]], None],
    ) -> None:
        self.dataset, self.paths, self.kills, self.rng, self.log = dataset, paths, kills, rng, log
        on_cluster = any(what in ("node", "head") for what, _ in kills)
        self.cluster = VirtualCluster() if on_cluster else None
        self.seen: Files = {}
        self.rewritten: list[str] = []

    def run(self) -> dict[str, Any]:
        """Run the sweep to its end, through all kills."""
        try:
            self._start()
            for what, phase in self.kills:
                self._kill_when_busy(what, phase)
            out, err = self.process.communicate(timeout=PATIENCE_S)
            assert self.process.returncode == 0, err + out
            self._compare()
            return result_of(self.paths)
        finally:
            if self.process.poll() is None:
                kill_driver(self.process)
            if self.cluster:
                self.cluster.end()

    def _start(self) -> None:
        resume = ["--resume"] if self.paths.sweep.exists() else []
        address = {"RAY_ADDRESS": self.cluster.address} if self.cluster else {}
        self.started = time.time()
        self.process = start_gx2c(
            "sweep", "mlp", "--dataset", str(self.dataset), "--out", str(self.paths.root),
            *OPTIONS, *resume, cwd=self.paths.root.parent, environment=address,
        )  # fmt: skip

    def _kill_when_busy(self, what: str, phase: str) -> None:
        end = time.monotonic() + PATIENCE_S
        self._wait_for(phase, end)
        # somewhere in the phase, not always at its beginning
        time.sleep(self.rng.uniform(0, {"search": 2.0, "nulls": 1.0}.get(phase, 0.02)))
        while True:
            assert time.monotonic() < end, f"no busy {what} to kill in {phase}"
            assert self.process.poll() is None, f"ended before {what} could be killed in {phase}"
            before, now = fingerprints(self.paths), phase_of(self.paths)
            work = self._work(now)
            if work:
                break
        self._compare(before)
        # a sweep that has outrun the wish is killed where it is, and then only its driver works
        what = "driver" if now == "export" else what
        self.log(
            {
                "sweep": self.paths.root.name,
                "what": what,
                "phase": now,
                **self._kill(what, work),
                "finished_before": len(before),
            }
        )

    def _wait_for(self, phase: str, end: float) -> None:
        there = ("search", "retrain", "nulls", "export")
        while there.index(phase_of(self.paths)) < there.index(phase):
            assert self.process.poll() is None, self.process.communicate()
            assert time.monotonic() < end, f"{phase} not reached"
            time.sleep(0.005)

    def _members(self) -> list[int]:
        return self.cluster.workers() if self.cluster else processes.descendants(self.process.pid)

    def _work(self, phase: str) -> dict[int, tuple[float, str]]:
        """Return busy processes, processor seconds just used and title; none: do not kill."""
        if phase != "export":
            return processes.busy(self._members)
        # then the driver writes, and no worker has anything to do
        written = self.paths.trials.exists() and self.paths.trials.stat().st_mtime > self.started
        if not written or self.paths.summary.exists():
            return {}
        used = processes.uses_processor(self.process.pid)
        return {self.process.pid: (used, "the driver writes")} if used else {}

    def _kill(self, what: str, work: dict[int, tuple[float, str]]) -> dict[str, Any]:
        pid = self.rng.choice(sorted(work))
        used, title = work[pid]
        proof = {"busy_pid": pid, "title": title[:60], "used_s": round(used, 3)}
        if what.startswith(FROZEN):
            frozen = pid if what == FROZEN + "worker" else self.process.pid
            processes.freeze(frozen, self.rng.uniform(0.5, LONGEST_FREEZE_S))
            return {"pid": frozen, **proof}
        if what == "worker":
            processes.kill([pid])
            return {"pid": pid, **proof}
        if what in RAY_PARTS:
            part = next(p for p in self._members() if RAY_PARTS[what] in processes.title(p) + " ")
            processes.kill([part])
            _, err = self.process.communicate(timeout=PATIENCE_S)
            # Ray may end the driver before it has left by itself
            assert self.process.returncode in (1, 2), err
            assert "gx2c: Ray's" in err and "--resume" in err, err
            self._start()
            return {"pid": part, **proof}
        if what == "node":
            node = next(n for n in self.cluster.nodes if pid in self.cluster.workers_of(n))
            killed = self.cluster.kill_node(node)
            self.cluster.add_node()
            return {"pid": killed[0], **proof}
        if what == "driver":
            killed = [self.process.pid]
            kill_driver(self.process)
        else:
            killed = self.cluster.kill_head()
            self._end_of_driver()
            self.cluster.end()
            self.cluster.start()
        self._start()
        return {"pid": killed[0], **proof}

    def _end_of_driver(self) -> None:
        """Give the driver of a dead head a moment to notice, then kill it."""
        try:
            self.process.communicate(timeout=self.rng.uniform(0, 3))
        except subprocess.TimeoutExpired:
            kill_driver(self.process)

    def _compare(self, now: Files | None = None) -> None:
        now = fingerprints(self.paths) if now is None else now
        self.rewritten += [name for name in self.seen if now.get(name) != self.seen[name]]
        self.seen = now


def run_chaos(folder: Path, *, rounds: int, seed: int) -> dict[str, Any]:
    """Run sweeps in pairs, one on this machine and one on a virtual cluster.

    Returns
    -------
    dict
        "kills" one by one, and what must be: all sweeps completed, nothing finished run again,
        every summary equal to the undisturbed run's.
    """
    started = time.monotonic()
    brain = make_synthetic_brain(n_regions=32, n_genes=40, seed=3)
    dataset = write_dataset(folder / "tiny", brain, {"Name": "tiny", "Summary": "synthetic"})
    undisturbed = _run(dataset, folder / "undisturbed", (), random.Random(0), print)[0]
    kills: list[dict[str, Any]] = []

    def log(entry: dict[str, Any]) -> None:
        kills.append({"at_s": round(time.monotonic() - started, 1), **entry})
        print(json.dumps(kills[-1]), flush=True)

    rng = random.Random(seed)
    equal, rewritten, n_sweeps = 0, [], 0
    for number in range(rounds):
        for name, plan in (("local", LOCAL), ("cluster", CLUSTER)):
            out = folder / f"{name}-{number}"
            result, changed = _run(dataset, out, plan, rng, log)
            n_sweeps, equal = n_sweeps + 1, equal + (result == undisturbed)
            rewritten += changed
    return {
        "seed": seed,
        "machine": provenance()["host"],
        "sweeps": n_sweeps,
        "completed": n_sweeps,
        "equal_to_undisturbed": equal,
        "finished_files_rewritten": rewritten,
        "n_kills": len(kills),
        "kills_by": {k: Counter(e[k] for e in kills) for k in ("what", "phase")},
        "seconds": round(time.monotonic() - started),
        "kills": kills,
    }


def _run(dataset: Path, out: Path, kills: Any, rng: random.Random, log: Any) -> Any:
    scenario = Scenario(dataset, SweepPaths(out), kills, rng, log)
    return scenario.run(), scenario.rewritten


def _long_trials(folder: Path, seed: int) -> dict[str, Any]:
    kills: list[dict[str, Any]] = []
    return {"equal": run_long_trials(folder, seed=seed, log=kills.append), "kills": kills}


def main() -> None:
    """Run chaos and write what happened."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = run_chaos(Path(folder), rounds=given.rounds, seed=given.seed)
        found["long_trials"] = _long_trials(Path(folder), given.seed)
    if given.out:
        given.out.write_text(json.dumps(found, indent=1) + "\n")
    print(json.dumps({k: v for k, v in found.items() if k != "kills"}, indent=1))
    good = found["equal_to_undisturbed"] == found["sweeps"] and found["long_trials"]["equal"]
    sys.exit(0 if good and not found["finished_files_rewritten"] else 1)


if __name__ == "__main__":
    main()
