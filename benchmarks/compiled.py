"""Would `torch.compile` pay? `gx2c bench compiled`: a step as it is, and compiled, timed in turn.

Forward and backward pass are compiled as one graph each, without a break. Masks are drawn before
them, for compiled code cannot draw from a member's own generator; the optimiser is fused anyway.
Sweeps do not compile (docs/performance.md).
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor

from benchmarks.frame import in_turn
from benchmarks.roofline import count, matrix_rate
from benchmarks.step import fit_and_block, published_config, quick_config
from gx2c.fit import FitConfig, NetworkFit
from gx2c.fit.network import ordered_pairs
from gx2c.models import attention, pair_head
from gx2c.models.normalise import normalise_rows
from gx2c.models.population import (
    LEAST_MOMENTUM,
    PopulationBatchNorm,
    RandomStreams,
    connect_streams,
)

QUICK_MEMBERS = (4, 8, 16)
ROUNDS = 2


class MasksAhead(RandomStreams):
    """Draws no mask: notes which ones a step wants, then hands out those drawn before."""

    def __init__(self) -> None:
        super().__init__(0, torch.device("cpu"))
        self.wanted: list[tuple[torch.Size, float]] = []
        self.drawn: list[Tensor] | None = None
        self.used = 0

    def keep_mask(self, like: Tensor, keep: float) -> Tensor:
        """Return the next mask; see `RandomStreams.keep_mask`."""
        if self.drawn is None:
            self.wanted.append((like.shape, keep))
            return torch.ones_like(like)
        self.used += 1
        return self.drawn[self.used - 1]


class CompiledStep:
    """The step of a `NetworkFit`, taken through a compiled loss.

    Parameters
    ----------
    fit
        Whose step it is; its dropouts draw ahead from then on.
    block
        Regions of each member.
    compiled
        Whether to compile, or to run the same function as it is.
    """

    def __init__(self, fit: NetworkFit, block: list[Tensor], *, compiled: bool = True) -> None:
        self.fit, self.block, self.masks = fit, block, MasksAhead()
        connect_streams(fit.network, self.masks)
        self._loss(*self._inputs(), None)
        whole = torch.compile(self._loss, fullgraph=True, dynamic=False)
        self.loss = whole if compiled else self._loss

    def __call__(self) -> Tensor:
        """Take one step; return each member's loss."""
        masks = [self._draw(shape, keep) for shape, keep in self.masks.wanted]
        self.fit.optimizer.zero_grad(set_to_none=True)
        with plain_operations():
            loss: Tensor = self.loss(*self._inputs(), masks)
        loss.sum().backward()
        self.fit.optimizer.step()
        return loss.detach()

    def _draw(self, shape: torch.Size, keep: float) -> Tensor:
        return self.fit.streams.keep_mask(torch.empty(shape), keep)

    def _inputs(self) -> tuple[Tensor, Tensor, Tensor]:
        fit, members = self.fit, range(len(self.block))
        return (
            torch.stack([fit.inputs[m].expression[self.block[m]] for m in members]),
            torch.stack([fit.inputs[m].coords[self.block[m]] for m in members]),
            torch.stack([fit.targets[m][self.block[m]][:, self.block[m]] for m in members]),
        )

    def _loss(
        self, expression: Tensor, coords: Tensor, targets: Tensor, masks: list[Tensor] | None
    ) -> Tensor:
        self.masks.drawn, self.masks.used = masks, 0
        network = self.fit.network
        predicted = network.decode_within(network.encode(expression, coords))
        return (predicted - ordered_pairs(targets)).square().mean(1)


def run() -> dict[str, Any]:
    """Compile the quick SMT for several populations, and the published one."""
    torch.set_num_threads(1)
    with fresh_cache():
        return {
            "threads": 1,
            "clock": "processor seconds of one thread; compiling: of all processes",
            "quick": {k: compare(quick_config(), n_members=k, repeats=60) for k in QUICK_MEMBERS},
            "published": {1: compare(published_config(), n_members=1, repeats=5)},
            "matrix_product_gflops": round(matrix_rate() / 1e9, 1),
        }


def compare(config: FitConfig, *, n_members: int, repeats: int) -> dict[str, float]:
    """Time steps of both kinds in turn, and what compiling took."""
    eager, block = fit_and_block(config, n_members)
    compiled, _ = fit_and_block(config, n_members)
    work = count(lambda: eager.step_on(block))
    step = CompiledStep(compiled, block)
    cold = _seconds_of_compiling(step)
    works = {"eager": lambda: eager.step_on(block), "compiled": step}
    taken = in_turn(works, rounds=ROUNDS, repeats=repeats, warm_up=3)
    fastest = {name: one["median"] for name, one in taken.items()}
    return {
        **{f"{n}_ms_per_member": round(s * 1e3 / n_members, 3) for n, s in fastest.items()},
        **{
            f"{n}_roofline_fraction": round(sum(work.operations) / s / matrix_rate(), 3)
            for n, s in fastest.items()
        },
        **{f"{n}_spread": round(one["spread"], 2) for n, one in taken.items()},
        "repeats": ROUNDS * repeats,
        "speed_up": round(fastest["eager"] / fastest["compiled"], 2),
        "compiling_s": round(cold, 1),
        # in steps of all members
        "pays_back_after_steps": round(cold / max(fastest["eager"] - fastest["compiled"], 1e-9)),
    }


def _seconds_of_compiling(step: CompiledStep) -> float:
    """Take the first step; return the processor seconds of this process and of its compilers."""

    def spent() -> float:
        times = os.times()
        return sum((times.user, times.system, times.children_user, times.children_system))

    started = spent()
    step()
    return spent() - started


@contextlib.contextmanager
def fresh_cache() -> Iterator[None]:
    """Let nothing that was compiled before be found; compile in this process and its children."""
    with tempfile.TemporaryDirectory() as folder:
        ours = {"TORCHINDUCTOR_CACHE_DIR": folder, "TORCHINDUCTOR_COMPILE_THREADS": "1"}
        with patch.dict(os.environ, ours):
            yield


@contextlib.contextmanager
def plain_operations() -> Iterator[None]:
    """Put plain operations in the place of what cannot be compiled.

    That is the sum of pairs, which asks whether its result is a view, a momentum of batch
    normalisation that changes, for which every step would be compiled anew, and the cache of
    attention's bias, of which the compiler warns.
    """
    with (
        patch.object(PopulationBatchNorm, "forward", _plain_batch_norm),
        patch.object(pair_head, "sum_of_pairs", _plain_sum_of_pairs),
        patch.object(attention, "bias_of", attention.bias_of.__wrapped__),
    ):
        yield


def _plain_batch_norm(self: PopulationBatchNorm, x: Tensor) -> Tensor:
    out, mean, variance = normalise_rows(x, self.weight, self.bias)
    self.running_mean.lerp_(mean, LEAST_MOMENTUM)
    self.running_var.lerp_(variance, LEAST_MOMENTUM)
    return out


def _plain_sum_of_pairs(left: Tensor, right: Tensor) -> Tensor:
    return pair_head.off_diagonal(left.unsqueeze(2) + right.unsqueeze(1))
