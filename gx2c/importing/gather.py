"""Look through files and recognise what each of them holds."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from gx2c.data.brain import FloatArray
from gx2c.data.checks import shown
from gx2c.data.sides import LEFT, RIGHT
from gx2c.errors import UserError
from gx2c.importing.files import list_files, read_sheets
from gx2c.importing.reasons import why_not
from gx2c.importing.regions import RegionTable, read_region_table
from gx2c.importing.sheets import Sheet, are_ids, is_numeric, stability_columns
from gx2c.importing.vertices import (
    VertexLabels,
    is_sphere,
    labels_of_column,
    read_dlabel,
    read_label_files,
    read_surface,
    side_of_points,
)
from gx2c.importing.volumes import load_image

# No parcellation of group data has so many regions, no mesh so few vertices
MIN_VERTICES = 2_000
MIN_REGIONS = 8
MIN_GENES = 5
MIN_SHARE_OF_GENES = 0.8
_GENE = re.compile(r"[A-Za-z][A-Za-z0-9.@_/-]*")
FUNCTIONAL, STRUCTURAL, DISTANCE, HOLDOUT = "functional", "structural", "distance", "holdout"
# Parts of file names that show what a matrix measures, in the order in which they decide
HINTS = {
    HOLDOUT: re.compile(r"holdout|replication"),
    DISTANCE: re.compile(r"dist(ance)?s?(?![a-z])|geodesic"),
    STRUCTURAL: re.compile(
        r"struc|(?<![a-z])sc(?![a-z])|dti|dwi|streamline|tract|fib(er|re)|sift|diffusion|counts?"
    ),
    FUNCTIONAL: re.compile(r"func|(?<![a-z])fc(?![a-z])|rest|bold|pearson|corr|conmat"),
}
_SUBJECT = re.compile(r"(?:^|[_/])sub-([0-9A-Za-z]+)")


@dataclass
class Found:
    """The contents of files, by the roles that they can take."""

    # Square tables, and arrays of one for each person
    matrices: list[Sheet] = field(default_factory=list)
    stacks: list[Sheet] = field(default_factory=list)
    # Lists of labels: one row or one column of text
    labels: list[Sheet] = field(default_factory=list)
    tables: list[RegionTable] = field(default_factory=list)  # Tables of regions
    expressions: list[Sheet] = field(default_factory=list)  # Tables with one column per gene
    stability: list[Sheet] = field(default_factory=list)  # Tables with a stability for each gene
    places: list[Sheet] = field(default_factory=list)  # Tables of three numbers without names
    # Arrays with one row per person and one column per pair of regions
    edges: list[Sheet] = field(default_factory=list)
    # Labels of vertices of both hemispheres
    vertices: list[VertexLabels] = field(default_factory=list)
    # Vertices by side
    surfaces: dict[str, FloatArray] = field(default_factory=dict)
    spheres: dict[str, FloatArray] = field(default_factory=dict)
    volumes: list[Path] = field(default_factory=list)  # Images
    atlas_sha256: str = ""  # Of an image that was downloaded by name
    # Square tables and stacks by the role that the user gave them
    given: dict[str, list[Sheet]] = field(default_factory=dict)
    # Files in which nothing was recognised, and why
    unused: dict[Path, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)  # Unreadable files, a sentence each
    _halves: dict[str, Path] = field(default_factory=dict)


def gather(paths: Sequence[Path]) -> Found:
    """Look through files and folders.

    Raises
    ------
    UserError
        If a path cannot be read; a file inside a folder that cannot be is noted instead.
    """
    found = Found()
    for path in list_files(paths):
        try:
            _add(found, path)
        except UserError as error:
            if path in paths:
                raise
            found.notes.append(f"{error}; not used")
    if len(found._halves) == 2:
        found.vertices.append(read_label_files(found._halves[LEFT], found._halves[RIGHT]))
    for path in found._halves.values() if len(found._halves) == 1 else ():
        found.unused[path] = "it labels one hemisphere; give both, in one folder"
    found.notes += [f"{path.name} is not used: {why}" for path, why in found.unused.items()]
    return found


def hint_of(sheet: Sheet) -> str:
    """Return what a matrix measures by the name of its file or variable; empty if unknown."""
    for name in (sheet.part.lower(), sheet.path.name.lower()):
        for hint, pattern in HINTS.items():
            if pattern.search(name):
                return hint
    return ""


def subject_of(sheet: Sheet) -> str:
    """Return the person that a file name in BIDS style names, or empty."""
    match = _SUBJECT.search(sheet.path.as_posix().lower().rsplit("/", 1)[-1])
    return match[1] if match else ""


def is_gene(name: str) -> bool:
    """Return whether a name can be a gene's symbol."""
    return _GENE.fullmatch(name.strip()) is not None


def _add(found: Found, path: Path) -> None:
    name = path.name.lower()
    for ending, add in SPECIAL.items():
        if name.endswith(ending):
            add(found, path)
            return
    sheets = read_sheets(path)
    if not any([_add_sheet(found, sheet) for sheet in sheets]):
        found.unused[path] = why_not(path, sheets)


def _add_sheet(found: Found, sheet: Sheet) -> bool:
    for part, test in KINDS.items():
        if test(sheet):
            getattr(found, part).append(sheet)
            return True
    if _is_vertices(sheet) and sheet.values is not None:
        found.vertices.append(labels_of_column(sheet.values.ravel(), sheet.name))
        return True
    if (table := read_region_table(sheet)) is not None and len(table) >= MIN_REGIONS:
        found.tables.append(table)
        if repeated := table.names.repeated:
            found.notes.append(
                f"{sheet.name}: several regions are named {shown(repeated)}, so that these names "
                "lead to none"
            )
        return True
    if is_expression(sheet):
        found.expressions.append(sheet)
        return True
    return False


def _is_stack(sheet: Sheet) -> bool:
    shape = sheet.shape
    return len(shape) == 3 and MIN_REGIONS <= shape[1] and shape[1] in (shape[0], shape[2])


def _is_vertices(sheet: Sheet) -> bool:
    size = int(np.prod(sheet.shape))
    if size < MIN_VERTICES or max(sheet.shape) != size or sheet.header is not None:
        return False
    values = sheet.values
    return values is not None and bool(
        (np.nan_to_num(values) == np.round(np.nan_to_num(values))).all()
    )


def _is_labels(sheet: Sheet) -> bool:
    if sheet.array is not None or not sheet.body or min(len(sheet.body), len(sheet.body[0])) != 1:
        return False
    cells = [cell for row in sheet.body for cell in row]
    return len(cells) > 3 and not any(is_numeric(cell) for cell in cells)


def _is_places(sheet: Sheet) -> bool:
    return (
        sheet.header is None
        and len(sheet.shape) == 2
        and sheet.shape[1] == 3
        and sheet.shape[0] >= MIN_REGIONS
        and sheet.values is not None
    )


def _is_edges(sheet: Sheet) -> bool:
    if sheet.array is None or len(sheet.shape) != 2:
        return False
    n = round(float(1 + np.sqrt(1 + 8 * sheet.shape[1])) / 2)
    return n >= MIN_REGIONS and n * (n - 1) // 2 == sheet.shape[1]


def is_expression(sheet: Sheet) -> bool:
    """Return whether the columns, or the rows, of a table of numbers are genes."""
    sides = (sheet.columns, sheet.rows)
    if sheet.values is None:
        return False
    # Entrez numbers name columns of fractions
    if (numbered := sheet.columns) is not None and len(numbered) >= MIN_GENES:
        fractions = bool((np.nan_to_num(sheet.values) % 1).any())
        if are_ids(numbered) and fractions and not sheet.is_square:
            return True
    return sheet.has_gene_rows or any(
        names is not None
        and len(names) >= MIN_GENES
        and sum(map(is_gene, names)) >= MIN_SHARE_OF_GENES * len(names)
        for names in sides
    )


def _add_gifti(found: Found, path: Path) -> None:
    import nibabel

    intents = {array.intent for array in load_image(path).darrays}
    codes = nibabel.nifti1.intent_codes
    if codes["NIFTI_INTENT_POINTSET"] in intents:
        add_surface(found, path)
    elif codes["NIFTI_INTENT_LABEL"] in intents:
        _add_half(found, path)
    else:
        found.unused[path] = "it holds neither a surface nor labels"


def add_surface(found: Found, path: Path, side: str = "") -> None:
    """Add a surface or sphere to its side.

    Raises
    ------
    UserError
        If neither its name nor its place shows the side.
    """
    points = read_surface(path)
    side = side or side_of_points(points, path)
    if not side:
        raise UserError(f"{path} names no side; give --surfaces or --sphere LEFT RIGHT")
    (found.spheres if is_sphere(points) else found.surfaces)[side] = points


def _add_half(found: Found, path: Path) -> None:
    side = side_of_points(np.zeros((1, 3)), path)
    if side:
        found._halves[side] = path
    else:
        found.unused[path] = "its name shows no side (lh. or rh.)"


SPECIAL: Mapping[str, Callable[[Found, Path], None]] = {
    ".dlabel.nii": lambda found, path: found.vertices.append(read_dlabel(path)),
    ".nii": lambda found, path: found.volumes.append(path),
    ".nii.gz": lambda found, path: found.volumes.append(path),
    ".gii": _add_gifti,
    ".annot": _add_half,
}
KINDS: Mapping[str, Callable[[Sheet], bool]] = {
    "stability": lambda sheet: stability_columns(sheet) is not None,
    "matrices": lambda sheet: sheet.is_square and sheet.values is not None,
    "stacks": _is_stack,
    "labels": _is_labels,
    "places": _is_places,
    "edges": _is_edges,
}
