"""Run independent pieces of work on Ray and take results as they come."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import ray
import torch
from ray.exceptions import RayError, RayTaskError

from gx2c.errors import UserError
from sweeps.packing import larger_share
from trainables.gpu import cap_gpu_memory

logger = logging.getLogger("gx2c")

MAX_RETRIES = 3


def run_tasks(
    function: Callable[..., Any],
    jobs: Sequence[tuple[Any, ...]],
    *,
    shared: Any,
    cpus: int,
    gpus: float,
    at_once: int,
) -> Iterator[tuple[int, Any]]:
    """Call `function(shared, *job)` for each job on the cluster.

    Parameters
    ----------
    function
        Importable on every node, and free of side effects: a lost worker's job is run again.
    jobs
        Arguments of each call.
    shared
        Stored once in Ray's object store.
    cpus, gpus
        Of one call. One that runs out of its share of a GPU is called once more with twice as much.
    at_once
        Calls in flight at most, so that the driver's memory stays flat.

    Yields
    ------
    (int, result)
        Index of the job, in the order in which they end.
    """
    remote = ray.remote(num_cpus=cpus, max_retries=MAX_RETRIES)(_capped)
    function_reference, shared_reference = ray.put(function), ray.put(shared)

    def start(index: int, share: float) -> None:
        # Ray's dashboard and process titles name the work, not what caps it
        task = remote.options(num_gpus=share, name=function.__name__)
        running[task.remote(function_reference, share, shared_reference, *jobs[index])] = index

    waiting = list(range(len(jobs)))[::-1]
    running: dict[Any, int] = {}
    again: set[int] = set()
    while waiting or running:
        while waiting and len(running) < at_once:
            start(waiting.pop(), gpus)
        done, _ = ray.wait(list(running), num_returns=1)
        index = running.pop(done[0])
        result = _result_of(done[0])
        if not isinstance(result, torch.OutOfMemoryError):
            yield index, result
        elif index in again or gpus >= 1:
            raise UserError(
                f"the GPU's memory is too small for work that has {larger_share(gpus):g} of it "
                f"({str(result).splitlines()[0]}); --resume with a larger --gpus-per-trial"
            )
        else:
            again.add(index)
            logger.warning(
                "out of memory with %g GPU; begun anew with %g", gpus, larger_share(gpus)
            )
            start(index, larger_share(gpus))


def _capped(function: Callable[..., Any], share: float, shared: Any, *job: Any) -> Any:
    """Call a function within its share of a GPU; return what is wrong if that is too little."""
    cap_gpu_memory(shared, share)
    try:
        return function(shared, *job)
    except torch.OutOfMemoryError as error:
        return torch.OutOfMemoryError(str(error))


def _result_of(reference: Any) -> Any:
    try:
        return ray.get(reference)
    except RayTaskError as error:
        # said in one sentence; Ray's own text is a traceback
        if isinstance(error.cause, UserError):
            raise error.cause from None
        raise
    except RayError as error:
        raise UserError(
            f"a worker was lost {MAX_RETRIES + 1} times at the same work ({type(error).__name__}); "
            "give trials more memory with a smaller --max-concurrent, then --resume"
        ) from None
