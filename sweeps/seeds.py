"""Seeds of a sweep's parts: each follows from the sweep's seed and what the part is."""

from __future__ import annotations

import zlib

from gx2c.fit import derive_seed

_TRIAL, _SAMPLER, _RETRAIN, _NULL_TRIAL = 1, 2, 3, 4


def model_number(model: str) -> int:
    """Return a number that stands for a model, the same in every process."""
    return zlib.crc32(model.encode())


def sampler_seed(seed: int, model: str, fold: int) -> int:
    """Seed of one search's sampler."""
    return derive_seed(seed, _SAMPLER, model_number(model), fold)


def trial_seed(seed: int, model: str, fold: int, number: int) -> int:
    """Seed of one trial."""
    return derive_seed(seed, _TRIAL, model_number(model), fold, number)


def retrain_seed(seed: int, model: str, fold: int, surrogate: int = 0) -> int:
    """Seed of one retrained model; surrogate 0 is the true brain, k + 1 the null k."""
    return derive_seed(seed, _RETRAIN, model_number(model), fold, surrogate)


def null_trial_seed(seed: int, null: int, number: int) -> int:
    """Seed of one candidate in the search that a null repeats; `seed` is the true retraining's."""
    return derive_seed(seed, _NULL_TRIAL, null, number)
