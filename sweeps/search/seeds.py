"""Seeds of a sweep's parts, each derived from the sweep's seed and the identity of the part."""

import zlib

from gx2c.fit import derive_seed

_TRIAL, _SAMPLER, _RETRAIN, _NULL_TRIAL, _MEMBER = 1, 2, 3, 4, 5


def model_number(model: str) -> int:
    """Return a number that identifies a model, the same in every process."""
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


def member_seed(seed: int, config: int, repeat: int) -> int:
    """Seed of one member of an ensemble; `seed` is that of the best config's first one."""
    return derive_seed(seed, _MEMBER, config, repeat) if config or repeat else seed


def null_trial_seed(seed: int, null: int, number: int) -> int:
    """Seed of one candidate in a null's search; `seed` is that of the true retraining."""
    return derive_seed(seed, _NULL_TRIAL, null, number)
