"""Search space of boosted trees on principal components.

The published sweep also varies `scale_pos_weight`, which a regression does not read.
"""

from __future__ import annotations

from collections.abc import Mapping

from search_spaces.components import suggest_components
from search_spaces.space import Scale, SearchSpace, Suggestion, TrialLike, Value

MOST_COMPONENTS = 64
TREES, TREES_SMALL = (50, 350), (20, 80)

# GeneEx2Conn, NeurIPS 2025, sweep `xgboost`, on its 27 principal components
FIRST: Mapping[str, Value] = {
    "n_components": 27,
    "n_trees": 250,
    "max_depth": 5,
    "learning_rate": 0.1,
    "row_share": 0.8,
    "column_share": 0.8,
    "min_split_gain": 0.1,
    "l2": 0.1,
    "l1": 0.01,
    "min_weight": 3,
}
FIRST_SMALL: Mapping[str, Value] = {"n_components": 16, "n_trees": 60, "max_depth": 3}


def suggest_xgboost(trial: TrialLike, scale: Scale) -> Suggestion:
    """Suggest a `PairTrees`; a small search grows fewer and shallower trees."""
    trees, depths = (TREES_SMALL, (3, 5)) if scale.small else (TREES, (3, 7))
    return {
        "n_components": suggest_components(trial, scale, MOST_COMPONENTS),
        "n_trees": trial.suggest_int("n_trees", *trees),
        "max_depth": trial.suggest_int("max_depth", *depths),
        "learning_rate": trial.suggest_float("learning_rate", 1e-4, 0.5, log=True),
        "row_share": trial.suggest_float("row_share", 0.5, 1.0),
        "column_share": trial.suggest_float("column_share", 0.5, 1.0),
        "min_split_gain": trial.suggest_float("min_split_gain", 0.0, 0.5),
        "l2": trial.suggest_float("l2", 0.0, 1.0),
        "l1": trial.suggest_float("l1", 0.0, 1.0),
        "min_weight": trial.suggest_int("min_weight", 1, 5),
    }, None


SPACES = (
    SearchSpace(
        model="xgboost",
        suggest=suggest_xgboost,
        first=FIRST,
        first_small=FIRST_SMALL,
        most_components={"n_components": MOST_COMPONENTS},
    ),
)
