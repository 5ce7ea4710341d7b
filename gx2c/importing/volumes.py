"""Read images of any format, and the places of the regions of an atlas image."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gx2c.data.brain import FloatArray, IntArray
from gx2c.data.sides import LEFT, RIGHT
from gx2c.errors import UserError
from gx2c.importing.reasons import reason_of

DECIMALS_MM = 3


@dataclass(frozen=True)
class Centroids:
    """Where regions lie."""

    ids: tuple[int, ...]  # n_regions numbers
    sides: tuple[str, ...]  # "L" or "R" of each: where most of its vertices or voxels are
    coords_mm: FloatArray  # (n_regions, 3)


def load_image(path: Path) -> Any:
    """Load an image of any format of nibabel.

    Raises
    ------
    UserError
        If it cannot be read.
    """
    import nibabel

    try:
        image: Any = nibabel.load(path)
        # an image is read when it is asked for its numbers, which it keeps
        if hasattr(image, "dataobj"):
            image.get_fdata()
    except Exception as error:
        # nibabel raises whatever it stumbles over
        raise UserError(f"{path} cannot be read ({reason_of(error)}); copy it again") from None
    return image


def read_volume(path: Path) -> tuple[IntArray, FloatArray]:
    """Read an atlas image: whole numbers in 3 dimensions, and its affine.

    Raises
    ------
    UserError
        If the image cannot be read, or has other values or axes.
    """
    image = load_image(path)
    values = image.get_fdata().squeeze()
    if values.ndim != 3 or not np.array_equal(values, np.round(values)):
        raise UserError(
            f"{path} is no atlas of numbered regions in 3 dimensions (shape {values.shape}); give "
            "an image of whole numbers"
        )
    if not (values > 0).any():
        raise UserError(f"{path} numbers no region: every voxel is 0; give an atlas image")
    return values.astype(np.int64), np.asarray(image.affine, dtype=np.float64)


def volume_centroids(parcels: IntArray, affine: FloatArray) -> Centroids:
    """Average the voxel centres of each parcel, in the image's mm.

    Parameters
    ----------
    parcels
        (x, y, z) whole numbers; 0 is no region.
    affine
        (4, 4), from voxels to mm.
    """
    voxels = np.argwhere(parcels > 0)
    ids, index = np.unique(parcels[tuple(voxels.T)], return_inverse=True)
    points = voxels @ affine[:3, :3].T + affine[:3, 3]
    count = np.bincount(index)
    sums = [np.bincount(index, weights=axis) for axis in points.T]
    left = np.bincount(index, weights=points[:, 0] < 0) > count / 2
    return Centroids(
        tuple(ids.tolist()),
        tuple(np.where(left, LEFT, RIGHT).tolist()),
        (np.stack(sums, axis=1) / count[:, None]).round(DECIMALS_MM),
    )
