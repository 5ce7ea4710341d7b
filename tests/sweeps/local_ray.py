"""Ray on this machine, for tests that give it classes and functions of their own."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator

import pytest
import ray


@contextlib.contextmanager
def two_processors(*, n_gpus: int = 0) -> Iterator[None]:
    """Run Ray with two processors, whatever there are, and GPUs by name alone."""
    with pytest.MonkeyPatch.context() as patch:
        # workers import the file of the test
        patch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
        ray.init(
            address="local",
            num_cpus=2,
            num_gpus=n_gpus,
            include_dashboard=False,
            log_to_driver=False,
        )
        yield
        ray.shutdown()
