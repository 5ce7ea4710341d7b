"""Run independent pieces of work on Ray and take results as they come."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import ray
from ray.exceptions import RayError, RayTaskError

from gx2c.errors import UserError

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
        Of one call.
    at_once
        Calls in flight at most, so that the driver's memory stays flat.

    Yields
    ------
    (int, result)
        Index of the job, in the order in which they end.
    """
    remote = ray.remote(num_cpus=cpus, num_gpus=gpus, max_retries=MAX_RETRIES)(function)
    shared_reference = ray.put(shared)
    waiting = list(enumerate(jobs))[::-1]
    running: dict[Any, int] = {}
    while waiting or running:
        while waiting and len(running) < at_once:
            index, job = waiting.pop()
            running[remote.remote(shared_reference, *job)] = index
        done, _ = ray.wait(list(running), num_returns=1)
        yield running.pop(done[0]), _result_of(done[0])


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
