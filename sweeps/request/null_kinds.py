"""The surrogates of a sweep's nulls, in the order in which they run."""

from collections.abc import Sequence
from typing import NamedTuple

from gx2c.data import Brain
from gx2c.errors import UserError, did_you_mean
from gx2c.nulls import SURROGATES, check_nulls
from gx2c.nulls.random_field import check_field
from gx2c.splits import Fold
from gx2c.verdict import LADDER
from sweeps.request.table import GENES, OptionTable

# The surrogates of the verdict, each only while it can still change the grade
AS_NEEDED = "verdict"


class NullKinds(NamedTuple):
    """Surrogates that a sweep may run, and those of the verdict that its data do not allow.

    Attributes
    ----------
    names
        Keys of `SURROGATES`; the first is always run in full, so that models can be compared on it.
    impossible
        The reason for each surrogate of the verdict that cannot be made.
    as_needed
        Whether the others run only while they can change the verdict; not if they were named.
    """

    names: tuple[str, ...] = ()
    impossible: tuple[tuple[str, str], ...] = ()
    as_needed: bool = False

    def notes(self) -> list[str]:
        """Return a note for each surrogate that is left out."""
        return [f"no {name} nulls: {why}" for name, why in self.impossible if self.as_needed]


def parse_null_methods(text: str) -> tuple[str, ...]:
    """Read surrogates joined by commas; those of the verdict for `AS_NEEDED`.

    Raises
    ------
    UserError
        If there is none of that name, or one comes twice.
    """
    if text == AS_NEEDED:
        return LADDER
    names = tuple(name.strip() for name in text.split(","))
    for name in names:
        if name not in SURROGATES:
            hint = did_you_mean(name, SURROGATES)
            raise UserError(
                f"no null method {name!r}; {hint}choose from {sorted(SURROGATES)}, or {AS_NEEDED}"
            )
    if len(set(names)) < len(names):
        raise UserError(f"null methods {text!r} name one surrogate twice; give each once")
    return names


def null_kinds(options: OptionTable, brain: Brain, folds: Sequence[Fold]) -> NullKinds:
    """Return the surrogates of a sweep's nulls.

    Raises
    ------
    UserError
        If a surrogate that was named cannot be made.
    """
    if not options.nulls:
        return NullKinds()
    impossible = {name: why for name in LADDER if (why := _obstacle(name, options, brain, folds))}
    if options.null_method == AS_NEEDED:
        names = tuple(name for name in LADDER if name not in impossible)
        return NullKinds(names, tuple(impossible.items()), as_needed=True)
    asked = parse_null_methods(options.null_method)
    for name in asked:
        check_nulls(brain, method=name, moves=options.null_moves, seed=options.seed)
    return NullKinds(asked, tuple(impossible.items()))


def _obstacle(name: str, options: OptionTable, brain: Brain, folds: Sequence[Fold]) -> str:
    """Return the reason why a surrogate of the verdict cannot be made; empty if it can."""
    try:
        if SURROGATES[name].spheres:
            check_nulls(brain, method=name, moves=GENES, seed=options.seed)
        else:
            # fitting the field itself takes seconds for thousands of genes
            check_field(brain.expression[min((f.train_regions for f in folds), key=len)])
    except UserError as error:
        return str(error).partition(";")[0]
    return ""
