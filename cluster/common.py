"""Rules that hold for every kind of cluster file."""

from __future__ import annotations

import importlib.metadata
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

OBJECT_STORES = ("s3://", "gs://")
MAX_IDLE_MINUTES = 30
STORAGE_VARIABLE = "GX2C_STORAGE"
TRIAL_CPUS = 1


@dataclass(frozen=True)
class Request:
    """What a sweep will ask of the cluster.

    Attributes
    ----------
    gpus_per_trial
        Share of one GPU; 0 for none.
    storage
        Of `--storage`; empty for the one that the file names.
    """

    gpus_per_trial: float = 0.0
    storage: str = ""


@dataclass(frozen=True)
class NodeKind:
    """One kind of worker.

    Attributes
    ----------
    name
        In the file.
    cpus, gpus
        Of one node; None where the file leaves it to Ray to find out.
    """

    name: str
    cpus: float | None
    gpus: float | None


def pinned_ray() -> str:
    """Return the version of Ray beside which gx2c is installed."""
    return importlib.metadata.version("ray")


def version_problems(named: Sequence[str]) -> Iterator[str]:
    """Compare the versions of Ray that a file names with the installed one."""
    pinned = pinned_ray()
    if not named:
        yield f"it names no version of ray; name {pinned}, which is installed here"
    for version in sorted(set(named) - {pinned}):
        yield f"it names ray {version}, and {pinned} is installed here; they must be equal"


def gpu_problems(kinds: Sequence[NodeKind], gpus_per_trial: float) -> Iterator[str]:
    """Say which workers could not run trials of this size."""
    for kind in kinds:
        if kind.gpus is not None and kind.gpus != int(kind.gpus):
            yield (
                f"{kind.name} has {kind.gpus:g} GPUs; a node has whole ones, "
                "the fraction is the trial's (--gpus-per-trial)"
            )
    if not gpus_per_trial:
        return
    with_gpus = [kind for kind in kinds if kind.gpus is None or kind.gpus >= gpus_per_trial]
    if not with_gpus:
        yield f"no worker has {gpus_per_trial:g} GPUs for a trial; lower --gpus-per-trial"
    for kind in with_gpus:
        if kind.gpus is None or kind.cpus is None:
            continue
        trials = math.floor(kind.gpus / gpus_per_trial + 1e-9)
        if trials * TRIAL_CPUS > kind.cpus:
            yield (
                f"{kind.name} has {kind.gpus:g} GPUs for {trials} trials of {gpus_per_trial:g} "
                f"and only {kind.cpus:g} CPUs, one a trial; raise --gpus-per-trial"
            )


def idle_problems(minutes: float | None) -> Iterator[str]:
    """Say whether idle workers are given back soon."""
    if minutes is None or not 0 < minutes <= MAX_IDLE_MINUTES:
        yield (
            f"idle workers go after {minutes} minutes; give more than 0 and at most "
            f"{MAX_IDLE_MINUTES}"
        )


def cost_problems(text: str) -> Iterator[str]:
    """Say whether a reader is told what an hour costs."""
    if not re.search(r"^# Cost:", text, flags=re.MULTILINE):
        yield "it does not say what an hour costs; add a comment that starts with '# Cost:'"


def open_address_problems(text: str, *, allowed: Sequence[str] = ()) -> Iterator[str]:
    """Find addresses that listen to, or let in, the whole network."""
    for number, line in enumerate(text.splitlines(), start=1):
        code = line.split("#")[0]
        if any(word in code for word in allowed):
            continue
        if re.search(r"\b0\.0\.0\.0\b|(?<![\w:])::/0", code):
            yield f"line {number} opens a port to everyone ({code.strip()[:60]})"
