"""What may vary: one search space per model, and the table that names them.

A search space declares and never computes; it knows no searcher, only that something answers
`suggest_float`, `suggest_int` and `suggest_categorical`.
"""

from __future__ import annotations

from gx2c.errors import UserError
from search_spaces import (
    bilinear,
    bilinear_cm,
    cge,
    decay,
    gene_signatures,
    genevec,
    kernel_ridge,
    mlp,
    pls_twostep,
    reduced_pairs,
    reduced_smt,
    shared_encoder,
    smt,
    xgboost_trees,
)
from search_spaces.space import Scale, SearchSpace, TrialLike, suggest_config

_FILES = (
    decay,
    cge,
    kernel_ridge,
    bilinear_cm,
    pls_twostep,
    bilinear,
    mlp,
    shared_encoder,
    smt,
    reduced_pairs,
    reduced_smt,
    genevec,
    xgboost_trees,
    gene_signatures,
)
SEARCH_SPACES: dict[str, SearchSpace] = {
    space.model: space for file in _FILES for space in file.SPACES
}

__all__ = [
    "SEARCH_SPACES",
    "Scale",
    "SearchSpace",
    "TrialLike",
    "get_search_space",
    "suggest_config",
]


def get_search_space(model: str) -> SearchSpace:
    """Return the search space of a model.

    Raises
    ------
    UserError
        If there is none of that name; the message lists those there are.
    """
    try:
        return SEARCH_SPACES[model]
    except KeyError:
        raise UserError(
            f"no search space for a model named {model!r}; choose from {sorted(SEARCH_SPACES)}"
        ) from None
