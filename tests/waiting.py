"""Waiting for other threads and processes: at once on an idle machine, longer on a busy one."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any


def until(happened: Callable[[], Any], *, patience_s: float = 60.0) -> Any:
    """Wait until something has happened, and return it."""
    end = time.monotonic() + patience_s
    while not (found := happened()):
        assert time.monotonic() < end, f"it did not happen within {patience_s:g} s"
        time.sleep(0.02)
    return found
