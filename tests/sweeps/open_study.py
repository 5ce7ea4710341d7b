"""A run's copy of its search, opened and closed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from optuna.storages import RDBStorage


@contextlib.contextmanager
def opened(study: Path) -> Iterator[RDBStorage]:
    """Open a study file; Python 3.13 warns of connections that nobody closes."""
    storage = RDBStorage(f"sqlite:///{study}")
    try:
        yield storage
    finally:
        storage.remove_session()
        storage.engine.dispose()
