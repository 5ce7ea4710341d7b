"""Values of regions on the cortex, by nilearn's bundled surface of the brain."""

import functools
import importlib.util
from collections.abc import Mapping
from typing import NamedTuple

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import BoundaryNorm, Colormap, ListedColormap, Normalize
from matplotlib.patches import Patch
from scipy.spatial import cKDTree

from gx2c.data.brain import FloatArray, IntArray
from gx2c.importing.picture import COLOURS
from sweeps.folder.regions import CENTROID, SIDES
from sweeps.report.picture import TICKS, Picture
from sweeps.report.reading import RunFiles
from sweeps.report.wording import fold_name

LACKS = (
    "Brain pictures need nilearn, which is not installed: pip install 'gx2c[data]', then gx2c "
    "report."
)
APPROXIMATE = (
    "Approximate: each point of the cortex (pial surface of fsaverage5) takes the value of the "
    "nearest region centroid of its hemisphere, so borders are not those of the parcellation. "
    "Grey: no value, or further than 30 mm from any centroid."
)
MOST_MM = 30.0
# Name, side, and the direction from which one looks along x
VIEWS = (
    ("left, outer side", 0, -1),
    ("left, inner side", 0, 1),
    ("right, inner side", 1, -1),
    ("right, outer side", 1, 1),
)
# Where there is no value
NOTHING = (0.79, 0.78, 0.75, 1.0)
# Sun from above and a little in front
LIGHT = np.array([0.5, 0.25, 0.83])


class Surface(NamedTuple):
    """The cortex of one hemisphere: (n_points, 3) in MNI mm, and (n_faces, 3) triangles."""

    points: FloatArray
    faces: IntArray


def is_possible() -> bool:
    """Return whether nilearn is installed."""
    return importlib.util.find_spec("nilearn") is not None


@functools.cache
def surfaces() -> tuple[Surface, Surface]:
    """Return both hemispheres, which nilearn ships."""
    from nilearn.datasets import fetch_surf_fsaverage
    from nilearn.surface import load_surf_mesh

    files = fetch_surf_fsaverage("fsaverage5")
    meshes = [load_surf_mesh(files[name]) for name in ("pial_left", "pial_right")]
    left, right = (Surface(np.asarray(m.coordinates), np.asarray(m.faces)) for m in meshes)
    return left, right


def nearest_regions(regions: pd.DataFrame, side: int) -> IntArray:
    """Return the row of the nearest centroid of the same hemisphere for every point of a surface.

    Returns
    -------
    ndarray
        (n_points,), -1 where no centroid is within `MOST_MM`.
    """
    points = surfaces()[side].points
    rows = np.flatnonzero(regions["hemisphere"].isin((SIDES[side], "both")))
    if not len(rows):
        return np.full(len(points), -1)
    tree = cKDTree(regions[CENTROID].to_numpy()[rows])
    nearest = tree.query(points, distance_upper_bound=MOST_MM)[1]
    found: IntArray = np.append(rows, -1)[nearest]
    return found


def folds_on_brain(run: RunFiles) -> Picture | None:
    """Draw the outer fold that each region is tested in."""
    numbers = {label: c.fold for c in run.connectomes for label in c.labels}
    if run.regions is None or not numbers:
        return None
    folds = sorted(set(numbers.values()))
    values = run.regions.index.map(
        lambda label: folds.index(numbers[label]) if label in numbers else np.nan
    )
    colours = [COLOURS[k % len(COLOURS)] for k in range(len(folds))]
    norm = BoundaryNorm(np.arange(len(folds) + 1) - 0.5, len(folds))
    picture = brain_figure(
        "Outer folds on the brain, four views: regions of one colour are tested together.",
        run.regions,
        np.asarray(values, dtype=np.float64),
        ListedColormap(colours),
        norm,
    )
    names = [fold_name(f) for f in run.summary.folds if f.fold in folds]
    marks = [Patch(color=colour, label=name) for colour, name in zip(colours, names, strict=False)]
    picture.figure.legend(
        handles=marks, loc="lower center", ncols=min(6, len(marks)), frameon=False
    )
    return picture


def errors_on_brain(run: RunFiles) -> Picture | None:
    """Draw the mean absolute error of the test edges of every region."""
    errors = region_errors(run)
    if run.regions is None or not errors:
        return None
    values = np.array([errors.get(label, np.nan) for label in run.regions.index])
    return values_on_brain(
        run.regions, values, "Mean absolute error of each region's test edges, four views."
    )


def region_errors(run: RunFiles) -> Mapping[str, float]:
    """Return the model's mean absolute error over the test edges of every region."""
    ends = pd.concat([run.edges[["predicted", "measured"]].set_axis(run.edges[e]) for e in "ab"])
    errors = (ends["predicted"] - ends["measured"]).abs()
    return {str(label): float(v) for label, v in errors.groupby(level=0).mean().items()}


def values_on_brain(
    regions: pd.DataFrame,
    values: FloatArray,
    words: str,
    cmap: str | Colormap = "magma_r",
    *,
    signed: bool = False,
) -> Picture:
    """Draw a number per region, (n_regions,), NaN where there is none; `signed` ones around 0."""
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    most = max(-low, high) or 1.0
    norm = Normalize(-most, most) if signed else Normalize(low, high)
    colours = mpl.colormaps.get_cmap(cmap)
    picture = brain_figure(words, regions, values, colours, norm)
    frame = picture.figure.add_axes((0.36, 0.09, 0.28, 0.035))
    mappable = mpl.cm.ScalarMappable(norm, colours)
    picture.figure.colorbar(mappable, cax=frame, orientation="horizontal", format=TICKS)
    return picture


def brain_figure(
    words: str, regions: pd.DataFrame, values: FloatArray, colours: Colormap, norm: Normalize
) -> Picture:
    """Paint four views of the cortex.

    Parameters
    ----------
    words
        Description of the picture.
    regions
        As `read_regions` returns them.
    values
        (n_regions,), NaN where there is none.
    colours, norm
        Colour of a value.
    """
    picture = Picture(words, size=(8.6, 2.3), grid=(1, 4), margins=(0.05, 0.3, 0.05, 0.5))
    picture.figure.subplots_adjust(wspace=0.02)
    for axes, (title, side, sign) in zip(picture.all_axes, VIEWS, strict=True):
        nearest = nearest_regions(regions, side)
        shown = np.where(nearest < 0, np.nan, values[nearest])
        _paint(axes, surfaces()[side], shown, sign, colours, norm)
        axes.set_title(title, fontsize=8.5)
    return picture


def _paint(
    axes: Axes, surface: Surface, values: FloatArray, sign: int, colours: Colormap, norm: Normalize
) -> None:
    """Draw the triangles that face the viewer, the nearest last."""
    corners = surface.points[surface.faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals /= np.linalg.norm(normals, axis=1, keepdims=True) + 1e-12
    depth = corners[:, :, 0].mean(axis=1) * sign
    facing = np.flatnonzero(normals[:, 0] * sign > 0)
    facing = facing[np.argsort(depth[facing])]
    # a triangle takes the value of its first corner: a mean would lie between two categories
    values = values[surface.faces[facing, 0]]
    colour = np.asarray(colours(norm(np.nan_to_num(values))))
    colour[np.isnan(values)] = NOTHING
    towards = LIGHT * np.array([sign, 1.0, 1.0])
    shade = 0.55 + 0.45 * np.clip(normals[facing] @ towards, 0, 1)
    colour[:, :3] *= shade[:, None]
    # y to the right as seen from the left side, to the left as seen from the right
    flat = corners[facing][:, :, 1:] * np.array([sign, 1.0])
    faces = PolyCollection(flat, facecolors=colour, edgecolors=colour, linewidths=0.2)
    faces.set_rasterized(True)
    axes.add_collection(faces)
    axes.set_axis_off()
    axes.set(aspect="equal", xlim=(flat[:, :, 0].min() - 2, flat[:, :, 0].max() + 2))
    axes.set_ylim(flat[:, :, 1].min() - 2, flat[:, :, 1].max() + 2)
