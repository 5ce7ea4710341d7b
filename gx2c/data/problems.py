"""Problems of the parts of a brain: every one, one sentence each."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from gx2c.data.checks import (
    EXPRESSION_SOURCES,
    STRUCTURES,
    Names,
    connectome_problems,
    coordinate_problems,
    distance_problems,
    duplicates,
    expression_problems,
    hemisphere_problems,
    measure_problems,
    names_of,
    place_problems,
    shared_problems,
    shown,
    sphere_problems,
    stability_problems,
    structural_problems,
    tss_problems,
)
from gx2c.data.individuals import individual_problems

MIN_REGIONS = 8
# Midline regions may lie a little across it; a whole centimetre means that rows are mixed up
MAX_ACROSS_MIDLINE_MM = 10.0


def brain_problems(parts: Mapping[str, Any]) -> Iterator[str]:
    """Yield every problem of the parts of a brain, one sentence each.

    Parameters
    ----------
    parts
        Attributes of `Brain` by name. A part that is missing or None is not checked, so that the
        parts of a folder that could be read are checked although others could not.

    Yields
    ------
    str
        One sentence: the value found, the value needed, and the remedy.
    """
    labels, genes = parts.get("labels"), parts.get("genes")
    if labels is not None:
        yield from _label_problems(labels, parts.get("excluded", ()))
    if genes is not None:
        yield from _gene_problems(genes)
    lengths = {
        "regions": None if labels is None else len(labels),
        "genes": None if genes is None else len(genes),
        "axes": None,
    }
    good = set()
    arrays = ARRAYS if parts.get("distances_mm") is None else ARRAYS | PLACES
    for part, (name, axes, check) in arrays.items():
        array = parts.get(part)
        if array is None:
            continue
        shape = [lengths[axis] if isinstance(axis, str) else axis for axis in axes]
        problems = list(_array_problems(name, array, shape)) or list(
            check(name, array, labels, genes)
        )
        yield from problems
        if not problems:
            good.add(part)
    for measure, matrix in (parts.get("measures") or {}).items():
        name, square = f"measure {measure}", [lengths["regions"]] * 2
        yield from list(_array_problems(name, matrix, square)) or list(
            measure_problems(name, matrix, labels)
        )
    # Coordinates in other units, or hemispheres coded otherwise, show nothing about the order
    if {"coords_mm", "hemisphere"} <= good:
        yield from _side_problems(parts["hemisphere"], parts["coords_mm"], labels)
    if parts.get("individual_connectomes") is not None:
        yield from individual_problems(parts["individual_connectomes"], lengths["regions"])
    if labels is not None:
        yield from _name_problems(parts, labels)


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
    if repeated := duplicates(genes):
        yield f"gene symbols repeat: {shown(repeated)}; average or drop the repeated genes"
    if any(not str(gene).strip() for gene in genes):
        yield "a gene symbol is empty; name every gene"


def _array_problems(name: str, array: Any, shape: Sequence[int | None]) -> Iterator[str]:
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


def _side_problems(hemisphere: Any, coords_mm: Any, labels: Names) -> Iterator[str]:
    # the coordinate's sign on the side where it should be negative; 0 on the midline
    across = coords_mm[:, 0] * np.array([1.0, -1.0, 0.0])[hemisphere]
    rows = np.flatnonzero(across > MAX_ACROSS_MIDLINE_MM)
    if len(rows):
        yield (
            f"coordinates lie more than {MAX_ACROSS_MIDLINE_MM:g} mm on the other side of the "
            f"midline (left is x < 0) in regions {names_of(labels, rows)}; check the order of rows"
        )


def _name_problems(parts: Mapping[str, Any], labels: Sequence[str]) -> Iterator[str]:
    for part in ("network", "lobe", *WORDS):
        names = parts.get(part)
        if names is not None and len(names) != len(labels):
            yield f"{part} has {len(names)} names; {len(labels)} labels need one each"
        elif names is not None and part == "lobe":
            nameless = [
                label for label, name in zip(labels, names, strict=True) if not name.strip()
            ]
            if nameless:
                yield (
                    f"lobe is empty in regions {shown(nameless)}; name every region's lobe, or "
                    "give none"
                )
        elif names is not None and (unknown := sorted(set(names) - set(WORDS.get(part, names)))):
            yield f"{part} {shown(unknown)} is none of {', '.join(WORDS[part])}; rename it"


# Parts that take certain words only
WORDS = {"structure": STRUCTURES, "expression_from": EXPRESSION_SOURCES}
Check = Callable[[str, Any, Names, Names], Iterator[str]]
# Each array of a brain: its name for people, its axes, and what else is checked
ARRAYS: dict[str, tuple[str, tuple[str | int, ...], Check]] = {
    "expression": ("expression", ("regions", "genes"), expression_problems),
    "connectome": ("connectome", ("regions", "regions"), connectome_problems),
    "holdout_connectome": ("holdout connectome", ("regions", "regions"), connectome_problems),
    "structural_connectome": ("structural connectome", ("regions", "regions"), structural_problems),
    "coords_mm": ("coordinates", ("regions", 3), coordinate_problems),
    "hemisphere": ("hemisphere", ("regions",), hemisphere_problems),
    "sphere_coords": ("sphere coordinates", ("regions", 3), sphere_problems),
    "tss": ("transcription starts", ("genes",), tss_problems),
    "shared_samples": ("shared samples", ("regions", "regions"), shared_problems),
    "stability": ("differential stability", ("genes",), stability_problems),
}
# The same where distances stand in for coordinates
PLACES: dict[str, tuple[str, tuple[str | int, ...], Check]] = {
    "coords_mm": ("places", ("regions", "axes"), place_problems),
    "distances_mm": ("distances", ("regions", "regions"), distance_problems),
}
