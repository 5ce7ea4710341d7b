"""The exceptions that a caller may want to catch, the checks that raise them, and the log."""

import logging
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import TypeVar

logger = logging.getLogger("gx2c")
T = TypeVar("T")

MANY = 30


class UserError(ValueError):
    """A mistake that the user can mend; the message states the input, the need and the remedy."""


class DataError(UserError):
    """A dataset that cannot be used.

    Parameters
    ----------
    source
        What was read (a path or a dataset's name).
    problems
        Every problem found, one sentence each.
    """

    def __init__(self, source: str, problems: Sequence[str]) -> None:
        self.source = source
        self.problems = tuple(problems)
        lines = "".join(f"\n  - {problem}" for problem in self.problems)
        super().__init__(f"{source}: {len(self.problems)} problem(s){lines}")


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a question that names the closest of the known names, "" if none is close."""
    close = get_close_matches(name, list(known))
    return f"did you mean {' or '.join(map(repr, close))}? " if close else ""


def offer(name: str, known: Collection[str]) -> str:
    """Return what may be given in place of an unknown name; only a table of models is long."""
    listed = sorted(known) if len(known) <= MANY else "those that `gx2c models` lists"
    return f"{did_you_mean(name, known)}choose from {listed}"


def require_choice(keyword: str, value: str, choices: Iterable[str]) -> None:
    """Refuse a value that is not among the choices."""
    if value not in (allowed := sorted(choices)):
        raise UserError(f"{keyword} is {value!r}; {offer(value, allowed)}")


def look_up(table: Mapping[str, T], name: str, kind: str) -> T:
    """Return a table's entry of a name, or refuse: "no `kind` 'name'; choose from [...]"."""
    if name not in table:
        raise UserError(f"no {kind} {name!r}; {offer(f'{name}', table)}")
    return table[name]


def require_positive(keyword: str, value: float) -> None:
    """Refuse a value that is not a positive, finite number."""
    if not (math.isfinite(value) and value > 0):
        raise UserError(f"{keyword} is {value}; it must be a finite number above 0")


def require_fraction(keyword: str, value: float) -> None:
    """Refuse a value outside 0 to 1."""
    if not 0 <= value <= 1:
        raise UserError(f"{keyword} is {value}; it must lie between 0 and 1")
