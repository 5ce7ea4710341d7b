"""Trials with a quarter of a GPU on two nodes: eight at once, each within its share."""

import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import ray
import torch
from ray import tune
from ray.cluster_utils import Cluster
from ray.tune import RunConfig, Tuner
from ray.tune.result import DONE
from sweep_fixtures import make_plan

from gx2c.fit import ComputeProfile
from sweeps.search.resources import resources_of
from trainables.fold_trainable import FoldTrainable
from trainables.work import TrialContext

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

N_TRIALS = 8


@pytest.fixture(scope="module", autouse=True)
def two_nodes() -> Iterator[None]:
    """Two nodes with one GPU each that exists by name only; the head has none."""
    with (
        pytest.MonkeyPatch.context() as patch,
        tempfile.TemporaryDirectory(prefix="gx2c-", dir="/tmp", ignore_cleanup_errors=True) as tmp,
    ):
        # workers import this file
        patch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
        patch.setenv("RAY_TMPDIR", tmp)
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        cluster = Cluster(
            initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False}
        )
        for _ in range(2):
            cluster.add_node(num_cpus=N_TRIALS // 2, num_gpus=1)
        ray.init(address=cluster.address, log_to_driver=False)
        yield
        ray.shutdown()
        cluster.shutdown()


class Witness(FoldTrainable):
    """A trial that notes what it sees, and ends when all others are there."""

    def setup(self, config: dict[str, Any], *, context: TrialContext, folder: str) -> None:
        """Note the cap on the memory of a GPU that exists by name only."""
        self.folder, self.caps = Path(folder), []
        torch.cuda.empty_cache = lambda: None
        torch.cuda.set_per_process_memory_fraction = self.caps.append
        super().setup(config, context=context)

    def __repr__(self) -> str:
        return "witness"

    def _begin(self, config: dict[str, Any]) -> None:
        worker = ray.get_runtime_context()
        seen = {
            "node": worker.get_node_id(),
            "visible": os.environ["CUDA_VISIBLE_DEVICES"],
            "caps": self.caps,
        }
        (self.folder / config["name"]).write_text(json.dumps(seen))

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """Save nothing, because nothing was trained."""

    def step(self) -> dict[str, Any]:
        """Wait for the others."""
        end = time.monotonic() + 300
        while len(list(self.folder.iterdir())) < N_TRIALS:
            assert time.monotonic() < end, "the trials do not run at the same time"
            time.sleep(0.1)
        return {DONE: True}


def test_eight_trials_run_at_once_each_on_its_node_s_gpu_and_within_its_share(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "seen"
    folder.mkdir()
    profile = ComputeProfile(device="cuda")
    context = replace(make_plan("mlp").context(), profile=profile, gpu_fraction=0.25)
    trainable = tune.with_parameters(Witness, context=context, folder=str(folder))
    names = [f"trial{number}" for number in range(N_TRIALS)]
    results = Tuner(
        tune.with_resources(trainable, partial(resources_of, cpus=1)),
        param_space={"gpu_share": 0.25, "name": tune.grid_search(names)},
        run_config=RunConfig(storage_path=str(tmp_path / "tune"), verbose=0),
    ).fit()
    assert not results.errors
    seen = [json.loads((folder / name).read_text()) for name in names]
    assert sorted(Counter(one["node"] for one in seen).values()) == [4, 4]
    assert {one["visible"] for one in seen} == {"0"}, "one GPU, the node's only one"
    assert all(one["caps"] == [0.25] for one in seen)
