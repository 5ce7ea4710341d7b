"""Which attention kernel and which number format are fastest here: `gx2c bench kernels`.

On a machine with CUDA all is measured there, with FlexAttention and, if installed, flash-attn.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn.attention.flex_attention import flex_attention

from benchmarks.frame import in_turn
from benchmarks.step import fit_and_block, published_config, quick_config
from gx2c.fit import ComputeProfile, FitConfig
from gx2c.models.attention import (
    ATTENTION_KERNELS,
    AttentionKernel,
    alibi_slopes,
    bias_of,
    flash_attention_is_available,
)

# batch, heads, tokens, dim: a step of eight quick members, and of one published network
SHAPES = {"quick": (128, 2, 25, 16), "published": (64, 4, 123, 32)}
STEPS: Mapping[str, tuple[Callable[[], FitConfig], int]] = {
    "quick": (quick_config, 8),
    "published": (published_config, 1),
}
DTYPES = ("float32", "bfloat16")
ROUNDS, ATTENTION_REPEATS, STEP_REPEATS = 3, 20, 5


def run() -> dict[str, Any]:
    """Time attention alone, forwards and backwards, and whole steps in both number formats."""
    torch.set_num_threads(1)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return {
        "device": device,
        "threads": 1,
        "clock": "seconds" if device == "cuda" else "processor seconds of one thread",
        "rounds": ROUNDS,
        "repeats": {"attention": ATTENTION_REPEATS, "step": STEP_REPEATS},
        "attention": {name: time_attention(shape, device) for name, shape in SHAPES.items()},
        "step": {
            name: time_steps(config(), n_members, device)
            for name, (config, n_members) in STEPS.items()
        },
    }


def time_attention(shape: tuple[int, ...], device: str) -> dict[str, dict[str, float]]:
    """Time every kernel that the device has on one shape, in turn."""
    slopes = alibi_slopes(shape[1]).to(device)
    q, k, v = (torch.randn(shape, device=device, requires_grad=True) for _ in range(3))
    gradient = torch.randn(shape, device=device)

    def step(kernel: AttentionKernel) -> Callable[[], object]:
        return lambda: torch.autograd.grad(kernel(q, k, v, slopes), (q, k, v), gradient)

    works = {name: step(kernel) for name, kernel in kernels_of(device).items()}
    return _timed(works, device, repeats=ATTENTION_REPEATS)


def time_steps(config: FitConfig, n_members: int, device: str) -> dict[str, dict[str, float]]:
    """Time whole steps in every number format, in turn."""
    works = {}
    for dtype in DTYPES:
        fit, block = fit_and_block(config, n_members, ComputeProfile(device=device, dtype=dtype))
        works[dtype] = lambda fit=fit, block=block: fit.step_on(block)
    return _timed(works, device, repeats=STEP_REPEATS)


def _timed(
    works: Mapping[str, Callable[[], object]], device: str, *, repeats: int
) -> dict[str, dict[str, float]]:
    def finished(work: Callable[[], object]) -> None:
        work()
        if device == "cuda":
            torch.cuda.synchronize()

    whole = {name: partial(finished, work) for name, work in works.items()}
    clock = time.perf_counter if device == "cuda" else time.process_time
    taken = in_turn(whole, rounds=ROUNDS, repeats=repeats, clock=clock)
    return {
        name: {"ms": round(1e3 * one["median"], 3), "spread": round(one["spread"], 2)}
        for name, one in taken.items()
    }


def kernels_of(device: str) -> dict[str, AttentionKernel]:
    """Return the kernels that can train on a device; FlexAttention has no backward on a CPU."""
    kernels = {"sdpa": ATTENTION_KERNELS["sdpa"], "products": products}
    if device == "cuda":
        kernels["flex"] = torch.compile(flex)
        if flash_attention_is_available():
            kernels["flash"] = ATTENTION_KERNELS["flash"]
    return kernels


def products(q: Tensor, k: Tensor, v: Tensor, slopes: Tensor | None) -> Tensor:
    """Attend by two batched products that keep their weights."""
    scores = q @ k.transpose(2, 3) / q.shape[3] ** 0.5
    if slopes is not None:
        scores = scores + bias_of(slopes, q.shape[2], q.dtype)
    return torch.softmax(scores, dim=3) @ v


def flex(q: Tensor, k: Tensor, v: Tensor, slopes: Tensor | None) -> Tensor:
    """Attend through torch's FlexAttention, whose bias is computed and never stored."""

    def fall(score: Tensor, batch: Tensor, head: Tensor, query: Tensor, key: Tensor) -> Tensor:
        return score if slopes is None else score - slopes[head] * (query - key).abs()

    out: Tensor = flex_attention(q, k, v, score_mod=fall)
    return out
