"""One parcellated brain, checked at birth; after that nobody checks again."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from textwrap import fill
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from gx2c.data.individuals import FloatArray as FloatArray
from gx2c.data.individuals import IntArray as IntArray
from gx2c.data.individuals import take_edges
from gx2c.data.layout import PEARSON
from gx2c.data.problems import brain_problems
from gx2c.data.row_order import place_order
from gx2c.data.sides import MIRROR as MIRROR
from gx2c.errors import DataError, logger

# Named in a brain's repr, which fits on a screen
MOST_NETWORKS = 8
# Parts of a brain with an entry for each region, and for each pair of regions
PER_REGION = ("expression", "coords_mm", "hemisphere", "sphere_coords", "tested")
NAMES_PER_REGION = ("labels", "network", "lobe", "structure", "expression_from")
PER_PAIR = (
    "connectome",
    "holdout_connectome",
    "structural_connectome",
    "shared_samples",
    "distances_mm",
)
PEOPLE, MEASURES = "individual_connectomes", "measures"


@dataclass(frozen=True, repr=False)
class Regions:
    """The properties of some regions that a model may see: everything but the connectome.

    Attributes
    ----------
    expression
        (n_regions, n_genes), normalised expression, or features in its place.
    coords_mm
        (n_regions, 3), region centroids in MNI space, mm.
    hemisphere
        (n_regions,), 0 left, 1 right.
    """

    expression: FloatArray
    coords_mm: FloatArray
    hemisphere: IntArray

    def __len__(self) -> int:
        return len(self.coords_mm)

    def __repr__(self) -> str:
        return f"Regions({len(self)} regions, {self.expression.shape[1]:,} columns of expression)"

    def with_columns(self, columns: FloatArray) -> Self:
        """Replace expression with other features, (n_regions, n_columns)."""
        return replace(self, expression=columns)


@dataclass(frozen=True, repr=False)
class Brain:
    """One parcellated brain; every array is in the order of `labels`.

    Attributes
    ----------
    name
        The dataset's name.
    labels
        n_regions unique region labels.
    genes
        n_genes unique gene symbols.
    expression
        (n_regions, n_genes), normalised expression, all finite; (n_regions, 0) of a dataset without
        genes, which models that read none can use.
    connectome
        (n_regions, n_regions), Pearson r, symmetric; the diagonal is never used.
    coords_mm
        (n_regions, 3), region centroids in MNI space, mm; with `distances_mm`, (n_regions, n_axes),
        the places that `gx2c.data.places.places_of` makes of these.
    hemisphere
        (n_regions,), 0 left, 1 right, 2 both or midline: such a region has no homologue and no
        place on a sphere.
    network
        n_regions network names.
    holdout_connectome
        As `connectome`, of another group of people, or None.
    structural_connectome
        (n_regions, n_regions), structural connectivity in [0, 1], symmetric, or None; the
        diagonal is never used.
    individual_connectomes
        (n_subjects, n_edges), Pearson r of single people, edges in the order of
        `np.triu_indices(n_regions, 1)`, NaN where a person lacks one; or None.
    gene_vectors
        (n_genes, n_dims), numbers that describe each gene, from a file outside the dataset, or
        None.
    sphere_coords
        (n_regions, 3), region centroids on their hemisphere's inflated sphere, mm, or None;
        rows of regions outside the cortex are NaN.
    tss
        (n_genes,), rank-able position of each gene's transcription start along the genome
        (chromosome-major), or None; NaN where unknown.
    excluded
        Labels of regions that were left out: those whose expression or connectivity is missing
        throughout. They are taken out of all other attributes.
    checksum
        SHA-256 over the files that were read; empty for a brain made in memory.
    lobe
        n_regions lobe names, or None; only the split by lobes needs them.
    structure
        n_regions names in `STRUCTURES`, or None; distinguishes cortex from the rest.
    trust_row_order
        Whether labels, coordinates and spheres that seem to be in different orders are accepted.
    expression_from
        n_regions names in `EXPRESSION_SOURCES`, or None where unknown.
    shared_samples
        (n_regions, n_regions), 1 where the expression of two regions comes in part from the same
        tissue samples, else 0, symmetric; or None. `make_folds` keeps such regions apart from the
        other side of a fold.
    stability
        (n_genes,), differential stability: the mean correlation over pairs of donors, NaN where
        unknown; or None.
    measures
        Other measures of pairs of regions by name, (n_regions, n_regions) and symmetric, in any
        range; `BrainView` makes one of them the connectome to be predicted.
    tested
        (n_regions,), True for the regions of another brain that was joined to this one to be tested
        (`gx2c.data.two_brains`), or None.
    distances_mm
        (n_regions, n_regions), distances of regions, along the cortex for example, that stand in
        for coordinates, NaN where unknown; or None.
    measure
        Name of the measure in `connectome`; in the name of its file it stands after meas-.
    divisor
        Number by which that measure was divided, so that `connectome` lies within [-1, 1].

    Raises
    ------
    DataError
        If the arrays cannot be one brain; every problem is listed.
    """

    name: str
    labels: tuple[str, ...]
    genes: tuple[str, ...]
    expression: FloatArray
    connectome: FloatArray
    coords_mm: FloatArray
    hemisphere: IntArray
    network: tuple[str, ...]
    holdout_connectome: FloatArray | None = None
    sphere_coords: FloatArray | None = None
    tss: FloatArray | None = None
    excluded: tuple[str, ...] = ()
    checksum: str = ""
    lobe: tuple[str, ...] | None = None
    structural_connectome: FloatArray | None = None
    gene_vectors: FloatArray | None = None
    individual_connectomes: NDArray[np.float32] | None = None
    structure: tuple[str, ...] | None = None
    trust_row_order: bool = False
    expression_from: tuple[str, ...] | None = None
    shared_samples: NDArray[np.uint8] | None = None
    stability: FloatArray | None = None
    measures: Mapping[str, FloatArray] | None = None
    distances_mm: FloatArray | None = None
    measure: str = PEARSON
    tested: NDArray[np.bool_] | None = None
    divisor: float = 1.0

    def __post_init__(self) -> None:
        parts = leave_out(self.parts())
        if problems := list(brain_problems(parts)):
            raise DataError(self.name, problems)
        if parts["sphere_coords"] is not None:
            # no sphere holds a region of both sides, whatever place its row gives
            of_both = (parts["hemisphere"] == 2)[:, None]
            parts["sphere_coords"] = np.where(of_both, np.nan, parts["sphere_coords"])
        if not self.trust_row_order and (problems := list(place_order(parts).problems())):
            raise DataError(self.name, problems)
        for name, value in parts.items():
            if isinstance(value, np.ndarray):
                # frozen stops rebinding only: a view keeps the caller's own array writable
                value = value.view()
                value.flags.writeable = False
            object.__setattr__(self, name, value)

    def parts(self) -> dict[str, Any]:
        """Return every attribute by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def __repr__(self) -> str:
        optional = {
            f.name: getattr(self, f.name) is None for f in fields(self) if f.default is None
        }
        networks = Counter(self.network)
        left, right, both = np.bincount(self.hemisphere, minlength=3).tolist()
        rows = {
            "regions": f"{left} left, {right} right{f', {both} both' if both else ''}: "
            + _ends(self.labels),
            "networks": ", ".join(f"{name} {n}" for name, n in networks.most_common(MOST_NETWORKS))
            + (", …" if len(networks) > MOST_NETWORKS else ""),
            "genes": _ends(self.genes),
            "present": ", ".join(name for name, missing in optional.items() if not missing),
            "absent": ", ".join(name for name, missing in optional.items() if missing),
            "excluded": f"{len(self.excluded)}: {_ends(self.excluded)}" if self.excluded else "",
        }
        title = f"Brain {self.name!r}: {self.n_regions} regions, {self.n_genes:,} genes"
        shown = (f"  {name:9} {text}" for name, text in rows.items() if text)
        return "\n".join([title, *(fill(row, 120, subsequent_indent=" " * 12) for row in shown)])

    @property
    def n_regions(self) -> int:
        """Number of usable regions."""
        return len(self.labels)

    @property
    def n_genes(self) -> int:
        """Number of genes."""
        return len(self.genes)

    def regions(self, indices: IntArray) -> Regions:
        """Show some regions to a model, without their connectome."""
        return Regions(self.expression[indices], self.coords_mm[indices], self.hemisphere[indices])

    def connectome_block(self, indices: IntArray) -> FloatArray:
        """Return the connectome among some regions, (len(indices), len(indices))."""
        return self.connectome[np.ix_(indices, indices)]


def _ends(names: Sequence[str]) -> str:
    return ", ".join(names if len(names) < 4 else [*names[:2], "…", names[-1]])


def take_regions(brain: Brain, indices: IntArray) -> Brain:
    """Keep some regions, in the order given.

    Parameters
    ----------
    brain
        Any brain.
    indices
        (n_kept,) region indices, each at most once.

    Raises
    ------
    DataError
        If the rest cannot be a brain: too few regions, or one given twice.
    """
    return replace(brain, **take_rows(brain.parts(), indices))


def leave_out(parts: dict[str, Any]) -> dict[str, Any]:
    """Take out the regions whose expression or connectivity is missing throughout, and name them.

    Parameters
    ----------
    parts
        Attributes of `Brain` by name; returned as they are if no region, or none but such a region,
        is missing, or if their shapes do not agree.
    """
    n = len(parts.get("labels", ()))
    arrays = {name: parts[name] for name in (*PER_REGION, *PER_PAIR) if parts.get(name) is not None}
    if any(np.shape(array)[:1] != (n,) for array in arrays.values()):
        return parts
    for part, words in (("expression", "expression"), ("connectome", "connectivity")):
        values = np.array(parts.get(part, np.zeros((n, 1))))
        if values.ndim != 2 or values.dtype.kind != "f" or not values.size:
            continue
        if part == "connectome" and values.shape == (n, n):
            np.fill_diagonal(values, np.nan)
        gone = np.isnan(values).all(axis=1)
        if gone.any() and not gone.all():
            names = tuple(str(parts["labels"][i]) for i in np.flatnonzero(gone).tolist())
            logger.info("%d region(s) without %s left out: %s", len(names), words, ", ".join(names))
            parts = take_rows(parts, np.flatnonzero(~gone))
            parts["excluded"] = (*parts.get("excluded", ()), *names)
            n -= len(names)
    return parts


def take_rows(parts: Mapping[str, Any], rows: IntArray) -> dict[str, Any]:
    """Keep some regions of a brain's attributes, given by name; what is missing stays missing."""
    kept = {name: value for name, value in parts.items() if value is not None}
    taken: dict[str, Any] = {name: kept[name][rows] for name in PER_REGION if name in kept}
    for name in NAMES_PER_REGION:
        if name in kept:
            taken[name] = tuple(kept[name][row] for row in rows.tolist())
    taken |= {name: kept[name][np.ix_(rows, rows)] for name in PER_PAIR if name in kept}
    if MEASURES in kept:
        taken[MEASURES] = {name: m[np.ix_(rows, rows)] for name, m in kept[MEASURES].items()}
    if PEOPLE in kept:
        taken[PEOPLE] = take_edges(kept[PEOPLE], len(kept["labels"]), rows)
    return {**parts, **taken}
