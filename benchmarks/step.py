"""One training step: cost per trained pair, peak memory, and share of the machine's rate.

`gx2c bench step`. Networks and sizes are the published ones (SMT with tokens of 60 genes, width
128, 4 layers, head 512-256-128; 7,380 genes) on synthetic brains.
"""

from __future__ import annotations

import functools
import json
import subprocess
import sys
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks.frame import seconds_of
from benchmarks.per_pair import PUBLISHED_BATCH, PerPairFit, ordered_pairs
from benchmarks.roofline import count, matrix_rate, memory_rate
from gx2c.data import Brain, make_synthetic_brain
from gx2c.fit import (
    ComputeProfile,
    FitConfig,
    GeneOptions,
    NetworkFit,
    TrainingSet,
    TrainingSettings,
)
from gx2c.fit.footprint import members_at_once
from gx2c.fit.in_turn import equal_parts

SIZES = (100, 200, 455)
N_GENES = 7_380
BLOCK = 64
MEMORY_SIZES = (455, 2_000)
POPULATIONS = (1, 3, 4, 16)


def run() -> dict[str, Any]:
    """Measure everything; some ten minutes, most of them for the time to a score."""
    from benchmarks.time_to_score import short

    torch.set_num_threads(1)
    costs = {n: pair_costs(n) for n in SIZES}
    steps = {k: population_step(k) for k in POPULATIONS}
    alone, many = (steps[k]["milliseconds_per_member"] for k in (POPULATIONS[0], POPULATIONS[-1]))
    return {
        "threads": 1,
        "clock": "processor seconds of one thread",
        "block_regions": BLOCK,
        "ratio_per_pair": {n: round(c["per_pair"] / c["block"], 1) for n, c in costs.items()},
        "ratio_time_to_score": short(),
        "seconds_per_pair": costs,
        "roofline_fraction": {k: step["roofline_fraction"] for k, step in steps.items()},
        "population_steps": steps,
        "speed_up_of_population": round(alone / many, 2),
        "matrix_product_gflops": round(matrix_rate() / 1e9, 1),
        "memory_gb_per_s": round(memory_rate() / 1e9, 1),
        "peak_memory_gb": {n: peak_memory_gb(n) for n in MEMORY_SIZES},
    }


@functools.cache
def brain_of(n_regions: int) -> Brain:
    """Return a synthetic brain of the paper's number of genes (made of mirrored pairs)."""
    return make_synthetic_brain(n_regions=n_regions + n_regions % 2, n_genes=N_GENES, seed=0)


def pair_costs(n_regions: int) -> dict[str, float]:
    """Seconds per trained pair of one step of both schemes, alternating so that noise is shared."""
    brain = brain_of(n_regions)
    training = TrainingSet.cut(brain, np.arange(n_regions), GeneOptions())
    ours = make_fit(NetworkFit, training)
    theirs = make_fit(PerPairFit, training)
    block = torch.randperm(n_regions)[:BLOCK]
    pairs = torch.from_numpy(ordered_pairs(n_regions))
    batch = pairs[torch.randperm(len(pairs))[:PUBLISHED_BATCH]]
    times: dict[str, list[float]] = {"block": [], "per_pair": []}
    for repeat in range(4):
        slow = seconds_of(lambda: theirs.step_on(batch), repeats=1, warm_up=0)["median"]
        fast = seconds_of(lambda: ours.step_on([block]), repeats=3, warm_up=0)["median"]
        if repeat > 0:  # the first warms up
            times["per_pair"].append(slow / len(batch))
            times["block"].append(fast / (len(block) * (len(block) - 1)))
    return {name: float(np.median(values)) for name, values in times.items()} | {
        f"{name}_spread": float(max(values) / min(values)) for name, values in times.items()
    }


def population_step(n_members: int) -> dict[str, float]:
    """Time a step of the quick SMT, in the groups that `FitInTurn` makes of so many members.

    A search runs one such process a core, and so would the fastest sequential set-up (one
    network after another); the ratio of their times per member is the speed-up of a population.
    """
    brain = make_synthetic_brain(n_regions=80, n_genes=500, seed=0)
    training = TrainingSet.cut(brain, np.arange(80), GeneOptions())
    most = members_at_once(quick_config(), n_genes=500, block=16, device="cpu")
    groups = [
        make_fit(NetworkFit, training, config=quick_config(), n_members=len(range(n_members)[part]))
        for part in equal_parts(n_members, most)
    ]
    blocks = [[torch.randperm(80)[: g.block] for _ in g.seeds] for g in groups]

    def step() -> None:
        for group, block in zip(groups, blocks, strict=True):
            group.step_on(block)

    work = count(step)
    seconds = seconds_of(step, repeats=60, warm_up=5)
    return {
        "groups": len(groups),
        "operations": sum(work.operations),
        "bytes": sum(work.n_bytes),
        "milliseconds_per_member": round(seconds["median"] * 1e3 / n_members, 3),
        "spread": round(seconds["slowest"] / seconds["fastest"], 2),
        **work.shares(seconds),
    }


def peak_memory_gb(n_regions: int) -> float:
    """Peak resident memory of one trial (four inner folds, one pass) in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.memory", str(n_regions), str(N_GENES)],
        capture_output=True,
        text=True,
        check=True,
    )
    return float(json.loads(done.stdout.splitlines()[-1])["peak_memory_gb"])


def published_config(**training: Any) -> FitConfig:
    """Return the published SMT."""
    hyperparameters = {
        "genes_per_token": 60,
        "model_dim": 128,
        "token_output_dim": 10,
        "n_heads": 4,
        "n_layers": 4,
        "hidden_dims": (512, 256, 128),
        "encoder_dropout": 0.2,
        "dropout": 0.2,
    }
    return FitConfig("smt", hyperparameters, TrainingSettings(block_regions=BLOCK, **training))


def quick_config(**training: Any) -> FitConfig:
    """Return the SMT with which the quick preset begins."""
    hyperparameters = {
        "genes_per_token": 20,
        "model_dim": 32,
        "token_output_dim": 4,
        "n_heads": 2,
        "n_layers": 1,
        "hidden_dims": (128, 64),
        "encoder_dropout": 0.2,
        "dropout": 0.2,
    }
    return FitConfig("smt", hyperparameters, TrainingSettings(block_regions=16, **training))


def fit_and_block(
    config: FitConfig, n_members: int, profile: ComputeProfile | None = None
) -> tuple[NetworkFit, list[Tensor]]:
    """Make a fit and the regions of one step of each member; the same for the same arguments."""
    small = config.training.block_regions < BLOCK
    brain = make_synthetic_brain(n_regions=80, n_genes=500, seed=0) if small else brain_of(100)
    training = TrainingSet.cut(brain, np.arange(brain.n_regions), GeneOptions())
    fit: NetworkFit = make_fit(
        NetworkFit, training, config=config, n_members=n_members, profile=profile
    )
    drawn = torch.Generator().manual_seed(0)
    n_regions = brain.n_regions
    block = [torch.randperm(n_regions, generator=drawn)[: fit.block] for _ in fit.seeds]
    return fit, [rows.to(fit.device) for rows in block]


def make_fit(
    scheme: type[NetworkFit],
    training: TrainingSet,
    *,
    config: FitConfig | None = None,
    n_members: int = 1,
    profile: ComputeProfile | None = None,
) -> Any:
    """Return a fit that is ready to take steps, by default of the published SMT."""
    fit = scheme(
        config or published_config(),
        [training] * n_members,
        seeds=list(range(n_members)),
        profile=profile or ComputeProfile(),
    )
    fit.streams.seed(list(range(n_members)))
    fit.network.train()
    return fit
