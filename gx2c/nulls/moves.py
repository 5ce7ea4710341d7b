"""What moves in a surrogate brain: genes, genes with their places, or the connectome."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from gx2c.data.brain import Brain, FloatArray, IntArray
from gx2c.data.individuals import take_edges
from gx2c.errors import UserError
from gx2c.nulls.surrogates import spin_expression


def move_genes(brain: Brain, spin: IntArray) -> Brain:
    """Move expression; coordinates and connectome stay true (`spin_expression`)."""
    return spin_expression(brain, spin)


def move_genes_and_coordinates(brain: Brain, spin: IntArray) -> Brain:
    """Move expression with its place; labels, networks and connectome stay.

    A region then has the coordinates of the region whose data it takes, so that what a model
    learns of place is broken too. Folds are those of the true brain: make them before.
    """
    _check_sides(brain, spin)
    sphere = brain.sphere_coords
    return replace(
        spin_expression(brain, spin),
        coords_mm=brain.coords_mm[spin],
        sphere_coords=None if sphere is None else sphere[spin],
    )


def move_connectome(brain: Brain, spin: IntArray) -> Brain:
    """Move rows and columns of the connectome, and of single people's; all else stays.

    Raises
    ------
    UserError
        If the spin uses a region twice: the edge between its two places would be that region's
        connection with itself, which is no data.
    """
    n_lost = brain.n_regions - len(np.unique(spin))
    if n_lost:
        raise UserError(
            f"this spin leaves out {n_lost} regions and repeats others, whose connection with"
            " themselves is unknown; move the connectome with hungarian or vasa"
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
    "genes": move_genes,
    "genes+coordinates": move_genes_and_coordinates,
    "connectome": move_connectome,
}


def move(brain: Brain, spin: IntArray, *, what: str = "genes") -> Brain:
    """Return a surrogate brain in which something has moved.

    Parameters
    ----------
    brain
        The true brain.
    spin
        (n_regions,), for each region the region whose data it takes.
    what
        In `MOVES`.

    Raises
    ------
    UserError
        If nothing of that name can move, or as for the functions in `MOVES`.
    """
    if what not in MOVES:
        raise UserError(f"{what!r} cannot move; choose from {sorted(MOVES)}")
    return MOVES[what](brain, spin)


def replace_expression(brain: Brain, expression: FloatArray) -> Brain:
    """Give a brain the expression of any `Surrogate`; only genes can change in this way."""
    return replace(brain, expression=expression)


def _check_sides(brain: Brain, spin: IntArray) -> None:
    if (brain.hemisphere[spin] != brain.hemisphere).any():
        raise UserError(
            "coordinates would cross the midline: this surrogate moves data between hemispheres;"
            " move genes only, or use spins"
        )
