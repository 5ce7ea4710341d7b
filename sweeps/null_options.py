"""Which nulls a sweep is held against."""

from __future__ import annotations

from dataclasses import dataclass

from gx2c.nulls import DEFAULT_SURROGATE, DESCRIPTIVE, MOVES, SURROGATES
from gx2c.nulls.spatiomolecular import N_BEST, too_many
from sweeps.option_checks import Check, at_least, choice

NULL_SEARCHES = ("full", "none")
GENES = "genes"
SPINS = "hungarian"


@dataclass(frozen=True, kw_only=True)
class NullOptions:
    """How nulls are made.

    Attributes
    ----------
    nulls
        How many; 0 for none.
    null_search
        Whether each repeats the search over the same configs ("full") or not ("none").
    null_method
        A surrogate, one of `SURROGATES`.
    null_moves
        What moves, one of `MOVES`; only spins and permutations can move more than genes.
    """

    nulls: int = 100
    null_search: str = "none"
    null_method: str = SPINS
    null_moves: str = GENES


def usual_method(moves: str) -> str:
    """Return the surrogate to take where none is named; only whole regions can move with more."""
    return DEFAULT_SURROGATE if moves == GENES else SPINS


def _check_selected(options: NullOptions) -> str:
    selected = options.null_method in DESCRIPTIVE and options.nulls > N_BEST
    return f"{too_many(options.nulls)} (--nulls {N_BEST})" if selected else ""


NULL_CHECKS: tuple[Check, ...] = (
    at_least("nulls", 0),
    choice("null_search", NULL_SEARCHES),
    choice("null_method", SURROGATES),
    choice("null_moves", MOVES),
    _check_selected,
)
