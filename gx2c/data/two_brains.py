"""A brain to train on and a brain to test on as one: regions of both, and no edge between them."""

import hashlib
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
import scipy
from numpy.typing import NDArray

from gx2c.data.brain import NAMES_PER_REGION, Brain, FloatArray, IntArray, take_regions
from gx2c.errors import UserError, logger

# Regions of one name are the same region in both brains if they lie this close
SAME_MM = 5.0
# Share of the smaller brain's regions that must be the same for both to have one parcellation
MOST_SAME = 0.9
MIN_GENES = 2
N_NEIGHBOURS = 6
# Half of all values lie so many deviations from the other brain's mean only on another scale
ANOTHER_SCALE = 4.0


class Places(Protocol):
    """Regions with coordinates, mm, and hemispheres, such as a `Brain`."""

    @property
    def coords_mm(self) -> FloatArray:
        """(n_regions, 3)."""

    @property
    def hemisphere(self) -> IntArray:
        """(n_regions,)."""


def join_brains(train: Brain, test: Brain, *, name: str) -> Brain:
    """Join two brains: the first one trains, and regions of the second are only tested.

    With one parcellation (same labels at the same places) both keep the regions that both have, in
    the first one's order. Genes are those of both. Edges between the two brains do not exist; the
    connectome holds zeros there, which nothing reads.

    Parameters
    ----------
    train, test
        Two brains in one space, with expression normalised alike.
    name
        Stands before the labels of the second brain's regions.

    Returns
    -------
    Brain
        Its `tested` marks the second brain's regions. With one parcellation `holdout_connectome`
        has the first connectome in their place: the ceiling of a transfer is its correlation with
        theirs. Individual and structural connectomes are left out.

    Raises
    ------
    UserError
        If the two have fewer than two genes in common, though both have genes, or one has distances
        in place of coordinates.
    """
    if lost := [b.name for b in (train, test) if b.distances_mm is not None]:
        raise UserError(
            f"{lost[0]} has distances in place of coordinates, so it shares no space with another "
            "brain; give datasets with coordinates"
        )
    train, test = _same_genes(train, test)
    rows = _same_regions(train, test)
    if rows is not None:
        _say_dropped(train, test, len(rows))
        train, test = take_regions(train, rows[:, 0]), take_regions(test, rows[:, 1])
    ceiling = train.connectome if rows is not None else test.holdout_connectome
    _say_scale(train, test)
    digests = "\n".join([train.checksum, test.checksum, name])
    parts: dict[str, Any] = {
        "expression": np.concatenate([train.expression, test.expression]),
        "connectome": _apart(train.connectome, test.connectome),
        "coords_mm": np.concatenate([train.coords_mm, test.coords_mm]),
        "hemisphere": np.concatenate([train.hemisphere, test.hemisphere]),
        "sphere_coords": _both(train.sphere_coords, test.sphere_coords),
        "holdout_connectome": None if ceiling is None else _apart(train.connectome, ceiling),
        "shared_samples": None
        if train.shared_samples is None
        else _apart(train.shared_samples, np.zeros((test.n_regions,) * 2, dtype=np.uint8)),
    }
    for part in NAMES_PER_REGION:
        own, other = getattr(train, part), getattr(test, part)
        parts[part] = None if own is None or other is None else (*own, *other)
    # Folds read it of training regions alone, so any value stands in for that of tested ones
    if train.expression_from is not None and parts["expression_from"] is None:
        parts["expression_from"] = (
            *train.expression_from,
            *[train.expression_from[0]] * test.n_regions,
        )
    parts["labels"] = (*train.labels, *(f"{name}:{label}" for label in test.labels))
    return replace(
        train,
        **parts,
        excluded=(*train.excluded, *(f"{name}:{label}" for label in test.excluded)),
        individual_connectomes=None,
        structural_connectome=None,
        measures=None,
        checksum=hashlib.sha256(digests.encode()).hexdigest(),
        trust_row_order=True,
        tested=np.arange(train.n_regions + test.n_regions) >= train.n_regions,
    )


def training_part(brain: Brain) -> Brain:
    """Return the brain that trains; the brain itself if no other is joined to it."""
    if brain.tested is None:
        return brain
    own = take_regions(replace(brain, holdout_connectome=None), np.flatnonzero(~brain.tested))
    return replace(own, tested=None)


def is_tested(brain: Brain) -> NDArray[np.bool_]:
    """Return which regions of two joined brains are those of the tested one, (n_regions,)."""
    assert brain.tested is not None, "no other brain is joined to this one"
    return brain.tested


def tested_name(brain: Brain) -> str:
    """Return the name that was given to the tested one of two joined brains; empty of one brain."""
    if brain.tested is None:
        return ""
    return brain.labels[int(np.argmax(brain.tested))].partition(":")[0]


def tested_part(brain: Brain) -> Brain:
    """Return the brain that is only tested, of two joined ones."""
    other = take_regions(replace(brain, shared_samples=None), np.flatnonzero(is_tested(brain)))
    return replace(other, tested=None)


def is_one_parcellation(brain: Brain) -> bool:
    """Return whether two joined brains have the same regions in the same order."""
    n = int(np.count_nonzero(~is_tested(brain)))
    if 2 * n != brain.n_regions:
        return False
    pairs = zip(brain.labels[:n], brain.labels[n:], strict=True)
    apart = np.linalg.norm(brain.coords_mm[:n] - brain.coords_mm[n:], axis=1)
    return all(theirs.endswith(f":{own}") for own, theirs in pairs) and apart.max() <= SAME_MM


def overlap_mm(train: Places, test: Places) -> float:
    """Return the distance, mm, below which regions of two parcellations may overlap.

    Half the sum of both parcellations' widths of a region: the mean distance to its six nearest
    neighbours in its hemisphere, as many as touch it on a sheet; the median over regions.
    """
    return (_width(train) + _width(test)) / 2


def distances_on_one_side(test: Places, train: Places) -> FloatArray:
    """Return distances, mm, (n_test_regions, n_train_regions), infinite across the midline.

    Regions of both sides (hemisphere 2) are on each.
    """
    apart = scipy.spatial.distance.cdist(test.coords_mm, train.coords_mm)
    ours, theirs = test.hemisphere[:, None], train.hemisphere[None, :]
    return np.where((ours == theirs) | (ours == 2) | (theirs == 2), apart, np.inf)


def _width(brain: Places) -> float:
    apart = distances_on_one_side(brain, brain)
    np.fill_diagonal(apart, np.inf)
    nearest = np.sort(apart, axis=1)[:, :N_NEIGHBOURS]
    return float(np.median(np.ma.masked_invalid(nearest).mean(axis=1).compressed()))


def _same_genes(train: Brain, test: Brain) -> tuple[Brain, Brain]:
    place = {gene: column for column, gene in enumerate(test.genes)}
    kept = np.array([k for k, gene in enumerate(train.genes) if gene in place], dtype=np.int64)
    if len(kept) < MIN_GENES and train.n_genes and test.n_genes:
        raise UserError(
            f"{train.name} and {test.name} have {len(kept)} genes in common; at least {MIN_GENES} "
            "are needed: name the genes of both by symbol"
        )
    if len(kept) < train.n_genes:
        logger.warning(
            "%d of the %d genes of %s are in %s too, and only these are used",
            len(kept),
            train.n_genes,
            train.name,
            test.name,
        )
    genes = tuple(train.genes[k] for k in kept)
    columns = np.array([place[gene] for gene in genes], dtype=np.int64)
    vectors = train.gene_vectors
    ours = replace(
        train,
        genes=genes,
        expression=train.expression[:, kept],
        tss=None if train.tss is None else train.tss[kept],
        stability=None if train.stability is None else train.stability[kept],
        gene_vectors=None if vectors is None else vectors[kept],
    )
    theirs = replace(
        test,
        genes=genes,
        expression=test.expression[:, columns],
        tss=None,
        stability=None,
        gene_vectors=None,
    )
    return ours, theirs


def _same_regions(train: Brain, test: Brain) -> IntArray | None:
    """Return the regions of both, (n, 2) indices into each; None for different parcellations."""
    place = {label: row for row, label in enumerate(test.labels)}
    found = [(row, place[label]) for row, label in enumerate(train.labels) if label in place]
    rows = np.array(found, dtype=np.int64).reshape(-1, 2)
    apart = np.linalg.norm(train.coords_mm[rows[:, 0]] - test.coords_mm[rows[:, 1]], axis=1)
    sides = train.hemisphere[rows[:, 0]] == test.hemisphere[rows[:, 1]]
    many = len(rows) >= MOST_SAME * min(train.n_regions, test.n_regions)
    return rows if many and sides.all() and (apart <= SAME_MM).all() else None


def _say_dropped(train: Brain, test: Brain, n_kept: int) -> None:
    if n_kept < max(train.n_regions, test.n_regions):
        logger.warning(
            "%d regions are in %s and in %s, and only these are used", n_kept, train.name, test.name
        )


def _say_scale(train: Brain, test: Brain) -> None:
    spread = train.expression.std(axis=0)
    away = np.abs(test.expression - train.expression.mean(axis=0))[:, spread > 0]
    if away.size and (median := float(np.median(away / spread[spread > 0]))) > ANOTHER_SCALE:
        logger.warning(
            "expression of %s seems to be on another scale than that of %s (half of all values are "
            "more than %.3g deviations from its mean); normalise both in the same way",
            test.name,
            train.name,
            median,
        )


def _apart(own: NDArray[Any], other: NDArray[Any]) -> NDArray[Any]:
    """Put two matrices on the diagonal of one, with zeros elsewhere."""
    joined = np.zeros((len(own) + len(other),) * 2, dtype=own.dtype)
    joined[: len(own), : len(own)], joined[len(own) :, len(own) :] = own, other
    return joined


def _both(own: FloatArray | None, other: FloatArray | None) -> FloatArray | None:
    return None if own is None or other is None else np.concatenate([own, other])
