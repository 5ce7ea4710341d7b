"""Independent tasks on Ray, the number of trials per GPU, and shares that grow when too small."""

import math
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import ray
import torch
from ray.exceptions import RayError, RayTaskError

from gx2c.errors import UserError, logger
from gx2c.fit import ComputeProfile
from gx2c.models.names import families_of
from sweeps.folder.paths import SweepPaths
from sweeps.request.gpu_share import AUTO_GPUS, larger_share, share_of
from sweeps.request.plan import SweepPlan
from trainables.runners import StepCost, cap_gpu_memory, measure_step
from trainables.work import TrialContext, TrialWork

MAX_RETRIES = 3
Job = TypeVar("Job")
MAX_TRIALS_PER_GPU = 16
# Other configs may be larger than the measured ones, and memory blocks are never full
MEMORY_MARGIN = 1.5
N_MEASURED = 4

Measure = Callable[[TrialContext, Sequence[TrialWork], float], StepCost | None]


def trials_per_gpu(cost: StepCost) -> int:
    """Choose the number of trials per GPU: as many as its memory and its time allow.

    A trial that uses the GPU a quarter of the time leaves room for three others.
    """
    by_memory = cost.total_bytes // (MEMORY_MARGIN * cost.peak_bytes + cost.context_bytes)
    by_time = math.ceil(cost.wall_s / cost.busy_s) if cost.busy_s > 0 else MAX_TRIALS_PER_GPU
    return max(1, min(int(by_memory), by_time, MAX_TRIALS_PER_GPU))


def fit_to_gpus(plan: SweepPlan, measure: Measure | None = None) -> SweepPlan:
    """Choose the share of a GPU and the compute profile, once the cluster is up.

    `measure` measures works at a share of a GPU, by default on the cluster.

    Raises
    ------
    UserError
        If packing should be measured and no node has CUDA.
    """
    asked = plan.options.gpus_per_trial
    if not asked:
        return plan
    auto = asked == AUTO_GPUS
    works = _first_works(plan) if auto else []
    cost = (measure or _measure_on_cluster)(plan.context(), works, 1.0 if auto else asked)
    if cost is None and auto:
        raise UserError(
            "--gpus-per-trial auto measures a trial on a GPU, but the node with GPUs has no CUDA; "
            "install a torch with CUDA there, or give a share"
        )
    if cost is None:
        logger.warning(
            "the cluster declares GPUs, but torch finds no CUDA there: every trial computes on its "
            "CPUs"
        )
        threads = plan.options.cpus_per_trial
        return replace(plan, profile=ComputeProfile.choose(gpu=False, threads=threads))
    if not auto:
        return plan
    n_trials = trials_per_gpu(cost)
    logger.warning(
        "%d trials share a GPU: the largest measured trial used %.2f of %.1f GB and kept the GPU "
        "busy for %.0f %% of %.2f s",
        n_trials,
        (cost.peak_bytes + cost.context_bytes) / 1e9,
        cost.total_bytes / 1e9,
        100 * cost.busy_s / cost.wall_s if cost.wall_s else 0.0,
        cost.wall_s,
    )
    return replace(plan, measured_share=share_of(n_trials))


def _first_works(plan: SweepPlan) -> list[TrialWork]:
    """Return the first configs that the search will try, without recording them."""
    *_, dearest = families_of(plan.options.model)
    search = plan.board(SweepPaths(Path(os.devnull))).searches[dearest, 0]
    # a search that follows that of geography is measured with geography's defaults
    search.after = None
    works = [search.next_work() for _ in range(N_MEASURED)]
    return [work for work in works if work is not None]


def _measure_on_cluster(
    context: TrialContext, works: Sequence[TrialWork], share: float
) -> StepCost | None:
    remote = ray.remote(num_cpus=1, num_gpus=share)(measure_step)
    cost: StepCost | None = ray.get(remote.remote(context, works))
    return cost


class Packing:
    """The GPU share of each trial (0 without GPUs), larger after it ran out of memory."""

    def __init__(self, share: float) -> None:
        self.share = share
        self.grown: set[str] = set()

    def of(self, name: str) -> float:
        """Return the share of a trial, by its name."""
        return larger_share(self.share) if name in self.grown else self.share

    def grow(self, name: str) -> bool:
        """Give a trial a larger share; False if it has had one."""
        if name in self.grown or self.share >= 1:
            return False
        self.grown.add(name)
        logger.warning(
            "%s ran out of memory on its share of %g GPU; it restarts with %g",
            name,
            self.share,
            larger_share(self.share),
        )
        return True

    def notes(self) -> list[str]:
        """Return notes on trials that needed a larger share."""
        if not self.grown:
            return []
        return [
            f"{len(self.grown)} trial(s) ran out of memory on {self.share:g} GPU and were repeated "
            f"with twice the share ({', '.join(sorted(self.grown)[:5])})"
        ]


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
