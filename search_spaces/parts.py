"""Parts of search spaces: axes, and what several models share. A part asks for the values it names.

A part whose choices or bounds differ in a small search takes them as `small`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gx2c.models import MODELS
from search_spaces.space import Part, Scale, TrialLike, Value, suggest_one, suggest_widths

FEWEST_COMPONENTS = 2
# Ranges of a penalty's weight by norm: a sum of |w| over thousands of small weights is about a
# hundred times a sum of w^2. They are two parameters because the searcher keeps one range each.
PENALTY_WEIGHTS = {"l1": (1e-7, 1e-2), "l2": (1e-5, 1.0)}
SMALL_WIDTHS = ("64-32", "128-64")

# The published rates belong to some 25,000 steps; a small search takes hundreds
SMALL_NETWORK: Mapping[str, Value] = {
    "learning_rate": 3e-3,
    "schedule": "cosine",
    "block_regions": 16,
}
SMALL_MLP: Mapping[str, Value] = {**SMALL_NETWORK, "hidden_dims": "128-64"}
SMALL_TRANSFORMER: Mapping[str, Value] = {
    **SMALL_MLP,
    "model_dim": 32,
    "token_output_dim": 4,
    "n_layers": 1,
}


def together(*parts: Part) -> Part:
    """Ask for several parts in their order, in which a random search draws."""

    def ask(trial: TrialLike, scale: Scale) -> dict[str, Any]:
        return {name: value for part in parts for name, value in part(trial, scale).items()}

    return ask


def among(name: str, choices: Sequence[Any], *, small: Sequence[Any] = ()) -> Part:
    """Ask for one of some choices; a single one is taken without asking."""
    return lambda trial, scale: {
        name: suggest_one(trial, name, small if scale.small and small else choices)
    }


def between(
    name: str,
    bounds: tuple[float, float],
    *,
    log: bool = False,
    small: tuple[float, float] | None = None,
) -> Part:
    """Ask for a number within bounds, both included; a whole number if the bounds are ints."""

    def ask(trial: TrialLike, scale: Scale) -> dict[str, Any]:
        low, high = small if scale.small and small else bounds
        suggest: Callable[..., float] = (
            trial.suggest_int if isinstance(low, int) else trial.suggest_float
        )
        return {name: suggest(name, low, high, log=log)}

    return ask


def widths_of(choices: Sequence[str], small: Sequence[str] = SMALL_WIDTHS) -> Part:
    """Ask for the hidden layers of a pair head."""
    return lambda trial, scale: {
        "hidden_dims": suggest_widths(trial, small if scale.small else choices)
    }


def components(most: int, name: str = "n_components") -> Part:
    """Ask for a number of components from 2 to `most`, or to what the scale allows."""

    def ask(trial: TrialLike, scale: Scale) -> dict[str, Any]:
        low, high = FEWEST_COMPONENTS, scale.component_cap(most)
        return {name: trial.suggest_int(name, low, high, log=True) if high > low else high}

    return ask


def scores(most: int) -> Part:
    """Ask for the number of scores of a region, and whether all vary alike."""
    return together(components(most), among("whiten", (False, True)))


def mlp(widths: Sequence[str], small: Sequence[str] = SMALL_WIDTHS) -> Part:
    """Ask for the hidden layers of a pair head, and their dropout."""
    return together(widths_of(widths, small), between("dropout", (0.0, 0.5)))


def penalty(*norms: str) -> Part:
    """Ask for `penalty_norm` and `penalty_weight`, which is 0 without a norm."""

    def ask(trial: TrialLike, scale: Scale) -> dict[str, Any]:
        norm = trial.suggest_categorical("penalty_norm", ("none", *norms))
        if norm == "none":
            return {"penalty_weight": 0.0}
        weight = trial.suggest_float(f"{norm}_weight", *PENALTY_WEIGHTS[norm], log=True)
        return {"penalty_norm": norm, "penalty_weight": weight}

    return ask


def penalty_of(model: str) -> dict[str, Value]:
    """Return a model's declared penalty by the names that `penalty` uses."""
    declared = MODELS[model].defaults
    if not declared["penalty_weight"]:
        return {"penalty_norm": "none"}
    return {f"{declared['penalty_norm']}_weight": declared["penalty_weight"]}


def transformer(*model_dims: int, flat: bool = False) -> Part:
    """Ask for the keywords of a `TokenNetwork`.

    Parameters
    ----------
    model_dims
        Widths on offer where the scale is not small, each a multiple of every number of heads;
        64 and 128 if none are given.
    flat
        Whether tokens are flattened, so that the width to which they are mapped acts.
    """
    return together(
        among("model_dim", model_dims or (64, 128), small=(16, 32)),
        *((_token_output_dim,) if flat else ()),
        blocks("256-128", "512-256-128"),
    )


def _token_output_dim(trial: TrialLike, scale: Scale) -> dict[str, Any]:
    most = 5 if scale.small else 10
    width = trial.suggest_int("token_output_dim", 3, most, log=not scale.small)
    return {"token_output_dim": width}


def blocks(*widths: str) -> Part:
    """Ask for transformer blocks and the pair head on top of them."""
    return together(
        among("n_heads", (2, 4), small=(2,)),
        between("n_layers", (2, 4), small=(1, 2)),
        widths_of(widths),
        among("alibi", (True, False)),
        between("encoder_dropout", (0.0, 0.4)),
        between("dropout", (0.0, 0.5)),
    )
