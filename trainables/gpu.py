"""A trial's share of a GPU: the cost of a step, and the cap on its memory."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from trainables.runners import make_runner
from trainables.work import TrialContext, TrialWork


@dataclass(frozen=True)
class StepCost:
    """Cost of trials on one GPU.

    Attributes
    ----------
    total_bytes
        Memory of the GPU.
    context_bytes
        Memory of CUDA itself in each process.
    peak_bytes
        Largest memory that a trial reserved.
    wall_s, busy_s
        Time of the measured work, and the part of it in which the GPU computed.
    """

    total_bytes: int
    context_bytes: int
    peak_bytes: int
    wall_s: float
    busy_s: float


def cap_gpu_memory(context: TrialContext, share: float) -> None:
    """Limit this process to its share of the GPU's memory; Ray only counts GPUs."""
    if context.profile.device == "cuda":
        # blocks cached by an earlier trial count for this one until they are released
        torch.cuda.empty_cache()
        torch.cuda.set_per_process_memory_fraction(min(1.0, share))


def measure_step(context: TrialContext, works: Sequence[TrialWork]) -> StepCost | None:
    """Run one step of each work alone on this process's GPU; None without CUDA.

    Parameters
    ----------
    context
        The sweep's shared objects.
    works
        Configs as the search will try them; the most expensive one counts.
    """
    if not torch.cuda.is_available():
        return None
    context = context.on_this_device()
    torch.empty(1, device="cuda")  # CUDA allocates its own memory on first use
    free, total = torch.cuda.mem_get_info()
    context_bytes = total - free - torch.cuda.memory_reserved()
    wall_s = busy_s = 0.0
    torch.cuda.reset_peak_memory_stats()
    activities = [torch.profiler.ProfilerActivity.CUDA]
    for work in works:
        runner = make_runner(work, context)
        with torch.profiler.profile(activities=activities) as profile:
            started = time.monotonic()
            runner.step()
            torch.cuda.synchronize()
            wall_s += time.monotonic() - started
        busy_s += sum(event.self_device_time_total for event in profile.key_averages()) / 1e6
    return StepCost(total, context_bytes, torch.cuda.max_memory_reserved(), wall_s, busy_s)
