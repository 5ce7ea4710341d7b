"""One search space per model, and the table that names them.

A search space declares and never computes; it knows no searcher, only an object with
`suggest_float`, `suggest_int` and `suggest_categorical`.
"""

from importlib import import_module

from gx2c.errors import look_up
from gx2c.models import MODELS
from gx2c.models.names import split_name
from search_spaces.space import Scale, SearchSpace, TrialLike, suggest_config

# One line per file; each declares its spaces in `SPACES`
FAMILIES = (
    "closed_form",
    "networks",
)
_FOUND: dict[str, SearchSpace] = {
    space.model: space
    for family in FAMILIES
    for space in import_module(f"search_spaces.{family}").SPACES
}
# in the order of tables
SEARCH_SPACES = {model: _FOUND[model] for model in MODELS}

__all__ = [
    "SEARCH_SPACES",
    "Scale",
    "SearchSpace",
    "TrialLike",
    "get_search_space",
    "suggest_config",
]


def get_search_space(model: str) -> SearchSpace:
    """Return the search space of a model; that of `geography+MODEL` is that of MODEL.

    Raises
    ------
    UserError
        If there is none of that name; the message names close ones.
    """
    return look_up(SEARCH_SPACES, split_name(model)[0], "search space for a model named")
