"""Rules that promote configs by their scores alone, independently of arrival times."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

ETA = 3
SYNCHRONOUS_BATCH = 8
NO_SCORE = float("-inf")


class Decision(Enum):
    """Decision about a trial that has just reported, in the words of Ray Tune."""

    CONTINUE = "CONTINUE"
    HOLD = "PAUSE"
    STOP = "STOP"


@dataclass(frozen=True)
class RungRule:
    """Successive halving over fixed batches.

    Attributes
    ----------
    milestones
        Epochs at which a decision is due, ascending; empty to let all configs finish.
    batch_size
        Number of configs requested together; 0 for all.
    eta
        One in `eta` configs continues, counted over all configs that ever reached the rung.
    keep
        Number of configs that continue instead, if not 0.
    waits
        Whether configs wait for each other at a milestone; False leaves every decision to a
        scheduler that does not wait.

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
        """Return the configs, of those held at a rung, that continue.

        Parameters
        ----------
        table
            Best score so far of every config of this and earlier batches that reached the rung or
            finished before it.
        held
            Numbers of the waiting configs.
        """
        n_keep = self.keep or max(1, len(table) // self.eta)
        ranked = sorted(table, key=lambda number: (-table[number], number))
        best = {number for number in ranked[:n_keep] if table[number] > NO_SCORE}
        return held & best


def best_score(curve: Iterable[Mapping[str, Any]], milestone: int) -> float:
    """Return the best score of a curve within the first `milestone` epochs."""
    scores = [p["score"] for p in curve if p["epochs"] <= milestone and p["score"] is not None]
    return max(scores, default=NO_SCORE)


def rung_milestones(grace_epochs: int, max_epochs: int, eta: int = ETA) -> tuple[int, ...]:
    """Return grace, grace * eta, grace * eta^2 ... below `max_epochs`."""
    milestones = []
    epochs = grace_epochs
    while epochs < max_epochs:
        milestones.append(epochs)
        epochs *= eta
    return tuple(milestones)


RULES: dict[str, Callable[[tuple[int, ...], int], RungRule]] = {
    "asha": lambda rungs, _: RungRule(rungs, SYNCHRONOUS_BATCH),
    "asha-async": lambda rungs, _: RungRule(rungs, 1, waits=False),
    "one-epoch": lambda _, longest: RungRule((1,) if longest > 1 else (), 0, keep=3),
    "none": lambda _, __: RungRule((), SYNCHRONOUS_BATCH),
}
SCHEDULERS = tuple(RULES)


def make_rule(scheduler: str, *, max_epochs: int, grace_epochs: int) -> RungRule:
    """Return the rule of a scheduler, one of `SCHEDULERS`."""
    return RULES[scheduler](rung_milestones(grace_epochs, max_epochs), max_epochs)
