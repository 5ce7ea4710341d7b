"""Regions on surfaces and in volumes: centroids, sides, places on the sphere."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gx2c.data.brain import FloatArray, IntArray
from gx2c.data.sides import LEFT, RIGHT
from gx2c.errors import UserError
from gx2c.files import ordinary
from gx2c.importing.reasons import reason_of
from gx2c.importing.volumes import DECIMALS_MM, Centroids, load_image

SPHERE_RADIUS_MM = 100.0
# Vertices of a sphere lie so close to one radius, of any brain's surface far from it
SPHERE_SPREAD = 0.01
# FreeSurfer's numbers of the Desikan-Killiany atlas, 1 to 35 on the left and 36 to 70 on the right
DESIKAN_KILLIANY = (
    "bankssts caudalanteriorcingulate caudalmiddlefrontal corpuscallosum cuneus entorhinal "
    "fusiform inferiorparietal inferiortemporal isthmuscingulate lateraloccipital "
    "lateralorbitofrontal lingual medialorbitofrontal middletemporal parahippocampal "
    "paracentral parsopercularis parsorbitalis parstriangularis pericalcarine postcentral "
    "posteriorcingulate precentral precuneus rostralanteriorcingulate rostralmiddlefrontal "
    "superiorfrontal superiorparietal superiortemporal supramarginal frontalpole temporalpole "
    "transversetemporal insula"
).split()
# Names that label files give to vertices outside all regions
NO_REGION = frozenset(("unknown", "???", "medialwall", "corpuscallosum", "background", ""))


@dataclass(frozen=True)
class VertexLabels:
    """The region of each vertex of both hemispheres, left before right."""

    source: str  # The files
    numbers: IntArray  # (n_left + n_right,) region numbers; 0 is no region
    n_left: int  # Vertices of the left hemisphere
    labels: Mapping[int, str]  # Label by number where the file names them, or empty

    @property
    def ids(self) -> IntArray:
        """The numbers of the regions, ascending."""
        found: IntArray = np.unique(self.numbers[self.numbers > 0])
        return found

    def named(self) -> dict[int, str]:
        """Return a label for each region where the file, or FreeSurfer's own order, names it."""
        ids = self.ids.tolist()
        if self.labels:
            names = {i: self.labels.get(i, "") for i in ids}
            return {i: name for i, name in names.items() if _core(name) not in NO_REGION}
        if ids == list(range(1, 2 * len(DESIKAN_KILLIANY) + 1)):
            both = [f"{side}_{name}" for side in (LEFT, RIGHT) for name in DESIKAN_KILLIANY]
            return {i: n for i, n in zip(ids, both, strict=True) if _core(n[2:]) not in NO_REGION}
        return {}


def _core(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum() or letter == "?")


def surface_centroids(
    labels: VertexLabels,
    points: tuple[FloatArray, FloatArray],
    ids: Sequence[int],
    sides: Sequence[str] = (),
    *,
    on_sphere: bool = False,
) -> Centroids:
    """Average the vertices of each region on its own side.

    Parameters
    ----------
    labels
        The region of each vertex.
    points
        Vertices of the left and of the right surface, (n_vertices, 3), mm.
    ids
        The regions wanted.
    sides
        The side of each, where a label names it; empty texts and an empty list are decided by the
        majority of vertices.
    on_sphere
        Whether the mean is pushed out to a radius of 100 mm.

    Raises
    ------
    UserError
        If surfaces and labels have different numbers of vertices.
    """
    n_points = [len(side) for side in points]
    if n_points != [labels.n_left, len(labels.numbers) - labels.n_left]:
        raise UserError(
            f"the surfaces have {n_points[0]} and {n_points[1]} vertices, {labels.source} labels "
            f"{labels.n_left} and {len(labels.numbers) - labels.n_left}; give surfaces of the same "
            "mesh as the labels"
        )
    vertices = np.vstack(points)
    is_left = np.arange(len(vertices)) < labels.n_left
    found_sides, means = [], []
    for i, number in enumerate(ids):
        mine = labels.numbers == number
        n_left, n_right = np.count_nonzero(mine & is_left), np.count_nonzero(mine & ~is_left)
        side = (sides[i] if sides else "") or (LEFT if n_left > n_right else RIGHT)
        own = mine & (is_left if side == LEFT else ~is_left)
        # a region whose label names the side that has none of its vertices is where they are
        means.append(vertices[own if own.any() else mine].mean(axis=0))
        found_sides.append(side)
    places = np.array(means).reshape(-1, 3)
    if on_sphere:
        places = SPHERE_RADIUS_MM * places / np.linalg.norm(places, axis=1, keepdims=True)
    return Centroids(tuple(ids), tuple(found_sides), places.round(DECIMALS_MM))


def read_surface(path: Path) -> FloatArray:
    """Read the vertices of a surface, GIFTI or FreeSurfer, (n_vertices, 3) mm.

    Raises
    ------
    UserError
        If it is no surface.
    """
    import nibabel

    try:
        ordinary(path)
        if path.suffix.lower() == ".gii":
            arrays = nibabel.load(path).get_arrays_from_intent("NIFTI_INTENT_POINTSET")
            points = arrays[0].data
        else:
            points = nibabel.freesurfer.read_geometry(path)[0]
    except Exception as error:
        raise UserError(f"{path} is no surface ({reason_of(error)}); give a .surf.gii") from None
    return np.asarray(points, dtype=np.float64)


def is_sphere(points: FloatArray) -> bool:
    """Return whether vertices lie on a sphere about the origin."""
    radius = np.linalg.norm(points, axis=1)
    return bool(np.ptp(radius) <= SPHERE_SPREAD * radius.mean())


def side_of_points(points: FloatArray, path: Path) -> str:
    """Return a surface's side by its name, else by its place; empty if neither shows it."""
    name = path.name.lower().replace("-", "_").replace(".", "_")
    parts = name.split("_")
    for side, marks in ((LEFT, ("lh", "l", "left")), (RIGHT, ("rh", "r", "right"))):
        if any(mark in parts for mark in marks) or f"hemi_{side.lower()}" in name:
            return side
    x = points[:, 0].mean()
    return "" if abs(x) < 1 else LEFT if x < 0 else RIGHT


def labels_of_column(numbers: FloatArray, source: str) -> VertexLabels:
    """Take a column of whole numbers as the labels of both hemispheres, left first.

    Raises
    ------
    UserError
        If the two hemispheres cannot have equally many vertices.
    """
    if len(numbers) % 2:
        raise UserError(
            f"{source} labels {len(numbers)} vertices; two equal hemispheres are needed"
        )
    whole = np.nan_to_num(numbers).astype(np.int64)
    return VertexLabels(source, np.where(whole > 0, whole, 0), len(whole) // 2, {})


def read_label_files(left: Path, right: Path) -> VertexLabels:
    """Read the labels of two hemispheres, GIFTI or FreeSurfer .annot.

    Numbers that name different regions on the two sides are kept distinct.
    """
    sides = [_read_label_file(path) for path in (left, right)]
    (numbers_left, names_left), (numbers_right, names_right) = sides
    shared = set(names_left) & set(names_right)
    same = all(names_left[i] == names_right[i] for i in shared if i)
    one_series = same and not (set(numbers_left) & set(numbers_right) - {0})
    offset = 0 if one_series else max([*names_left, *numbers_left.tolist(), 0]) + 1
    moved = np.where(numbers_right > 0, numbers_right + offset, 0)
    names = {i: _sided(LEFT, n) for i, n in names_left.items()} | {
        i + offset: _sided(RIGHT, n) for i, n in names_right.items()
    }
    source = f"{left.name} and {right.name}"
    return VertexLabels(source, np.concatenate([numbers_left, moved]), len(numbers_left), names)


def _sided(side: str, name: str) -> str:
    from_name = name.lower()
    marks = ("lh", "rh", "l_", "r_", "left", "right", "_l", "_r")
    named = any(from_name.startswith(mark) or from_name.endswith(mark) for mark in marks)
    return name if named or "_LH_" in name or "_RH_" in name else f"{side}_{name}"


def _read_label_file(path: Path) -> tuple[IntArray, dict[int, str]]:
    import nibabel

    if path.suffix.lower() == ".annot":
        numbers, _, names = nibabel.freesurfer.read_annot(path)
        named = {i: name.decode() for i, name in enumerate(names)}
        unknown = [i for i, name in named.items() if _core(name) in NO_REGION]
        # an annotation counts from 0 and gives the first number to what is unknown
        kept = np.where(np.isin(numbers, [-1, *unknown]), -1, numbers) + 1
        return kept.astype(np.int64), {i + 1: n for i, n in named.items() if i not in unknown}
    image: Any = load_image(path)
    table = {int(x.key): str(x.label) for x in image.labeltable.labels}
    keys = {k: n for k, n in table.items() if _core(n) not in NO_REGION}
    numbers = np.asarray(image.darrays[0].data).astype(np.int64)
    kept = np.where(np.isin(numbers, list(keys)), numbers, 0) if keys else numbers
    return kept, keys


def read_dlabel(path: Path) -> VertexLabels:
    """Read a CIFTI dense label file (.dlabel.nii) of the two cortices.

    Raises
    ------
    UserError
        If it holds no cortex.
    """
    image = load_image(path)
    numbers = np.asarray(image.get_fdata()).reshape(-1, image.shape[-1])[0].astype(np.int64)
    axes = image.header.get_axis(0), image.header.get_axis(1)
    table = {int(k): str(v[0]) for k, v in axes[0].label[0].items()}
    halves = {}
    for name, part, model in axes[1].iter_structures():
        if name in ("CIFTI_STRUCTURE_CORTEX_LEFT", "CIFTI_STRUCTURE_CORTEX_RIGHT"):
            whole = np.zeros(model.nvertices[name], dtype=np.int64)
            whole[model.vertex] = numbers[part]
            halves[name[-4:]] = whole
    if sorted(halves) != ["IGHT", "LEFT"]:
        raise UserError(f"{path} labels no left and right cortex; give a dense label file of both")
    names = {k: n for k, n in table.items() if _core(n) not in NO_REGION}
    both = np.concatenate([halves["LEFT"], halves["IGHT"]])
    return VertexLabels(
        path.name, np.where(np.isin(both, list(names)), both, 0), len(halves["LEFT"]), names
    )
