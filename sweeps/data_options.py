"""Which data a sweep is about."""

from __future__ import annotations

from dataclasses import dataclass

from gx2c.data.genes import gene_order
from gx2c.data.views import BOTH, HEMISPHERES, BrainView
from sweeps.option_checks import Check, accepted, choice


@dataclass(frozen=True, kw_only=True)
class DataOptions:
    """The dataset, and what is taken of it.

    Attributes
    ----------
    dataset
        A dataset's name or folder.
    hemisphere
        "left", "right" or "both".
    cortex_only
        Whether regions outside the cortex are left out.
    genes
        "all", "<N>_var", the name of a group, or a file of symbols or sets.
    gene_order
        One of `GENE_ORDERS`, or "cluster_<k>".
    """

    dataset: str = "schaefer100"
    hemisphere: str = BOTH
    cortex_only: bool = False
    genes: str = "all"
    gene_order: str = "tss"

    @property
    def view(self) -> BrainView:
        """The part of the dataset that is taken."""
        return BrainView(hemisphere=self.hemisphere, cortex_only=self.cortex_only)


DATA_CHECKS: tuple[Check, ...] = (
    choice("hemisphere", HEMISPHERES),
    accepted("gene_order", gene_order),
)
