"""Connectomes of single people: stacks of matrices, rows of edges, one file each."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gx2c.data.brain import FloatArray
from gx2c.data.checks import MAX_FISHER_Z
from gx2c.errors import UserError
from gx2c.importing.scales import TOLERANCE


@dataclass(frozen=True)
class People:
    """Single people's connectomes in one order of regions."""

    # (n_people, n_edges), Pearson r, edges in the order of `np.triu_indices`
    edges: NDArray[np.float32]
    n_regions: int  # Regions of each
    notes: tuple[str, ...]  # One sentence per thing understood

    def mean(self) -> FloatArray:
        """Average in Fisher z and return r, (n_regions, n_regions), diagonal 1."""
        inside = np.clip(self.edges.astype(np.float64), -1 + 1e-7, 1 - 1e-7)
        with np.errstate(invalid="ignore"):
            z = np.nansum(np.arctanh(inside), axis=0) / np.sum(~np.isnan(inside), axis=0)
        matrix = np.eye(self.n_regions)
        rows, columns = np.triu_indices(self.n_regions, 1)
        matrix[rows, columns] = matrix[columns, rows] = np.tanh(z)
        return matrix


def people_of_stack(stack: FloatArray, name: str) -> People:
    """Take an array of square matrices, the person first or last.

    Raises
    ------
    UserError
        If the matrices are no correlations.
    """
    matrices = np.moveaxis(stack, -1, 0) if stack.shape[0] == stack.shape[1] else stack
    return people_of_matrices(list(matrices), name)


def people_of_matrices(matrices: Sequence[FloatArray], name: str) -> People:
    """Take one matrix per person."""
    n = len(matrices[0])
    upper = np.triu_indices(n, 1)
    return people_of_edges(np.stack([matrix[upper] for matrix in matrices]), n, name)


def people_of_edges(
    edges: FloatArray, n_regions: int, name: str, mask: FloatArray | None = None
) -> People:
    """Take one row of edges per person, row by row of the upper triangle.

    Parameters
    ----------
    edges
        (n_people, n_edges), Pearson r or Fisher z.
    n_regions
        Regions that the edges connect.
    name
        The file.
    mask
        (n_people, n_edges), 0 where a person lacks the edge, or None.

    Raises
    ------
    UserError
        If the number of edges is another, or values are neither r nor z.
    """
    wanted = n_regions * (n_regions - 1) // 2
    if edges.shape[1] != wanted:
        raise UserError(
            f"{name} has {edges.shape[1]} edges per person; {n_regions} regions have {wanted}"
        )
    values = np.where(np.isfinite(edges), edges, np.nan)
    if mask is not None and mask.shape == values.shape:
        values = np.where(mask != 0, values, np.nan)
    largest = float(np.nanmax(np.abs(values), initial=0.0))
    said = "Pearson r"
    if largest > MAX_FISHER_Z:
        raise UserError(f"{name} has values up to {largest:.4g}; r or Fisher z is needed")
    if largest > 1 + TOLERANCE:
        values, said = np.tanh(values), "Fisher z, turned into Pearson r"
    some = ~np.isnan(values).all(axis=1)
    notes = [f"{name}: {int(some.sum())} people, {said}"]
    if not some.all():
        notes.append(f"{name}: {int((~some).sum())} people have no value and are left out")
    kept = np.clip(values[some], -1.0, 1.0).astype(np.float32)
    return People(kept, n_regions, tuple(notes))
