"""What is taken of a dataset before anything else happens to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from gx2c.data.brain import Brain
from gx2c.data.selection import SIDES, select_regions
from gx2c.errors import UserError

BOTH = "both"
HEMISPHERES = (*SIDES, BOTH)


@dataclass(frozen=True)
class BrainView:
    """A part of a dataset's brain; recorded with results, so that a rerun takes the same part.

    Attributes
    ----------
    hemisphere
        One of `HEMISPHERES`.
    cortex_only
        Whether regions outside the cortex are left out.
    """

    hemisphere: str = BOTH
    cortex_only: bool = False

    def __post_init__(self) -> None:
        if self.hemisphere not in HEMISPHERES:
            raise UserError(f"no hemisphere {self.hemisphere!r}; choose from {sorted(HEMISPHERES)}")

    def of(self, brain: Brain) -> Brain:
        """Take this part of a brain.

        Raises
        ------
        UserError
            If the dataset lacks what is asked for, or too little is left.
        """
        side = None if self.hemisphere == BOTH else self.hemisphere
        return select_regions(brain, hemisphere=side, cortex_only=self.cortex_only)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> BrainView:
        """Rebuild from plain values.

        Raises
        ------
        UserError
            If there is a key too many, or a value cannot be.
        """
        try:
            return cls(**plain)
        except TypeError as error:
            raise UserError(
                f"not a view of a dataset ({error}); take one that gx2c wrote"
            ) from None
