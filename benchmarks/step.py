"""One training step: cost per trained pair, share of the machine's rate, memory: `gx2c bench step`.

The published SMT (tokens of 60 genes, width 128, 4 layers, head 512-256-128; 7,380 genes) and the
first network of the quick preset, on synthetic brains; processor seconds of one thread.
"""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode, sdpa_backward_flop_count, sdpa_flop_count

from benchmarks.frame import in_turn, memory_kib
from benchmarks.time_to_score import PUBLISHED_BATCH, QUICK, PerPairFit, ordered_pairs
from gx2c.data import Brain, make_synthetic_brain
from gx2c.fit import (
    ComputeProfile,
    FitConfig,
    GeneOptions,
    NestedFit,
    NetworkFit,
    TrainingSet,
    TrainingSettings,
)
from gx2c.fit.in_turn import equal_parts, members_at_once
from gx2c.models import MODELS
from gx2c.splits import make_folds

SIZES = (100, 200, 455)
N_GENES = 7_380
MEMORY_SIZES = (455, 2_000)
POPULATIONS = (1, 3, 4, 6, 16)
MATRIX = 2_048
PUBLISHED = FitConfig("smt", MODELS["smt"].defaults, TrainingSettings(block_regions=64))
_ATTENTION = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
_ATTENTION_BACKWARD = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward


def run() -> dict[str, Any]:
    """Measure everything; about two minutes."""
    torch.set_num_threads(1)
    costs = {n: pair_costs(n) for n in SIZES}
    rate = matrix_rate()
    steps = {n: population_step(n, rate) for n in POPULATIONS}
    alone, many = (steps[n]["milliseconds_per_member"] for n in (POPULATIONS[0], POPULATIONS[-1]))
    return {
        "threads": 1,
        "block_regions": PUBLISHED.training.block_regions,
        "ratio_per_pair": {n: round(c["per_pair"] / c["block"], 1) for n, c in costs.items()},
        "seconds_per_pair": costs,
        "roofline_fraction": {n: step["roofline_fraction"] for n, step in steps.items()},
        "population_steps": steps,
        "speed_up_of_population": round(alone / many, 2),
        "null_of_six_over_one": round(6 * steps[6]["milliseconds_per_member"] / alone, 2),
        "matrix_product_gflops": round(rate / 1e9, 1),
        "peak_memory_gb": {n: peak_memory_gb(n) for n in MEMORY_SIZES},
    }


def pair_costs(n_regions: int) -> dict[str, float]:
    """Return seconds per trained pair of a step of both schemes, and the spread of each."""
    training = TrainingSet.cut(brain_of(n_regions), np.arange(n_regions), GeneOptions())
    ours, theirs = (make_fit(PUBLISHED, training, 1, s) for s in (NetworkFit, PerPairFit))
    block = torch.randperm(n_regions)[: ours.block]
    pairs = torch.from_numpy(ordered_pairs(n_regions))
    batch = pairs[torch.randperm(len(pairs))[:PUBLISHED_BATCH]]
    taken = in_turn(
        {"block": lambda: ours.step_on([block]), "per_pair": lambda: theirs.step_on(batch)},
        rounds=3,
    )
    n_pairs = {"block": len(block) * (len(block) - 1), "per_pair": len(batch)}
    return {name: taken[name]["median"] / n_pairs[name] for name in n_pairs} | {
        f"{name}_spread": taken[name]["spread"] for name in n_pairs
    }


def population_step(n_members: int, rate: float) -> dict[str, float]:
    """Time a step of that many quick networks, in the groups that `FitInTurn` makes of them.

    A search runs one such process a core, and so would the fastest sequential set-up (one
    network after another); the ratio of their times per member is the speed-up of a population.
    """
    brain = make_synthetic_brain(n_regions=80, n_genes=500, seed=0)
    training = TrainingSet.cut(brain, np.arange(80), GeneOptions())
    most = members_at_once(QUICK, n_genes=500, block=16, device="cpu")
    groups = [
        make_fit(QUICK, training, len(range(n_members)[part]), NetworkFit)
        for part in equal_parts(n_members, most)
    ]
    blocks = [[torch.randperm(80)[: group.block] for _ in group.seeds] for group in groups]

    def step() -> None:
        for group, block in zip(groups, blocks, strict=True):
            group.step_on(block)

    operations = count_operations(step)
    taken = in_turn({"step": step}, rounds=60)["step"]
    return {
        "groups": len(groups),
        "operations": operations,
        "milliseconds_per_member": round(taken["median"] * 1e3 / n_members, 3),
        "spread": taken["spread"],
        "roofline_fraction": round(operations / taken["median"] / rate, 3),
        "fastest_roofline_fraction": round(operations / taken["fastest"] / rate, 3),
    }


def count_operations(work: Any) -> int:
    """Run a piece of work; return the additions and multiplications of its matrix products."""
    # torch counts the attention kernels of a GPU, and not that of a CPU
    mapping = {
        _ATTENTION: lambda q, k, v, *_, **__: sdpa_flop_count(q, k, v),
        _ATTENTION_BACKWARD: lambda g, q, k, v, *_, **__: sdpa_backward_flop_count(g, q, k, v),
    }
    with FlopCounterMode(display=False, custom_mapping=mapping) as counter:
        work()
    return counter.get_total_flops()


def matrix_rate() -> float:
    """Measure the rate of float32 matrix products, operations per second."""
    a, b = torch.randn(MATRIX, MATRIX), torch.randn(MATRIX, MATRIX)
    return 2 * MATRIX**3 / in_turn({"product": lambda: a @ b}, rounds=7)["product"]["fastest"]


def peak_memory_gb(n_regions: int) -> float:
    """Return the peak resident memory of one trial, in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return round(process.submit(train_once, n_regions).result() / 2**20, 2)


def train_once(n_regions: int) -> int:
    """Train four inner folds of the published SMT for two steps; return the peak memory, KiB."""
    brain = brain_of(n_regions)
    fold = make_folds(brain, n_inner_folds=4, seed=0)[0]
    profile = ComputeProfile(threads=2)
    nested = NestedFit(brain, fold, PUBLISHED, metric="val_mse", seed=0, profile=profile)
    # memory does not grow with the number of steps
    for group in nested.fit.groups:
        group.n_steps = 2
    with profile.active():
        nested.advance()
    return memory_kib("VmHWM")


def brain_of(n_regions: int) -> Brain:
    """Return a synthetic brain with the paper's number of genes (made of mirrored pairs)."""
    return make_synthetic_brain(n_regions=n_regions + n_regions % 2, n_genes=N_GENES, seed=0)


def make_fit(config: FitConfig, training: TrainingSet, n_members: int, scheme: Any) -> Any:
    """Return a fit that is ready to take steps."""
    seeds = list(range(n_members))
    fit = scheme(config, [training] * n_members, seeds=seeds, profile=ComputeProfile())
    fit.streams.seed(seeds)
    fit.network.train()
    return fit
