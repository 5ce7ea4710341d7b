"""Workers that start slowly are not ended for trials that are short."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

import pytest
from local_ray import two_processors
from ray import tune
from ray.tune import RunConfig, TuneConfig, Tuner

from sweeps.search.ray_patches import starting_actors_are_kept


class SlowToStart(tune.Trainable):
    """The first worker starts at once, others in two seconds; a trial takes a tenth of one.

    So it is where loading torch takes longer than a fit. On a busy machine, on which processes
    start late, trials take longer too.
    """

    def setup(self, config):
        self.folder = Path(config["folder"])
        self.pause_s = 0.1 + (time.time() - config["begun"]) / 20
        try:
            (self.folder / "first").touch(exist_ok=False)
        except FileExistsError:
            time.sleep(2.0)
        # those that are ended while they start never say so
        (self.folder / f"started-{os.getpid()}").touch()

    def reset_config(self, new_config):
        return True

    def step(self):
        time.sleep(self.pause_s)
        (self.folder / f"worked-{os.getpid()}").touch()
        return {"done": True}

    def save_checkpoint(self, checkpoint_dir):
        pass


@pytest.fixture(scope="module", autouse=True)
def local_ray():
    with two_processors():
        yield


def workers(folder: Path, *, patient: bool) -> tuple[int, int]:
    """Search with forty short trials; count the workers that started and those that worked."""
    with starting_actors_are_kept() if patient else contextlib.nullcontext():
        Tuner(
            SlowToStart,
            param_space={"folder": str(folder), "begun": time.time()},
            tune_config=TuneConfig(num_samples=40, reuse_actors=True, max_concurrent_trials=2),
            run_config=RunConfig(storage_path=str(folder / "tune"), verbose=0),
        ).fit()
    return tuple(len(list(folder.glob(f"{did}-*"))) for did in ("started", "worked"))


@pytest.mark.slow
def test_every_worker_works(tmp_path):
    assert workers(tmp_path, patient=True) == (2, 2)


@pytest.mark.slow
def test_tune_still_needs_it(tmp_path):
    # when this fails, Tune keeps starting workers of itself and the change of it can go
    started, worked = workers(tmp_path, patient=False)
    assert worked < 2 or started > 2
