"""What a fit reads and what it is to learn, beside the choice of genes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from gx2c.data.brain import Brain
from gx2c.errors import UserError
from gx2c.fit.augmentation import Augmentation
from gx2c.fit.features import EXPRESSION, check_features, parse_features

CONNECTOME = "connectome"
GEOGRAPHY_RESIDUAL = "geography-residual"
NO_AUGMENTATION = Augmentation()
LEARNED = (CONNECTOME, GEOGRAPHY_RESIDUAL)


@dataclass(frozen=True)
class Task:
    """What stands in the place of expression, and what is learned; no search varies it.

    Attributes
    ----------
    features
        Names as `parse_features` takes them, in the order of the columns.
    learned
        "connectome", or "geography-residual": what the geography baseline leaves. Predictions
        are of the connectome either way.
    augmentation
        How a network's training data are varied.
    """

    features: tuple[str, ...] = (EXPRESSION,)
    learned: str = CONNECTOME
    augmentation: Augmentation = NO_AUGMENTATION

    def __post_init__(self) -> None:
        parse_features("+".join(self.features))
        if self.learned not in LEARNED:
            raise UserError(f"nothing to learn is named {self.learned!r}; choose from {LEARNED}")

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        plain = {**asdict(self), "features": list(self.features)}
        plain["augmentation"]["kinds"] = list(self.augmentation.kinds)
        return plain

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Task:
        """Rebuild from plain values."""
        features = tuple(plain.get("features", (EXPRESSION,)))
        augmentation = dict(plain.get("augmentation", {}))
        augmentation["kinds"] = tuple(augmentation.get("kinds", ()))
        given = {"features": features, "augmentation": Augmentation(**augmentation)}
        return cls(**{**plain, **given})


def check_task(task: Task, brain: Brain) -> None:
    """Refuse a task that a brain cannot serve.

    Raises
    ------
    UserError
        If a structural connectome or individual connectomes are needed and there are none.
    """
    check_features(task.features, brain)
    if task.augmentation.needs_subjects and brain.individual_connectomes is None:
        raise UserError(
            f"augmentation with targets of single people needs individual connectomes, and "
            f"{brain.name} has none for this target; add individual_connectomes.parquet, or "
            "choose another augmentation"
        )
