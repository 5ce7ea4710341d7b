"""Run independent tasks on Ray and yield results in order of completion."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import ray
import torch
from ray.exceptions import RayError, RayTaskError

from gx2c.errors import UserError
from sweeps.request.gpu_share import larger_share
from sweeps.workers.packing import Packing
from trainables.gpu import cap_gpu_memory

MAX_RETRIES = 3
Job = TypeVar("Job")


def run_tasks(
    function: Callable[..., Any],
    jobs: Sequence[Job],
    *,
    shared: Any,
    cpus: int,
    gpus: float,
    at_once: int,
    title: Callable[[Job], str],
) -> Iterator[tuple[Job, Any]]:
    """Call `function(shared, job)` for each job on the cluster.

    Parameters
    ----------
    function
        Function that every node can import, without side effects: the job of a lost worker is run
        again.
    jobs
        Second argument of each call.
    shared
        First argument, stored once in Ray's object store.
    cpus, gpus
        Resources of one call. A call that runs out of GPU memory is repeated once with twice the
        share.
    at_once
        Maximum number of concurrent calls, which bounds the driver's memory.
    title
        Returns the name of a call in Ray's dashboard.

    Yields
    ------
    (job, result)
        In order of completion.
    """
    remote = ray.remote(num_cpus=cpus, max_retries=MAX_RETRIES)(_capped)
    function_reference, shared_reference = ray.put(function), ray.put(shared)

    packing = Packing(gpus)

    def name(index: int) -> str:
        return f"{function.__name__} {index}"

    def start(index: int) -> None:
        share = packing.of(name(index))
        # Ray's dashboard and process titles show the name of the work, not of the wrapper
        task = remote.options(num_gpus=share, name=title(jobs[index]))
        running[task.remote(function_reference, share, shared_reference, jobs[index])] = index

    waiting = list(range(len(jobs)))[::-1]
    running: dict[Any, int] = {}
    while waiting or running:
        while waiting and len(running) < at_once:
            start(waiting.pop())
        done, _ = ray.wait(list(running), num_returns=1)
        index = running.pop(done[0])
        result = _result_of(done[0])
        if not isinstance(result, torch.OutOfMemoryError):
            yield jobs[index], result
        elif packing.grow(name(index)):
            start(index)
        else:
            raise UserError(
                f"work with a share of {larger_share(gpus):g} GPU ran out of its memory "
                f"({str(result).splitlines()[0]}); --resume with a larger --gpus-per-trial"
            )


def _capped(function: Callable[..., Any], share: float, shared: Any, job: Any) -> Any:
    """Call a function within its share of a GPU; return the error if the share is too small."""
    cap_gpu_memory(shared, share)
    try:
        return function(shared, job)
    except torch.OutOfMemoryError as error:
        return torch.OutOfMemoryError(str(error))


def _result_of(reference: Any) -> Any:
    try:
        return ray.get(reference)
    except RayTaskError as error:
        # one sentence, because Ray's own text is a traceback
        if isinstance(error.cause, UserError):
            raise error.cause from None
        raise
    except RayError as error:
        raise UserError(
            f"a worker was lost {MAX_RETRIES + 1} times on the same work ({type(error).__name__}); "
            "give trials more memory with a smaller --max-concurrent, then --resume"
        ) from None
