"""The time that a sweep may take, and the settings that it lowers to keep it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from gx2c.errors import UserError
from gx2c.models.names import families_of, spec_of
from sweeps.request.ensemble import parse_ensemble, usual_ensemble
from sweeps.request.table import NO_BUDGET, OptionTable

# Training networks of the published sizes on CPUs takes days
CPU_BUDGET = "2h"
# First rung and patience as shares of max_epochs: the best rule on recorded learning curves
# (docs/performance.md)
EPOCH_SHARES = {"grace_epochs": 1 / 10, "patience": 1 / 3}
_SMALL = {"small": True, "genes": "500_var"}
# Upper bounds of each level; the first one that fits is taken. Networks become narrow first, which
# costs them little on a hundred regions (docs/log.md); 19 nulls are the fewest that reach p = .05.
LEVELS: tuple[Mapping[str, Any], ...] = (
    {},
    {"nulls": 39},
    _SMALL,
    {**_SMALL, "nulls": 39},
    {**_SMALL, "nulls": 39, "seeds": 1},
    {**_SMALL, "nulls": 39, "seeds": 1, "ensemble": "3x1", "samples": 16, "max_epochs": 100},
    {**_SMALL, "nulls": 19, "seeds": 1, "ensemble": "3x1", "samples": 16, "max_epochs": 100},
    {**_SMALL, "nulls": 19, "seeds": 1, "ensemble": "1x1", "samples": 16, "max_epochs": 100},
    {**_SMALL, "nulls": 19, "seeds": 1, "ensemble": "1x1", "samples": 8, "max_epochs": 60},
    {**_SMALL, "nulls": 19, "seeds": 1, "ensemble": "1x1", "samples": 4, "max_epochs": 30},
)
# They change the meaning of a score, which that of an earlier run's trial must share
_OF_SCORES = ("small", "genes", "max_epochs", *EPOCH_SHARES)
BUDGETED = (*_OF_SCORES, "nulls", "seeds", "ensemble", "samples")
_UNITS = {"h": 3_600, "m": 60, "min": 60, "s": 1}
_PART = re.compile(r"(\d+(?:\.\d+)?)(h|min|m|s)")

Options = TypeVar("Options", bound=OptionTable)


def parse_budget(text: str) -> float | None:
    """Return the seconds of "30m", "2h" or "1h30m"; None for `NO_BUDGET`.

    Raises
    ------
    UserError
        If it is no time.
    """
    if text == NO_BUDGET:
        return None
    parts = _PART.findall(text)
    seconds = sum(float(number) * _UNITS[unit] for number, unit in parts)
    if "".join(number + unit for number, unit in parts) != text or seconds <= 0:
        raise UserError(f"{text!r} is no time; give hours and minutes, such as 30m, 2h or 1h30m")
    return seconds


def budgeted(given: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the options that a budget may lower: those that were not given."""
    kept = _OF_SCORES if given.get("warm_start") else ()
    return tuple(name for name in BUDGETED if name not in given and name not in kept)


def lowered(options: Options, level: Mapping[str, Any]) -> Options:
    """Return options within the bounds of a level, where the budget may lower them."""
    in_epochs = any(spec_of(model).trains_in_epochs for model in families_of(options.model))
    free = {name for name in options.budgeted if in_epochs or name not in (*_SMALL, "ensemble")}
    new = {
        name: _LOWER[name](getattr(options, name), level[name]) for name in level if name in free
    }
    for name, share in EPOCH_SHARES.items():
        if name in free and "max_epochs" in new:
            new[name] = max(1, round(new["max_epochs"] * share))
    if "samples" in new and "ensemble" in options.budgeted and not in_epochs:
        new["ensemble"] = usual_ensemble(options.model, options.preset, new["samples"])
    return replace(options, **new)


def _lower_ensemble(asked: str, most: str) -> str:
    sizes = zip(parse_ensemble(asked), parse_ensemble(most), strict=True)
    return "x".join(f"{min(pair)}" for pair in sizes)


_LOWER: Mapping[str, Callable[[Any, Any], Any]] = {
    "nulls": min,
    "samples": min,
    "max_epochs": min,
    "seeds": lambda asked, most: ",".join(asked.split(",")[:most]),
    "ensemble": _lower_ensemble,
    "small": lambda _, small: small,
    # a named set of genes is a question of its own
    "genes": lambda asked, fewer: fewer if asked == "all" else asked,
}


def resumed(before: Options, now: Options) -> Options:
    """Return the options of a resumed sweep, with everything that its budget chose at its start."""
    if before.budget != now.budget:
        return now
    chosen = set(before.budgeted) & set(now.budgeted)
    return replace(now, **{name: getattr(before, name) for name in chosen})


def changes(asked: OptionTable, chosen: OptionTable) -> str:
    """Return the lowered options in words; empty if there are none."""
    words = {"small": "networks are narrow and shallow"}
    return ", ".join(
        words.get(name, f"{name} {getattr(asked, name)} -> {getattr(chosen, name)}")
        for name in BUDGETED
        if name not in EPOCH_SHARES and getattr(asked, name) != getattr(chosen, name)
    )
