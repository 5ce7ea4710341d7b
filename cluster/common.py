"""Rules that hold for every kind of cluster file."""

import importlib.metadata
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

OBJECT_STORES = ("s3://", "gs://")
MAX_IDLE_MINUTES = 30
STORAGE_VARIABLE = "GX2C_STORAGE"
TRIAL_CPUS = 1
# Placeholders of the shipped files, and their replacements
PLACEHOLDERS = {
    "ami-0{17}": "an Ubuntu image with Python 3.11 to 3.13 and an NVIDIA driver",
    "YOUR-BUCKET": "the name of your bucket",
    "YOUR-USER": "the user name for SSH",
    "YOUR-REGISTRY": "the registry to which you pushed the image",
    "YOUR-[A-Z-]+": "a value of your own",
}


@dataclass(frozen=True)
class NodeKind:
    """One kind of worker.

    Attributes
    ----------
    name
        Name in the file.
    cpus, gpus
        Numbers per node; None if Ray detects them.
    """

    name: str
    cpus: float | None
    gpus: float | None


def version_problems(named: Sequence[str]) -> Iterator[str]:
    """Compare the versions of Ray that a file names with the installed one."""
    pinned = importlib.metadata.version("ray")
    if not named:
        yield f"it names no version of ray; name {pinned}, which is installed here"
    for version in sorted(set(named) - {pinned}):
        yield f"it names ray {version}, and {pinned} is installed here; they must be equal"


def gpu_problems(kinds: Sequence[NodeKind], gpus_per_trial: float) -> Iterator[str]:
    """Yield the problems of workers that cannot run trials of this size."""
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
                f"but only {kind.cpus:g} CPUs, and each trial needs one; raise --gpus-per-trial"
            )


def placeholder_problems(name: str, text: str) -> Iterator[str]:
    """Find the values that a user of a shipped file has to fill in."""
    for number, line in enumerate(text.splitlines(), start=1):
        if found := re.search("|".join(PLACEHOLDERS), line.split("#")[0]):
            advice = next(a for p, a in PLACEHOLDERS.items() if re.fullmatch(p, found[0]))
            yield f"{name}:{number}: {found[0]} is a placeholder; put {advice} there"


def idle_problems(minutes: float | None) -> Iterator[str]:
    """Yield a problem if idle workers are not released soon."""
    if minutes is None or not 0 < minutes <= MAX_IDLE_MINUTES:
        yield (
            f"idle workers are released after {minutes} minutes; set more than 0 and at most "
            f"{MAX_IDLE_MINUTES}"
        )


def cost_problems(text: str) -> Iterator[str]:
    """Yield a problem if the file does not state the hourly cost."""
    if not re.search(r"^# Cost:", text, flags=re.MULTILINE):
        yield "it does not state the hourly cost; add a comment that starts with '# Cost:'"


def open_address_problems(text: str, *, allowed: Sequence[str] = ()) -> Iterator[str]:
    """Find addresses that listen on, or admit, the whole network."""
    for number, line in enumerate(text.splitlines(), start=1):
        code = line.split("#")[0]
        if any(word in code for word in allowed):
            continue
        if re.search(r"\b0\.0\.0\.0\b|(?<![\w:])::/0", code):
            yield f"line {number} opens a port to everyone ({code.strip()[:60]})"
