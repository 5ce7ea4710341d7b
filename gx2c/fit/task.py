"""What a fit reads and what it is to learn, beside the choice of genes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from gx2c.errors import UserError
from gx2c.fit.features import EXPRESSION, parse_features

CONNECTOME = "connectome"
GEOGRAPHY_RESIDUAL = "geography-residual"
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
    """

    features: tuple[str, ...] = (EXPRESSION,)
    learned: str = CONNECTOME

    def __post_init__(self) -> None:
        parse_features("+".join(self.features))
        if self.learned not in LEARNED:
            raise UserError(f"nothing to learn is named {self.learned!r}; choose from {LEARNED}")

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {**asdict(self), "features": list(self.features)}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Task:
        """Rebuild from plain values."""
        features = tuple(plain.get("features", (EXPRESSION,)))
        return cls(**{**plain, "features": features})
