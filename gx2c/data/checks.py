"""What can be wrong with the arrays of a brain: every problem, one sentence each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gx2c.data.individuals import individual_problems

MIN_REGIONS = 8
# Beyond any human brain in MNI space; metres or voxel indices fall outside or inside far too small
MAX_COORDINATE_MM = 150.0
MIN_EXTENT_MM = 20.0
# Midline regions may lie a little across it; a whole centimetre means that rows are mixed up
MAX_ACROSS_MIDLINE_MM = 10.0
SYMMETRY_TOLERANCE = 1e-6
RANGE_TOLERANCE = 1e-6
# Parcel centroids are projected to the sphere; rounding to a few decimals stays far below this
RADIUS_TOLERANCE = 0.01
N_SHOWN = 3


def brain_problems(
    *,
    labels: Sequence[str] | None = None,
    genes: Sequence[str] | None = None,
    expression: Any = None,
    connectome: Any = None,
    holdout_connectome: Any = None,
    coords_mm: Any = None,
    hemisphere: Any = None,
    network: Sequence[str] | None = None,
    sphere_coords: Any = None,
    tss: Any = None,
    excluded: Sequence[str] = (),
    lobe: Sequence[str] | None = None,
    structural_connectome: Any = None,
    individual_connectomes: Any = None,
) -> Iterator[str]:
    """Yield every problem of the parts of a brain, one sentence each.

    A part that is None is not checked, so that the parts of a folder that could be read are
    checked although others could not. Shapes, units and spaces are those of `Brain`.

    Yields
    ------
    str
        What came, what is needed, and what to do.
    """
    if labels is not None:
        yield from _label_problems(labels, excluded)
    if genes is not None:
        yield from _gene_problems(genes)
    if expression is not None:
        yield from _expression_problems(expression, labels, genes)
    for name, matrix in (("connectome", connectome), ("holdout connectome", holdout_connectome)):
        if matrix is not None:
            yield from _connectome_problems(name, matrix, labels)
    if structural_connectome is not None:
        yield from _structural_problems(structural_connectome, labels)
    if individual_connectomes is not None:
        yield from individual_problems(individual_connectomes, _n(labels))
    yield from _place_problems(coords_mm, hemisphere, labels)
    if network is not None and labels is not None and len(network) != len(labels):
        yield f"network has {len(network)} names; {len(labels)} labels need one each"
    if lobe is not None and labels is not None:
        yield from _lobe_problems(lobe, labels)
    if sphere_coords is not None:
        yield from _sphere_problems(sphere_coords, labels)
    if tss is not None:
        yield from _tss_problems(tss, genes)


def shown(names: Sequence[str]) -> str:
    """List a few names, and say how many more there are."""
    few = ", ".join(repr(str(name)) for name in names[:N_SHOWN])
    more = len(names) - N_SHOWN
    return f"{few} and {more} more" if more > 0 else few


def duplicates(names: Sequence[str]) -> list[str]:
    """Return the names that come more than once, in order of first appearance."""
    return [name for name, count in Counter(names).items() if count > 1]


def _label_problems(labels: Sequence[str], excluded: Sequence[str]) -> Iterator[str]:
    if len(labels) < MIN_REGIONS:
        yield (
            f"{len(labels)} usable regions; at least {MIN_REGIONS} regions with expression "
            "are needed to train and to test"
        )
    if repeated := duplicates(labels):
        yield f"region labels repeat: {shown(repeated)}; give every region its own label"
    if any(not str(label).strip() for label in labels):
        yield "a region label is empty; give every region a label"
    if both := sorted(set(labels) & set(excluded)):
        yield f"regions are both used and excluded: {shown(both)}; list each once"


def _gene_problems(genes: Sequence[str]) -> Iterator[str]:
    if not len(genes):
        yield "there are no genes; at least one is needed"
    if repeated := duplicates(genes):
        yield f"gene symbols repeat: {shown(repeated)}; average or drop the repeated genes"
    if any(not str(gene).strip() for gene in genes):
        yield "a gene symbol is empty; name every gene"


def _array_problems(name: str, array: Any, shape: tuple[int | None, ...]) -> Iterator[str]:
    """Check type and shape; None in `shape` is a length not known."""
    if not isinstance(array, np.ndarray):
        yield f"{name} is a {type(array).__name__}; a NumPy array is needed"
        return
    if array.dtype.kind not in "fiu":
        yield f"{name} has type {array.dtype}; real numbers are needed"
    if array.ndim != len(shape) or any(
        wanted not in (None, length) for length, wanted in zip(array.shape, shape, strict=False)
    ):
        wanted_shape = ", ".join("any" if length is None else str(length) for length in shape)
        yield f"{name} has shape {array.shape}; labels and genes need ({wanted_shape})"


def _n(names: Sequence[str] | None) -> int | None:
    return None if names is None else len(names)


def _names(labels: Sequence[str] | None, rows: NDArray[np.intp]) -> str:
    return shown([labels[row] if labels is not None else f"row {row}" for row in rows.tolist()])


def _expression_problems(
    expression: Any, labels: Sequence[str] | None, genes: Sequence[str] | None
) -> Iterator[str]:
    wrong = list(_array_problems("expression", expression, (_n(labels), _n(genes))))
    yield from wrong
    if wrong:
        return
    rows = np.flatnonzero(~np.isfinite(expression).all(axis=1))
    if len(rows):
        count = np.count_nonzero(~np.isfinite(expression))
        yield (
            f"expression has {count} values that are not finite, in regions "
            f"{_names(labels, rows)}; fill them, drop the genes, or leave the whole region without"
        )


def _structural_problems(matrix: Any, labels: Sequence[str] | None) -> Iterator[str]:
    name = "structural connectome"
    wrong = list(_matrix_problems(name, matrix, labels))
    yield from wrong
    if wrong:
        return
    values = matrix[~np.eye(len(matrix), dtype=bool)]
    if values.min(initial=0.0) < 0 or values.max(initial=0.0) > 1 + RANGE_TOLERANCE:
        yield (
            f"{name} has values from {values.min():.6g} to {values.max():.6g}; weights within "
            "[0, 1] are needed (divide log(1 + streamlines) by its largest value)"
        )
    elif not values.any():
        yield f"{name} is 0 for every pair; leave it out"


def _connectome_problems(name: str, matrix: Any, labels: Sequence[str] | None) -> Iterator[str]:
    wrong = list(_matrix_problems(name, matrix, labels))
    yield from wrong
    if wrong and not _is_square(matrix):
        return
    off_diagonal = ~np.eye(len(matrix), dtype=bool)
    finite = np.isfinite(matrix) | ~off_diagonal
    largest = np.abs(np.where(off_diagonal & finite, matrix, 0.0)).max(initial=0.0)
    if largest > 1 + RANGE_TOLERANCE:
        yield (
            f"{name} has values up to {largest:.6g} in size; Pearson r within [-1, 1] is needed "
            "(take tanh of Fisher z values)"
        )
    elif finite.all() and len(matrix) > 1 and np.ptp(matrix[off_diagonal]) == 0:
        yield f"{name} has the same value for every pair; there is nothing to predict"


def _is_square(matrix: Any) -> bool:
    return (
        isinstance(matrix, np.ndarray)
        and matrix.dtype.kind in "fiu"
        and matrix.ndim == 2
        and matrix.shape[0] == matrix.shape[1]
    )


def _matrix_problems(name: str, matrix: Any, labels: Sequence[str] | None) -> Iterator[str]:
    """Check shape, finite values and symmetry of a connectome; the diagonal may hold anything."""
    wrong = list(_array_problems(name, matrix, (_n(labels), _n(labels))))
    yield from wrong
    if wrong or matrix.shape[0] != matrix.shape[1]:
        if not wrong:
            yield f"{name} has shape {matrix.shape}; a square matrix is needed"
        return
    off_diagonal = ~np.eye(len(matrix), dtype=bool)
    finite = np.isfinite(matrix) | ~off_diagonal
    if not finite.all():
        rows = np.flatnonzero(~finite.all(axis=1))
        yield (
            f"{name} has {np.count_nonzero(~finite)} values off the diagonal that are not finite, "
            f"in regions {_names(labels, rows)}; every pair of usable regions needs a value"
        )
    values = np.where(off_diagonal & finite, matrix, 0.0)
    asymmetry = np.abs(values - values.T)
    if asymmetry.max(initial=0.0) > SYMMETRY_TOLERANCE:
        row, column = np.unravel_index(asymmetry.argmax(), asymmetry.shape)
        pair = _names(labels, np.array([row, column]))
        yield (
            f"{name} is not symmetric: {values[row, column]:.6g} and {values[column, row]:.6g} "
            f"for {pair}; check that rows and columns have the same order"
        )


def _place_problems(coords_mm: Any, hemisphere: Any, labels: Sequence[str] | None) -> Iterator[str]:
    found = []
    if coords_mm is not None:
        found += list(_coordinate_problems(coords_mm, labels))
    if hemisphere is not None:
        found += list(_hemisphere_problems(hemisphere, labels))
    yield from found
    # Coordinates in other units, or hemispheres coded otherwise, say nothing about the order
    if not found and coords_mm is not None and hemisphere is not None:
        yield from _side_problems(hemisphere, coords_mm, labels)


def _coordinate_problems(coords_mm: Any, labels: Sequence[str] | None) -> Iterator[str]:
    wrong = list(_array_problems("coordinates", coords_mm, (_n(labels), 3)))
    yield from wrong
    if wrong or not len(coords_mm):
        return
    rows = np.flatnonzero(~np.isfinite(coords_mm).all(axis=1))
    if len(rows):
        yield (
            f"coordinates are not finite in regions {_names(labels, rows)}; "
            "every usable region needs its MNI centroid in mm"
        )
        return
    largest, extent = np.abs(coords_mm).max(), np.ptp(coords_mm, axis=0).max()
    if largest > MAX_COORDINATE_MM:
        yield (
            f"coordinates reach {largest:.6g}; MNI centroids stay within {MAX_COORDINATE_MM:g} mm "
            "of the origin (are these voxel indices or micrometres?)"
        )
    elif extent < MIN_EXTENT_MM:
        yield (
            f"coordinates span {extent:.6g}; a brain spans at least {MIN_EXTENT_MM:g} mm "
            "(are these metres or centimetres?)"
        )
    elif coords_mm.min() >= 0:
        yield (
            "coordinates are never negative; MNI centroids in mm lie on both sides of the origin "
            "(are these voxel indices? apply the image's affine)"
        )


def _hemisphere_problems(hemisphere: Any, labels: Sequence[str] | None) -> Iterator[str]:
    wrong = list(_array_problems("hemisphere", hemisphere, (_n(labels),)))
    yield from wrong
    if wrong:
        return
    rows = np.flatnonzero(~np.isin(hemisphere, (0, 1)))
    if len(rows):
        yield f"hemisphere is neither 0 (left) nor 1 (right) in regions {_names(labels, rows)}"
        return
    if labels is None:
        return
    # The labels of most parcellations name the side: a second witness of the row order
    said = np.array([_side_in_label(str(label)) for label in labels], dtype=np.int64)
    rows = np.flatnonzero((said >= 0) & (said != hemisphere))
    if len(rows):
        yield (
            f"hemisphere contradicts the label in regions {_names(labels, rows)}; "
            "check that rows are in the order of the labels"
        )


def _side_in_label(label: str) -> int:
    parts = label.split("_")
    return 0 if "LH" in parts else 1 if "RH" in parts else -1


def _side_problems(hemisphere: Any, coords_mm: Any, labels: Sequence[str] | None) -> Iterator[str]:
    if len(coords_mm) != len(hemisphere):
        return
    across = np.where(hemisphere == 0, coords_mm[:, 0], -coords_mm[:, 0])
    rows = np.flatnonzero(across > MAX_ACROSS_MIDLINE_MM)
    if len(rows):
        yield (
            f"coordinates lie more than {MAX_ACROSS_MIDLINE_MM:g} mm on the other side of the "
            f"midline (left is x < 0) in regions {_names(labels, rows)}; check the order of rows"
        )


def _lobe_problems(lobe: Sequence[str], labels: Sequence[str]) -> Iterator[str]:
    if len(lobe) != len(labels):
        yield f"lobe has {len(lobe)} names; {len(labels)} labels need one each"
    elif nameless := [label for label, name in zip(labels, lobe, strict=True) if not name.strip()]:
        yield f"lobe is empty in regions {shown(nameless)}; name every region's lobe, or give none"


def _sphere_problems(sphere_coords: Any, labels: Sequence[str] | None) -> Iterator[str]:
    wrong = list(_array_problems("sphere coordinates", sphere_coords, (_n(labels), 3)))
    yield from wrong
    if wrong:
        return
    known = np.isfinite(sphere_coords).all(axis=1)
    rows = np.flatnonzero(~known & ~np.isnan(sphere_coords).all(axis=1))
    if len(rows):
        yield (
            f"sphere coordinates are incomplete in regions {_names(labels, rows)}; give all three "
            "or, outside the cortex, none"
        )
    radius = np.linalg.norm(sphere_coords[known], axis=1)
    if len(radius) and (
        radius.min() <= 0 or np.ptp(radius) > RADIUS_TOLERANCE * float(np.median(radius))
    ):
        yield (
            f"sphere coordinates lie {radius.min():.6g} to {radius.max():.6g} mm from the origin; "
            "project them to one radius"
        )


def _tss_problems(tss: Any, genes: Sequence[str] | None) -> Iterator[str]:
    wrong = list(_array_problems("transcription starts", tss, (_n(genes),)))
    yield from wrong
    if not wrong and (np.isinf(tss).any() or (tss[~np.isnan(tss)] < 0).any()):
        yield "transcription starts are negative or infinite; give positions, or NaN where unknown"
