"""Which configs go on: decisions that depend on scores alone, never on when they arrive."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gx2c.errors import UserError

ETA = 3
SYNCHRONOUS_BATCH = 8


@dataclass(frozen=True)
class RungRule:
    """Successive halving over fixed batches.

    Attributes
    ----------
    milestones
        Passes at which a decision is due, ascending; empty to let all configs finish.
    batch_size
        Configs asked together; 0 for all at once.
    eta
        One in `eta` goes on, counted over all configs that ever reached the rung.
    keep
        How many go on instead, if not 0.
    waits
        Whether configs wait for one another at a milestone; False leaves every decision to a
        scheduler that does not.

    References
    ----------
    Jamieson & Talwalkar (2016), AISTATS; Li et al. (2020), MLSys ("ASHA").
    """

    milestones: tuple[int, ...]
    batch_size: int
    eta: int = ETA
    keep: int = 0
    waits: bool = True

    def promoted(self, table: Mapping[int, float], held: set[int]) -> set[int]:
        """Choose among the configs held at a rung.

        Parameters
        ----------
        table
            Best score so far of every config that reached the rung or finished before it, this
            batch and earlier ones.
        held
            Numbers of the configs that wait.
        """
        n_keep = self.keep or max(1, len(table) // self.eta)
        ranked = sorted(table, key=lambda number: (-table[number], number))
        best = {number for number in ranked[:n_keep] if table[number] > float("-inf")}
        return held & best


def rung_milestones(grace_passes: int, max_passes: int, eta: int = ETA) -> tuple[int, ...]:
    """Return grace, grace * eta, grace * eta^2 ... below `max_passes`."""
    milestones = []
    passes = grace_passes
    while passes < max_passes:
        milestones.append(passes)
        passes *= eta
    return tuple(milestones)


def make_rule(scheduler: str, *, max_passes: int, grace_passes: int) -> RungRule:
    """Return the rule of a named scheduler.

    Raises
    ------
    UserError
        If there is no such scheduler.
    """
    rungs = rung_milestones(grace_passes, max_passes)
    rules = {
        "asha": RungRule(rungs, SYNCHRONOUS_BATCH),
        "asha-async": RungRule(rungs, 1, waits=False),
        "one-epoch": RungRule((1,) if max_passes > 1 else (), 0, keep=3),
        "none": RungRule((), SYNCHRONOUS_BATCH),
    }
    try:
        return rules[scheduler]
    except KeyError:
        raise UserError(f"no scheduler {scheduler!r}; choose from {sorted(rules)}") from None


SCHEDULERS = ("asha", "asha-async", "one-epoch", "none")
