"""A trial's share of a GPU: what it costs, and the cap on its memory."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from trainables.runners import make_runner
from trainables.work import TrialContext, TrialWork


@dataclass(frozen=True)
class StepCost:
    """What trials cost on one GPU.

    Attributes
    ----------
    total_bytes
        Memory of the GPU.
    context_bytes
        What CUDA itself takes in each process.
    peak_bytes
        Most that a trial reserved.
    wall_s, busy_s
        Time of the measured work, and how much of it the GPU computed.
    """

    total_bytes: int
    context_bytes: int
    peak_bytes: int
    wall_s: float
    busy_s: float


def cap_gpu_memory(context: TrialContext, share: float) -> None:
    """Hold this process to its share of the GPU's memory; Ray divides GPUs by count alone."""
    if context.profile.device == "cuda":
        # another trial's blocks count for this one until they are given back
        torch.cuda.empty_cache()
        torch.cuda.set_per_process_memory_fraction(min(1.0, share))


def measure_step(context: TrialContext, works: Sequence[TrialWork]) -> StepCost | None:
    """Run one step of each work alone on this process's GPU; None where there is no CUDA.

    Parameters
    ----------
    context
        Of the sweep.
    works
        Configs as the search will try them; the dearest counts.
    """
    if not torch.cuda.is_available():
        return None
    torch.empty(1, device="cuda")  # CUDA takes its own memory at the first use
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
