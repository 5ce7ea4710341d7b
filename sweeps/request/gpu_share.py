"""Shares of a GPU: `--gpus-per-trial`, and the share of each of several trials."""

import math

from gx2c.errors import UserError

# A network uses one GPU; Ray counts shares in steps of this size
LEAST_GPU_SHARE = 1e-4
# The share that means: measure how many trials fit a GPU
AUTO_GPUS = -1.0
GPU_SHARES = f"give 0, a share of one GPU from {LEAST_GPU_SHARE:g} to 1, or auto"


def read_gpu_share(given: str | float) -> float:
    """Read `--gpus-per-trial`: a share, or "auto", whose value cannot be given as a number."""
    text = str(given)  # typer also sends the default through its parser
    if text.startswith("-"):
        raise UserError(f"{text} given; {GPU_SHARES}")
    return AUTO_GPUS if text == "auto" else float(text)


def check_gpu_share(share: float) -> None:
    """Raise an error for a number that is not a share of a GPU in Ray."""
    if share not in (0, AUTO_GPUS) and not LEAST_GPU_SHARE <= share <= 1:
        raise UserError(f"{share} is invalid; {GPU_SHARES}")


def share_of(n_trials: int) -> float:
    """Return the share of each of n trials such that n of them fit."""
    return math.floor(1 / n_trials / LEAST_GPU_SHARE) * LEAST_GPU_SHARE


def larger_share(share: float) -> float:
    """Return the share at half the packing."""
    return min(1.0, 2 * share)
