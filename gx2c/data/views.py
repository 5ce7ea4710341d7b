"""What is taken of a dataset before anything else happens to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gx2c.data.brain import Brain, FloatArray
from gx2c.data.selection import SIDES, select_regions
from gx2c.data.side_files import with_gene_vectors, with_region_embeddings
from gx2c.errors import UserError

BOTH = "both"
HEMISPHERES = (*SIDES, BOTH)
FUNCTIONAL, STRUCTURAL = CONNECTOMES = ("functional", "structural")


@dataclass(frozen=True)
class BrainView:
    """A part of a dataset's brain; recorded with results, so that a rerun takes the same part.

    Attributes
    ----------
    hemisphere
        One of `HEMISPHERES`.
    cortex_only
        Whether regions outside the cortex are left out.
    connectome
        Which connectome is to be predicted, one of `CONNECTOMES`. Where it is the structural one,
        nothing else may be made of it, and there is no holdout connectome.
    threshold
        Edges above it are 1 and all others 0; None to keep their values.
    embeddings, gene_vectors
        Files of `with_region_embeddings` and `with_gene_vectors`; empty for none.
    """

    hemisphere: str = BOTH
    cortex_only: bool = False
    connectome: str = FUNCTIONAL
    threshold: float | None = None
    embeddings: str = ""
    gene_vectors: str = ""

    def __post_init__(self) -> None:
        if self.hemisphere not in HEMISPHERES:
            raise UserError(f"no hemisphere {self.hemisphere!r}; choose from {sorted(HEMISPHERES)}")
        if self.connectome not in CONNECTOMES:
            raise UserError(f"no connectome {self.connectome!r}; choose from {CONNECTOMES}")
        if self.threshold is not None and not abs(self.threshold) < 1:
            raise UserError(f"the threshold is {self.threshold}; give a number between -1 and 1")

    def of(self, brain: Brain) -> Brain:
        """Take this part of a brain.

        Raises
        ------
        UserError
            If the dataset lacks what is asked for, or too little is left.
        """
        side = None if self.hemisphere == BOTH else self.hemisphere
        part = select_regions(brain, hemisphere=side, cortex_only=self.cortex_only)
        if self.connectome == STRUCTURAL:
            part = _predict_structure(part)
        if self.embeddings:
            part = with_region_embeddings(part, self.embeddings)
        if self.gene_vectors:
            part = with_gene_vectors(part, self.gene_vectors)
        return part if self.threshold is None else _binarised(part, self.threshold)

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


def _predict_structure(brain: Brain) -> Brain:
    if brain.structural_connectome is None:
        raise UserError(
            f"{brain.name} has no structural connectome to predict; add one to the dataset or "
            "predict the functional one"
        )
    return replace(
        brain,
        connectome=brain.structural_connectome,
        structural_connectome=None,
        holdout_connectome=None,
        individual_connectomes=None,
    )


def _binarised(brain: Brain, threshold: float) -> Brain:
    def cut(connectome: NDArray[Any]) -> FloatArray:
        return (connectome > threshold).astype(np.float64)

    edges = cut(brain.connectome)[np.triu_indices(brain.n_regions, 1)]
    if edges.min() == edges.max():
        raise UserError(
            f"all edges of {brain.name} are on one side of the threshold {threshold:g}; "
            "choose another"
        )
    holdout, people = brain.holdout_connectome, brain.individual_connectomes
    return replace(
        brain,
        connectome=cut(brain.connectome),
        holdout_connectome=None if holdout is None else cut(holdout),
        individual_connectomes=None
        if people is None
        else np.where(np.isnan(people), people, cut(people)).astype(np.float32),
    )
