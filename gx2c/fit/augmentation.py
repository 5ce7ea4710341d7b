"""Variation of training data from step to step; off by default."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from gx2c.errors import UserError, look_up

SUBJECTS, EACH_EDGE, STRONG, NOISE = "subjects", "subject-edges", "strong-edges", "noise"
KINDS = (SUBJECTS, EACH_EDGE, STRONG, NOISE)
# As published, as a share of a gene's standard deviation
DEFAULT_NOISE = 0.04

# Share of training done, from 0 on and below 1 -> factor of the probability
SCHEDULES: dict[str, Callable[[float], float]] = {
    "constant": lambda done: 1.0,
    "decay": lambda done: 1.0 - done,
    "increase": lambda done: done,
    "peak": lambda done: 1.0 - abs(2.0 * done - 1.0),
}


@dataclass(frozen=True)
class Augmentation:
    """Variations of some steps of a network's training, and how often they occur.

    References
    ----------
    GeneEx2Conn, NeurIPS 2025 (target-side and curriculum augmentation).
    """

    # "subjects": targets of one person; "subject-edges": of a person drawn for each edge;
    # "strong-edges": only edges above .3 in size count; "noise": on the features
    kinds: tuple[str, ...] = ()
    probability: float = 0.3  # Probability that a step is varied, where the schedule is highest
    # A name in `SCHEDULES`: over the epochs that training may have at most
    schedule: str = "constant"
    # Standard deviation of the noise, in standard deviations of each feature over the
    # training regions
    noise: float = DEFAULT_NOISE

    def __post_init__(self) -> None:
        if unknown := [kind for kind in self.kinds if kind not in KINDS]:
            raise UserError(f"no augmentation {unknown[0]!r}; choose from {KINDS}, joined by +")
        if len(set(self.kinds)) < len(self.kinds) or {SUBJECTS, EACH_EDGE} <= set(self.kinds):
            raise UserError(
                f"augmentations {'+'.join(self.kinds)} vary one thing twice; give one of "
                f"{SUBJECTS} and {EACH_EDGE}, and each once"
            )
        look_up(SCHEDULES, self.schedule, "augmentation schedule")
        if not 0 <= self.probability <= 1:
            raise UserError(
                f"the probability of augmentation is {self.probability}; give one from 0 to 1"
            )
        if not (math.isfinite(self.noise) and self.noise >= 0):
            raise UserError(f"the noise of augmentation is {self.noise}; give a number from 0 on")

    @property
    def needs_subjects(self) -> bool:
        """Whether individual connectomes are needed."""
        return bool({SUBJECTS, EACH_EDGE} & set(self.kinds))

    def probability_of(self, number: int, max_epochs: int) -> float:
        """Return the probability of a step of epoch `number`, counted from 1, to be varied."""
        return self.probability * SCHEDULES[self.schedule]((number - 1) / max_epochs)


def parse_kinds(text: str) -> tuple[str, ...]:
    """Read kinds of augmentation joined by "+"; "none" for none.

    Raises
    ------
    UserError
        If there is none of that name, or they exclude each other.
    """
    kinds = () if text == "none" else tuple(part.strip() for part in text.split("+"))
    return Augmentation(kinds).kinds
