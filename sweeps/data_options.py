"""Which data a sweep is about."""

from __future__ import annotations

from dataclasses import dataclass

from gx2c.data.genes import gene_order
from gx2c.data.views import BOTH, FUNCTIONAL, HEMISPHERES, STRUCTURAL, BrainView
from gx2c.fit.features import EXPRESSION, feature_rule, parse_features
from gx2c.fit.task import CONNECTOME, GEOGRAPHY_RESIDUAL
from sweeps.option_checks import Check, accepted, choice

# option -> (connectome to be predicted, what the model learns of it)
TARGETS = {
    FUNCTIONAL: (FUNCTIONAL, CONNECTOME),
    STRUCTURAL: (STRUCTURAL, CONNECTOME),
    GEOGRAPHY_RESIDUAL: (FUNCTIONAL, GEOGRAPHY_RESIDUAL),
}


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
    features
        What the model reads in the place of expression: names in `FEATURES` joined by "+".
    target
        One of `TARGETS`.
    binarise
        Edges above this value are present, all others absent; None to predict values.
    embeddings
        A file with a row of numbers for each region, in the place of expression.
    gene_vectors
        A file with a row of numbers for each gene, or "groups" for those that come with gx2c.
    """

    dataset: str = "schaefer100"
    hemisphere: str = BOTH
    cortex_only: bool = False
    genes: str = "all"
    gene_order: str = "tss"
    features: str = EXPRESSION
    target: str = FUNCTIONAL
    binarise: float | None = None
    embeddings: str = ""
    gene_vectors: str = ""

    @property
    def view(self) -> BrainView:
        """The part of the dataset that is taken."""
        return BrainView(
            hemisphere=self.hemisphere,
            cortex_only=self.cortex_only,
            connectome=TARGETS[self.target][0],
            threshold=self.binarise,
            embeddings=self.embeddings,
            gene_vectors=self.gene_vectors,
        )


DATA_CHECKS: tuple[Check, ...] = (
    choice("hemisphere", HEMISPHERES),
    accepted("gene_order", gene_order),
    accepted("features", parse_features),
    choice("target", TARGETS),
    accepted("binarise", lambda threshold: BrainView(threshold=threshold)),
)


def _check_structure(options: DataOptions) -> str:
    if options.target != STRUCTURAL:
        return ""
    names = parse_features(options.features)
    if structural := [name for name in names if feature_rule(name)[0].reads_structure]:
        return (
            f"the feature {structural[0]} is made of what --target structural is to predict; "
            "choose other features or another target"
        )
    return ""


def _check_side_files(options: DataOptions) -> str:
    if options.embeddings and options.gene_vectors:
        return "embeddings have no genes that vectors could describe; give one of the two files"
    return ""


DATA_RULES: tuple[Check, ...] = (_check_structure, _check_side_files)
