"""How the training data of networks are varied."""

from __future__ import annotations

from dataclasses import dataclass

from gx2c.fit.augmentation import DEFAULT_NOISE, SCHEDULES, Augmentation, parse_kinds
from sweeps.option_checks import Check, accepted, choice


@dataclass(frozen=True, kw_only=True)
class AugmentOptions:
    """Augmentation; off by default.

    Attributes
    ----------
    augment
        "none", or kinds of `Augmentation` joined by "+".
    augment_probability, augment_schedule, augment_noise
        As `Augmentation` has them; they act where something is augmented.
    """

    augment: str = "none"
    augment_probability: float = 0.3
    augment_schedule: str = "constant"
    augment_noise: float = DEFAULT_NOISE

    @property
    def augmentation(self) -> Augmentation:
        """What is varied."""
        kinds = parse_kinds(self.augment)
        if not kinds:
            return Augmentation()
        return Augmentation(
            kinds,
            probability=self.augment_probability,
            schedule=self.augment_schedule,
            noise=self.augment_noise,
        )


AUGMENT_CHECKS: tuple[Check, ...] = (
    accepted("augment", parse_kinds),
    accepted("augment_probability", lambda value: Augmentation(probability=value)),
    choice("augment_schedule", SCHEDULES),
    accepted("augment_noise", lambda value: Augmentation(noise=value)),
)
