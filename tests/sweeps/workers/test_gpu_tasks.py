"""Work that runs out of its share of a GPU is begun once more with twice as much."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import ray
import torch
from local_ray import two_processors
from sweep_fixtures import make_plan

from gx2c.errors import UserError
from sweeps.workers.tasks import run_tasks

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", autouse=True)
def one_gpu() -> Iterator[None]:
    """Ray with a GPU by name: shares are counted, memory is what the tests say."""
    with two_processors(n_gpus=1):
        yield


def needs(shared: Any, share: float) -> float:
    """Return the share that this process was given, if it is enough."""
    given = ray.get_runtime_context().get_assigned_resources()["GPU"]
    if given < share:
        raise torch.OutOfMemoryError("CUDA out of memory")
    return float(given)


def run(*shares: float) -> dict[float, float]:
    context = make_plan("mlp").context()
    return dict(run_tasks(needs, shares, shared=context, cpus=1, gpus=0.25, at_once=2, title=str))


def test_only_what_ran_out_gets_more() -> None:
    assert run(0.25, 0.5, 0.1) == {0.25: 0.25, 0.5: 0.5, 0.1: 0.25}


def test_what_runs_out_again_stops_the_sweep_with_a_sentence() -> None:
    with pytest.raises(UserError, match=r"work with a share of 0.5 GPU .*larger --gpus-per-trial"):
        run(0.9)
