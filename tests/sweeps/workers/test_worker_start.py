"""A trial's worker is one that Ray has started already, and loads no more than it needs."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import ray
from local_ray import two_processors
from ray import cloudpickle, tune
from ray.tune import RunConfig, Tuner
from sweep_fixtures import make_plan

from sweeps.folder.paths import SweepPaths
from sweeps.phases import tuner
from sweeps.search.callbacks import Halt
from sweeps.search.ray_patches import prestarted_workers_are_used
from sweeps.search.tune_sessions import TuneSessions
from sweeps.workers.tasks import Packing

REPOSITORY = Path(__file__).parents[3]
# of no use to a network's trial; together a second of importing
UNUSED = (
    "optuna",
    "sweeps.phases.tuner",
    "scipy.spatial",
    "scipy.optimize",
    "scipy.stats",
    "sklearn",
)
LOADS = """
import sys
from ray import cloudpickle
trainable = cloudpickle.load(sys.stdin.buffer)
assert "torch" in sys.modules
print(trainable.default_resource_request({{"gpu_share": 0.25}}).bundles)
print("LOADED", *[name for name in {unused!r} if name in sys.modules])
"""


def test_a_worker_loads_what_a_network_needs_alone(tmp_path, monkeypatch):
    given: list[Any] = []
    monkeypatch.setattr(tuner, "Tuner", lambda trainable, **_: given.append(trainable))
    plan, paths = make_plan("smt"), SweepPaths(tmp_path / "run")
    paths.root.mkdir()
    sessions = TuneSessions(paths, "")
    board = plan.board(paths)
    tuner.make_tuner(plan, paths, board, sessions, halt=Halt(), packing=Packing(0.0))
    done = subprocess.run(
        [sys.executable, "-c", LOADS.format(unused=UNUSED)],
        input=cloudpickle.dumps(given[0]),
        capture_output=True,
        cwd=REPOSITORY,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout.decode().splitlines() == ["[{'CPU': 1.0, 'GPU': 0.25}]", "LOADED"]


class SaysWhoItIs(tune.Trainable):
    """Reports its process."""

    def step(self):
        return {"pid": os.getpid(), "done": True}

    def save_checkpoint(self, checkpoint_dir):
        pass


def idle_workers() -> set[int]:
    """Return the processes that Ray has started and given nothing to do."""
    lines = {int(p.parent.name): p for p in Path("/proc").glob("[0-9]*/cmdline")}
    idle = set()
    for pid, path in lines.items():
        with contextlib.suppress(OSError):
            if path.read_bytes().startswith(b"ray::IDLE"):
                idle.add(pid)
    return idle


def worker_was_idle(folder: Path) -> bool:
    """Run one trial; say whether it ran in a worker that had been there before."""
    with two_processors():
        before = idle_workers()
        assert before
        results = Tuner(
            SaysWhoItIs, run_config=RunConfig(storage_path=str(folder), verbose=0)
        ).fit()
        ray.shutdown()
    return results[0].metrics["pid"] in before


linux = pytest.mark.skipif(not Path("/proc").exists(), reason="reads /proc")


@pytest.mark.slow
@linux
def test_a_trial_has_a_worker_that_was_there(tmp_path, monkeypatch):
    # Tune hands on the keys to a storage, and with those a trial needs a worker of its own
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    with prestarted_workers_are_used():
        assert worker_was_idle(tmp_path)


@pytest.mark.slow
@linux
def test_tune_still_needs_it(tmp_path):
    # when this fails, trials have Ray's own workers without help, which can go
    assert not worker_was_idle(tmp_path)
