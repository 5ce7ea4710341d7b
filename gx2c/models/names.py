"""Names of models: with geography, `geography+MODEL`, and `best`, the mean of several."""

from dataclasses import replace

from gx2c.models import MODELS
from gx2c.models.spec import COORDINATES, EXPRESSION, TRAIN_TEST_EDGES, ModelSpec

GEOGRAPHY = "geography"
BEST = "best"
# The models that `best` averages, the slowest last. Each complements the others on several brains,
# and a quick search of it takes less than two minutes on 99 regions.
AVERAGED = (GEOGRAPHY, "geography+genes", "mlp", "smt", "geography+mlp", "geography+smt")
_PREFIX = f"{GEOGRAPHY}+"


def join_name(model: str, *, after_geography: bool) -> str:
    """Name a model by what it learns: the connectome, or what geography leaves of it."""
    return f"{_PREFIX}{model}" if after_geography else model


def split_name(name: str) -> tuple[str, bool]:
    """Return the key of `MODELS` in a name, and whether the model learns what geography leaves.

    `geography+genes` is a model of its own, a kernel of both.
    """
    if name in MODELS or not name.startswith(_PREFIX):
        return name, False
    return name.removeprefix(_PREFIX), True


def families_of(name: str) -> tuple[str, ...]:
    """Return the models that are searched for a model: itself, or those that `best` averages."""
    return AVERAGED if name == BEST else (name,)


def spec_of(name: str) -> ModelSpec:
    """Return the declaration of a model by its name in `NAMES`."""
    if name == BEST:
        # of the models that it averages, the one that refuses most options
        return replace(
            MODELS["smt"],
            name=name,
            summary=f"mean of {', '.join(AVERAGED)}",
            uses=(EXPRESSION, COORDINATES),
            published={},
            contains_geography=True,
        )
    model, after_geography = split_name(name)
    spec = MODELS[model]
    if not after_geography:
        return spec
    return replace(
        spec,
        name=name,
        summary=f"{GEOGRAPHY} plus {model}, which learns what {GEOGRAPHY} leaves",
        contains_geography=True,
    )


def _can_follow(spec: ModelSpec) -> bool:
    """Return whether a model can learn what geography leaves.

    Geography leaves nothing to itself or to a model that contains it, and train x test edges have
    no residual.
    """
    uses_edges = TRAIN_TEST_EDGES in spec.uses
    return not (spec.name == GEOGRAPHY or spec.contains_geography or uses_edges)


# every name that a sweep takes, in the order of tables
NAMES = (
    BEST,
    *MODELS,
    *(join_name(s.name, after_geography=True) for s in MODELS.values() if _can_follow(s)),
)
