"""Trials run in the workers that Ray starts with itself, instead of in new ones.

Tune gives each trial's actor an environment variable for Lightning, which gx2c does not use. An
actor with variables of its own cannot have one of the workers that Ray has already started: it
waits for another, and those sit idle. Tune has no option for it (seen in Ray 2.54 to 2.60). Keys
of AWS in the environment are handed on all the same, and with them trials wait as before.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from ray.tune.execution import class_cache


@contextlib.contextmanager
def prestarted_workers_are_used() -> Iterator[None]:
    """Give trials no variable that is meant for Lightning, for as long as this context lasts."""
    variables = class_cache.DEFAULT_ENV_VARS
    class_cache.DEFAULT_ENV_VARS = {}
    try:
        yield
    finally:
        class_cache.DEFAULT_ENV_VARS = variables
