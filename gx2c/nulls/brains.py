"""Surrogate brains by number: what a null is retrained on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gx2c.data.brain import Brain, FloatArray, IntArray
from gx2c.errors import UserError
from gx2c.nulls.moves import MOVES, move, replace_expression
from gx2c.nulls.protocol import IndexSurrogate, MapSurrogate, Surrogate
from gx2c.nulls.table import make_surrogate

GENES = "genes"


def check_nulls(brain: Brain, *, method: str, moves: str, seed: int) -> Surrogate:
    """Refuse at once nulls that cannot be made, and return their surrogate.

    Raises
    ------
    UserError
        As `make_surrogate` and `move`, and if something other than genes is to move with a
        surrogate that makes new values.
    """
    surrogate = make_surrogate(method, brain, seed=seed)
    if moves not in MOVES:
        raise UserError(f"{moves!r} cannot move; choose from {sorted(MOVES)}")
    if moves == GENES:
        return surrogate
    if not isinstance(surrogate, IndexSurrogate):
        raise UserError(
            f"{method} makes new expression, so only genes can change; to move {moves} takes "
            "a surrogate that moves regions, such as hungarian"
        )
    move(brain, surrogate.indices(0, 1)[:, 0], what=moves)
    return surrogate


def surrogate_brains(
    brain: Brain,
    numbers: Sequence[int],
    *,
    method: str,
    moves: str,
    seed: int,
    training_regions: IntArray | None = None,
) -> Iterator[Brain]:
    """Make surrogates of a brain, one after another.

    Parameters
    ----------
    brain
        The true brain.
    numbers
        Which surrogates, consecutive; each depends on the seed and its number alone.
    method
        In `SURROGATES`.
    moves
        In `MOVES`.
    seed
        Not negative.
    training_regions
        As in `make_surrogate`.
    """
    surrogate = make_surrogate(method, brain, seed=seed, training_regions=training_regions)
    if isinstance(surrogate, IndexSurrogate):
        for spin in surrogate.indices(numbers[0], len(numbers)).T:
            yield move(brain, spin, what=moves)
        return
    for k in numbers:
        yield replace_expression(brain, surrogate.expression(brain, k))


def surrogate_rows(
    brain: Brain,
    rows: FloatArray,
    numbers: Sequence[int],
    *,
    method: str,
    seed: int,
    training_regions: IntArray | None = None,
) -> Iterator[FloatArray] | None:
    """Make surrogates of rows that stand for a brain's expression, where genes alone move.

    Parameters
    ----------
    rows
        (n_regions, n_columns), `gx2c.models.isometry.same_distances` of the expression.

    Returns
    -------
    Iterator of FloatArray or None
        None where a surrogate is no linear map between regions, the same for every gene: it must
        then see the genes themselves.
    """
    surrogate = make_surrogate(method, brain, seed=seed, training_regions=training_regions)
    if isinstance(surrogate, IndexSurrogate):
        return (rows[spin] for spin in surrogate.indices(numbers[0], len(numbers)).T)
    assert isinstance(surrogate, MapSurrogate)
    return (surrogate.draw(rows, k) for k in numbers) if surrogate.linear else None
