"""Notices of what is legal in a brain and suspicious all the same."""

from collections.abc import Iterator, Sequence

import numpy as np

from gx2c.data.brain import Brain, FloatArray
from gx2c.data.checks import names_of, shown

MAX_EXPRESSION = 1e100
N_SHOWN = 3


def notices(brain: Brain) -> Iterator[str]:
    """Yield what is suspicious in the values of a brain, one sentence each."""
    yield from _gene_notices(brain)
    expression = brain.expression
    if brain.n_genes:
        zero = np.flatnonzero(~expression.any(axis=1))
        if len(zero):
            names = names_of(brain.labels, zero)
            yield f"expression is 0 throughout in region {names}: is it missing?"
        if equal := _equal(expression, brain.labels):
            yield f"regions {equal} have equal expression"
        if np.abs(expression).max() > MAX_EXPRESSION:
            yield f"expression has values beyond 1e100, up to {np.abs(expression).max():.3g}"
    off_diagonal = brain.connectome[~np.eye(brain.n_regions, dtype=bool)]
    if (off_diagonal == np.round(off_diagonal)).all():
        yield "the connectome holds whole numbers only: is it binary, or are these counts?"
    rows = brain.connectome.copy()
    np.fill_diagonal(rows, 0.0)
    zero = np.flatnonzero(~rows.any(axis=1))
    if len(zero):
        names = names_of(brain.labels, zero)
        yield f"connectivity is 0 throughout in region {names}: is it missing?"
    if equal := _equal_connectivity(brain):
        yield f"regions {equal} have equal connectivity"


def _gene_notices(brain: Brain) -> Iterator[str]:
    columns = brain.expression
    if odd := [g for g in brain.genes if g.lower() == "index" or g.lower().startswith("unnamed")]:
        yield f"{shown(odd)} is no gene: drop the column"
    sphere = brain.coords_mm if brain.sphere_coords is None else brain.sphere_coords
    same = [
        (columns == axis[:, None]).all(axis=0) for axis in np.hstack([brain.coords_mm, sphere]).T
    ]
    if names := [brain.genes[i] for i in np.flatnonzero(np.any(same, axis=0)).tolist()]:
        yield f"gene {shown(names)} equals a coordinate: drop the column"
    rising = np.flatnonzero((np.diff(columns, axis=0) == 1).all(axis=0))
    if len(rising):
        yield f"gene {shown([brain.genes[i] for i in rising])} rises by one: it numbers the rows"
    constant = np.flatnonzero((columns == columns[:1]).all(axis=0))
    if len(constant):
        same_everywhere = shown([brain.genes[i] for i in constant])
        yield f"{len(constant)} gene(s), {same_everywhere}, have the same value everywhere"
    varying = np.setdiff1d(np.arange(brain.n_genes), constant)
    if equal := _equal(columns[:, varying].T, [brain.genes[i] for i in varying]):
        yield f"genes {equal} are equal"


def _equal(rows: FloatArray, names: Sequence[str]) -> str:
    """Name rows that are equal to an earlier one, with it; empty if none is."""
    first: dict[bytes, str] = {}
    pairs = []
    for name, row in zip(names, rows, strict=True):
        earlier = first.setdefault(np.ascontiguousarray(row).tobytes(), name)
        if earlier != name:
            pairs.append((earlier, name))
    return _pairs(pairs)


def _equal_connectivity(brain: Brain) -> str:
    """Name pairs of regions with equal connectivity to all others."""
    pairs, diagonal = [], np.arange(brain.n_regions)
    for i, row in enumerate(brain.connectome):
        same = brain.connectome[:i] == row
        same[:, i] = same[diagonal[:i], diagonal[:i]] = True
        pairs += [(brain.labels[j], brain.labels[i]) for j in np.flatnonzero(same.all(axis=1))]
    return _pairs(pairs)


def _pairs(pairs: Sequence[tuple[str, str]]) -> str:
    more = len(pairs) - N_SHOWN
    few = ", ".join(f"{one!r} and {other!r}" for one, other in pairs[:N_SHOWN])
    return f"{few}; {more} more pairs" if more > 0 else few
