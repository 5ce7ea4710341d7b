"""The few exceptions that a caller may want to catch."""

from __future__ import annotations

from collections.abc import Sequence


class UserError(ValueError):
    """A mistake that the user can mend; the message says what came, what is needed, what to do."""


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
