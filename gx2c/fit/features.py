"""Features of regions that replace expression, learned on training regions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from gx2c.data.brain import Brain, IntArray
from gx2c.errors import UserError
from gx2c.fit.feature_kinds import (
    ShowAll,
    ShowCoordinates,
    ShowFeature,
    ShowGenes,
    ShowProfiles,
    _expression_pca,
    _structural_eigenvectors,
)

EXPRESSION, COORDINATES = "expression", "coordinates"
DEFAULT_COMPONENTS, MAX_COMPONENTS = 20, 1_000


@dataclass(frozen=True)
class FeatureRule:
    """One kind of feature."""

    # (brain, training regions, genes, number of components) -> a function that shows the
    # feature of any regions; it reads no region outside training
    learn: Callable[[Brain, IntArray, IntArray, int], ShowFeature]
    components: bool = False  # Whether the number of columns is chosen, with ":<k>" behind the name
    # Which data it is made from
    reads_expression: bool = False
    reads_structure: bool = False


FEATURES: dict[str, FeatureRule] = {
    EXPRESSION: FeatureRule(lambda brain, train, genes, k: ShowGenes(genes), reads_expression=True),
    "expression-pca": FeatureRule(_expression_pca, components=True, reads_expression=True),
    COORDINATES: FeatureRule(lambda brain, train, genes, k: ShowCoordinates()),
    "structural": FeatureRule(
        lambda brain, train, genes, k: ShowProfiles(train), reads_structure=True
    ),
    "structural-laplacian": FeatureRule(
        partial(_structural_eigenvectors, laplacian=True), components=True, reads_structure=True
    ),
    "structural-adjacency": FeatureRule(
        partial(_structural_eigenvectors, laplacian=False), components=True, reads_structure=True
    ),
}


def parse_features(text: str) -> tuple[str, ...]:
    """Read features joined by "+", such as "expression+coordinates" or "expression-pca:10".

    Raises
    ------
    UserError
        If there is none of that name, one comes twice, or a number of components cannot be.
    """
    names = tuple(part.strip() for part in text.split("+"))
    rules = [feature_rule(name)[0] for name in names]
    if len(set(map(id, rules))) < len(rules):
        raise UserError(f"features {text!r} name one kind twice; give each once")
    return names


def feature_rule(name: str) -> tuple[FeatureRule, int]:
    """Look a feature up; return its rule and its number of components.

    Raises
    ------
    UserError
        As `parse_features`.
    """
    stem, colon, number = name.partition(":")
    if stem not in FEATURES:
        raise UserError(f"no feature named {name!r}; choose from {sorted(FEATURES)}")
    rule = FEATURES[stem]
    if not colon:
        return rule, DEFAULT_COMPONENTS
    # so many digits that the number could be too large to read are too many anyway
    few = number.isdecimal() and len(number) <= len(str(MAX_COMPONENTS))
    if not rule.components or not few or not 1 <= int(number) <= MAX_COMPONENTS:
        sized = [other for other, r in FEATURES.items() if r.components]
        raise UserError(
            f"feature {name!r} cannot be; a number of components from 1 to {MAX_COMPONENTS} goes "
            f"with {sized} only"
        )
    return rule, int(number)


def check_features(names: Sequence[str], brain: Brain) -> None:
    """Refuse features that a brain does not have.

    Raises
    ------
    UserError
        If a feature needs a structural connectome or coordinates and there are none.
    """
    for name in names:
        if name == COORDINATES and brain.distances_mm is not None:
            raise UserError(
                f"{brain.name} has distances in place of coordinates, which the feature {name!r} "
                "needs; choose other features, or geography, which reads distances"
            )
        if feature_rule(name)[0].reads_structure and brain.structural_connectome is None:
            raise UserError(
                f"the feature {name!r} needs a structural connectome and {brain.name} has none; "
                "add one to the dataset or choose other features"
            )


def learn_features(
    names: Sequence[str], brain: Brain, train_regions: IntArray, gene_indices: IntArray
) -> ShowFeature:
    """Learn features on training regions; columns are in the order of `names`.

    Parameters
    ----------
    names
        As `parse_features` returns them.
    brain
        Only its training regions are read.
    train_regions, gene_indices
        Region and gene indices.

    Returns
    -------
    ShowFeature
        The row of a region depends on that region alone and, for structural features, on its
        structural connectivity with training regions.
    """
    rules = [feature_rule(name) for name in names]
    parts = [rule.learn(brain, train_regions, gene_indices, k) for rule, k in rules]
    if len(parts) == 1:
        return parts[0]
    return ShowAll(parts)


def n_columns(names: Sequence[str], *, n_genes: int, n_regions: int) -> int:
    """Return how many columns features have, the same in every fold.

    Parameters
    ----------
    names
        As `parse_features` returns them.
    n_genes
        Genes chosen.
    n_regions
        Regions of the whole brain.
    """
    sizes = {EXPRESSION: n_genes, "coordinates": 3, "structural": n_regions}
    rules = [(name, *feature_rule(name)) for name in names]
    return sum(k if rule.components else sizes[name] for name, rule, k in rules)


def reads_expression(names: Sequence[str]) -> bool:
    """Return whether any of the features is made from expression."""
    return any(feature_rule(name)[0].reads_expression for name in names)
