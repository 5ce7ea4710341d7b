"""Workers that start slowly are not ended for trials that are short."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from pathlib import Path

import pytest
import ray
from ray import tune
from ray.tune import RunConfig, TuneConfig, Tuner

from sweeps.search.patient_actors import starting_actors_are_kept


class SlowToStart(tune.Trainable):
    """Starts in a second and is done in a tenth of it, as loading torch is to a small fit."""

    def setup(self, config):
        # those that are ended while they start never say so
        time.sleep(1.0)
        self.folder = Path(config["folder"])
        (self.folder / f"started-{os.getpid()}").touch()

    def reset_config(self, new_config):
        return True

    def step(self):
        time.sleep(0.1)
        (self.folder / f"worked-{os.getpid()}").touch()
        return {"done": True}

    def save_checkpoint(self, checkpoint_dir):
        pass


@pytest.fixture(scope="module")
def two_processors():
    with pytest.MonkeyPatch.context() as patch:
        # workers import this file
        patch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
        ray.init(
            address="local", num_cpus=2, num_gpus=0, include_dashboard=False, log_to_driver=False
        )
        yield
        ray.shutdown()


def workers(folder: Path, *, patient: bool) -> tuple[int, int]:
    """Search with twenty short trials; count the workers that started and those that worked."""
    with starting_actors_are_kept() if patient else contextlib.nullcontext():
        Tuner(
            SlowToStart,
            param_space={"folder": str(folder)},
            tune_config=TuneConfig(num_samples=20, reuse_actors=True, max_concurrent_trials=2),
            run_config=RunConfig(storage_path=str(folder / "tune"), verbose=0),
        ).fit()
    return tuple(len(list(folder.glob(f"{did}-*"))) for did in ("started", "worked"))


def test_every_worker_works(two_processors, tmp_path):
    assert workers(tmp_path, patient=True) == (2, 2)


def test_tune_still_needs_it(two_processors, tmp_path):
    # when this fails, Tune keeps starting workers of itself and the change of it can go
    started, worked = workers(tmp_path, patient=False)
    assert worked < 2 or started > 2
