"""Limits of a sweep: none of them changes a result of a config that was allowed to finish."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from sweeps.option_checks import Check


@dataclass(frozen=True, kw_only=True)
class LimitOptions:
    """How long and how large.

    Attributes
    ----------
    time_budget_min
        Of this session, minutes, after which it stops and can be resumed; 0 for none.
    trial_timeout_min
        Of one network's work in a trial, minutes; 0 for none.
    max_disk_gb
        Of the run folder, 10^9 bytes; 0 for none.
    keep_checkpoints
        Whether a trial's last checkpoint stays when it ends.
    """

    time_budget_min: float = 0.0
    trial_timeout_min: float = 0.0
    max_disk_gb: float = 0.0
    keep_checkpoints: bool = False


def _limit(name: str) -> Check:
    def check(options: Any) -> str:
        value = getattr(options, name)
        finite = value >= 0 and math.isfinite(value)
        return "" if finite else f"{name} is {value}; give a number above 0, or 0 for no limit"

    return check


LIMIT_CHECKS: tuple[Check, ...] = (
    _limit("time_budget_min"),
    _limit("trial_timeout_min"),
    _limit("max_disk_gb"),
)
