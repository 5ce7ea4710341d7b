"""Checks that several groups of options share; each returns what is wrong, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from gx2c.errors import UserError

Check = Callable[[Any], str]


def choice(name: str, choices: Collection[str]) -> Check:
    """Check that an option is one of `choices`."""

    def check(options: Any) -> str:
        value = getattr(options, name)
        return "" if value in choices else f"no {name} {value!r}; choose from {sorted(choices)}"

    return check


def at_least(name: str, least: float) -> Check:
    """Check that an option is a number of at least `least`; NaN is not."""

    def check(options: Any) -> str:
        value = getattr(options, name)
        return "" if value >= least else f"{name} is {value}; it must be at least {least}"

    return check


def accepted(name: str, reader: Callable[[Any], object]) -> Check:
    """Check that a function that refuses with a `UserError` takes an option."""

    def check(options: Any) -> str:
        try:
            reader(getattr(options, name))
        except UserError as error:
            return f"{name}: {error}"
        return ""

    return check
