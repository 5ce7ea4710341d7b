"""The work of a trial, step by step, and its share of a GPU; independent of Ray."""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch

from gx2c.fit import NestedFit, validate_closed_form
from gx2c.models import MODELS
from trainables.work import TrialContext, TrialWork


class NetworkRunner:
    """Trains one config on all inner folds; reports at milestones, at its end, and regularly."""

    def __init__(self, work: TrialWork, context: TrialContext) -> None:
        self.work, self.context = work, context
        self.seconds = 0.0
        self.reported = 0
        self.nested = NestedFit(
            context.brain,
            context.folds[work.fold],
            work.configs[0],
            metric=context.metric,
            seed=work.seeds[0],
            profile=context.profile,
        )

    def step(self) -> dict[str, Any]:
        """Train to the next milestone, the end, or until a report is due."""
        started = time.monotonic()
        if not self._at_unreported_milestone():
            self._train(started)
        self.seconds += time.monotonic() - started
        best = self.nested.best
        points = [asdict(point) for point in self.nested.curve[self.reported :]]
        self.reported = len(self.nested.curve)
        return {
            "points": points,
            "epochs": len(self.nested.curve),
            "score": best.score if best else float("-inf"),
            "seconds": self.seconds,
            "done": self.nested.finished,
            "timed_out": self._timed_out() and not self.nested.finished,
        }

    def state_dict(self) -> dict[str, Any]:
        """Return weights, optimiser, curve and time spent."""
        return {"nested": self.nested.state_dict(), "seconds": self.seconds}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from a saved state."""
        self.nested.load_state_dict(state["nested"])
        self.seconds = state["seconds"]
        self.reported = len(self.nested.curve)

    def report_again(self) -> None:
        """Report the whole curve with the next step."""
        self.reported = 0

    def _train(self, started: float) -> None:
        with self.context.profile.active():
            for point in self.nested.points():
                spent = time.monotonic() - started
                late = spent > self.context.report_interval_s or self._timed_out(spent)
                if late or point.epochs in self.work.milestones:
                    return

    def _timed_out(self, spent: float = 0.0) -> bool:
        return 0 < self.context.trial_timeout_s < self.seconds + spent

    def _at_unreported_milestone(self) -> bool:
        epochs = len(self.nested.curve)
        return epochs > self.reported and epochs in self.work.milestones


class ClosedFormRunner:
    """Validates a batch of configs; reports regularly, so that little is lost with a worker."""

    def __init__(self, work: TrialWork, context: TrialContext) -> None:
        self.work, self.context = work, context
        self.n_done = 0

    def step(self) -> dict[str, Any]:
        """Validate configs until all are done or a report is due."""
        until = time.monotonic() + self.context.report_interval_s
        results = []
        with self.context.profile.active():
            while self.n_done < len(self.work.numbers):
                results.append(self._validate_next())
                if time.monotonic() > until:
                    break
        return {"results": results, "done": self.n_done == len(self.work.numbers)}

    def state_dict(self) -> dict[str, Any]:
        """Return how many configs are done."""
        return {"n_done": self.n_done}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue after the finished configs."""
        self.n_done = state["n_done"]

    def report_again(self) -> None:
        """Start over, because checkpoints hold no results."""
        self.n_done = 0

    def _validate_next(self) -> dict[str, Any]:
        started = time.monotonic()
        validated = validate_closed_form(
            self.context.brain,
            self.context.folds[self.work.fold],
            self.work.configs[self.n_done],
            metric=self.context.metric,
        )
        self.n_done += 1
        return {
            "number": self.work.numbers[self.n_done - 1],
            "score": validated.score,
            "validation": validated.validation,
            "seconds": time.monotonic() - started,
            "cause": validated.cause,
        }


Runner = NetworkRunner | ClosedFormRunner


def make_runner(work: TrialWork, context: TrialContext) -> Runner:
    """Return the runner of a model, which can be interrupted between its steps."""
    runner = NetworkRunner if MODELS[work.configs[0].model].trains_in_epochs else ClosedFormRunner
    return runner(work, context)


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
