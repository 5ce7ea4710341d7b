"""Surrogate brains, by number, on which nulls are retrained."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from gx2c.data.brain import Brain, FloatArray, IntArray
from gx2c.data.individuals import take_edges
from gx2c.errors import UserError
from gx2c.nulls.surrogate import Surrogate
from gx2c.nulls.table import make_surrogate

GENES = "genes"


def check_nulls(brain: Brain, *, method: str, moves: str, seed: int) -> Surrogate:
    """Return the surrogate of some nulls, or raise an error if they cannot be made.

    Raises
    ------
    UserError
        As `make_surrogate` and `move`, and if a surrogate that makes new values would have to move
        anything but genes.
    """
    surrogate = make_surrogate(method, brain, seed=seed)
    if moves == GENES:
        return surrogate
    if surrogate.indices is None:
        _check_move(moves)
        raise UserError(
            f"{method} makes new expression, so it can replace genes only; to move {moves}, choose "
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
        Consecutive numbers of surrogates, each of which depends only on the seed and its number.
    method
        A name in `SURROGATES`.
    moves
        A name in `MOVES`.
    seed
        Non-negative seed.
    training_regions
        As in `make_surrogate`.
    """
    surrogate = make_surrogate(method, brain, seed=seed, training_regions=training_regions)
    if moves == GENES:
        draws = surrogate.draws(brain.expression, numbers)
        return (replace(brain, expression=expression) for expression in draws)
    assert surrogate.indices is not None, "checked before any null is made"
    return (move(brain, s, what=moves) for s in surrogate.indices(numbers[0], len(numbers)).T)


def surrogate_rows(
    brain: Brain,
    rows: FloatArray,
    numbers: Sequence[int],
    *,
    method: str,
    seed: int,
    training_regions: IntArray | None = None,
) -> Iterator[FloatArray] | None:
    """Make surrogates of rows that represent a brain's expression, if only genes move.

    Parameters
    ----------
    rows
        (n_regions, n_columns), `gx2c.models.features.same_distances` of the expression.

    Returns
    -------
    Iterator of FloatArray or None
        None for a surrogate that is not one linear map between regions for all genes, and so needs
        the genes themselves.
    """
    surrogate = make_surrogate(method, brain, seed=seed, training_regions=training_regions)
    return surrogate.draws(rows, numbers) if surrogate.linear else None


def spin_expression(brain: Brain, spin: IntArray) -> Brain:
    """Move whole rows of expression; coordinates and connectome stay true.

    Gene-gene covariance is kept, the pairing with the connectome is not. `spin`, (n_regions,), is a
    column of `make_spins`: for each region, the region whose row it takes.
    """
    return replace(brain, expression=brain.expression[spin])


def move_genes_and_coordinates(brain: Brain, spin: IntArray) -> Brain:
    """Move expression together with coordinates; labels, networks and connectome stay.

    A region then has the coordinates of the region whose data it takes, which also breaks the
    relation of location and connectome. Folds are those of the true brain: make them before.
    """
    if (brain.hemisphere[spin] != brain.hemisphere).any():
        raise UserError(
            "this surrogate moves data between hemispheres, so coordinates would cross the midline;"
            " move genes only, or use spins"
        )
    sphere = brain.sphere_coords
    return replace(
        spin_expression(brain, spin),
        coords_mm=brain.coords_mm[spin],
        sphere_coords=None if sphere is None else sphere[spin],
        trust_row_order=True,
    )


def move_connectome(brain: Brain, spin: IntArray) -> Brain:
    """Move rows and columns of the connectomes, group and individual; everything else stays.

    Raises
    ------
    UserError
        If the spin uses a region twice, because the edge between its two locations would be that
        region's self-connection, which is not data.
    """
    n_lost = brain.n_regions - len(np.unique(spin))
    if n_lost:
        raise UserError(
            f"this spin loses {n_lost} regions and repeats others, whose self-connections are"
            " unknown; move the connectome with hungarian or vasa"
        )
    pairs = np.ix_(spin, spin)
    held, people = brain.holdout_connectome, brain.individual_connectomes
    return replace(
        brain,
        connectome=brain.connectome[pairs],
        holdout_connectome=None if held is None else held[pairs],
        individual_connectomes=None
        if people is None
        else take_edges(people, brain.n_regions, spin),
    )


MOVES: Mapping[str, Callable[[Brain, IntArray], Brain]] = {
    GENES: spin_expression,
    "genes+coordinates": move_genes_and_coordinates,
    "connectome": move_connectome,
}


def move(brain: Brain, spin: IntArray, *, what: str = "genes") -> Brain:
    """Return a surrogate brain with moved data.

    Parameters
    ----------
    brain
        The true brain.
    spin
        (n_regions,), for each region the region whose data it takes.
    what
        A name in `MOVES`.

    Raises
    ------
    UserError
        If there is no such name, or as in the functions in `MOVES`.
    """
    _check_move(what)
    return MOVES[what](brain, spin)


def _check_move(what: str) -> None:
    if what not in MOVES:
        raise UserError(f"{what!r} cannot move; choose from {sorted(MOVES)}")
