"""Regions that a saved model may have seen in training, whatever their parcellation."""

import numpy as np
import scipy
from numpy.typing import NDArray

from gx2c.data.brain import Brain
from gx2c.data.sides import reflected
from gx2c.data.two_brains import SAME_MM, Places, distances_on_one_side, overlap_mm
from gx2c.data.unmeasured import Unmeasured
from gx2c.fit.start import Seen
from gx2c.saved.model import SavedModel


def may_have_seen(model: SavedModel, brain: Brain | Unmeasured) -> NDArray[np.bool_]:
    """Return which regions were, or may overlap, training regions of a model.

    A region that bears the label and lies at the place of a region of the training dataset is that
    region. Any other overlaps a training region of its hemisphere that is closer than `overlap_mm`;
    without coordinates, it is compared by its label. Regions that trained a model from which its
    networks started count too.

    Parameters
    ----------
    model
        The saved model.
    brain
        Any regions.

    Returns
    -------
    (n_regions,) array
        True where a prediction tests nothing.
    """
    found: NDArray[np.bool_] = np.any([_overlaps(one, brain) for one in model.seen], axis=0)
    return found


def may_touch(
    seen: Seen, brain: Brain, *, buffer_mm: float = 0.0, homologues: bool = False
) -> NDArray[np.bool_]:
    """Return which regions may not be held out from networks that start from a model.

    Parameters
    ----------
    seen
        Regions that trained the model, at known places.
    brain
        A brain with coordinates.
    buffer_mm
        Regions closer than this to a training region or to its mirror image count too, as in
        `outside_buffer`.
    homologues
        Whether regions of a brain of one hemisphere whose mirror image overlaps a training region
        count too. In a brain of both, a split holds homologues out together if it ought to.

    Returns
    -------
    (n_regions,) array
    """
    touched = _overlaps(seen, brain)
    trained = np.isin(seen.regions.labels, seen.training_regions)
    places = seen.regions.coords_mm[trained]
    if brain.shared_samples is not None:
        same = touched & np.isin(brain.labels, seen.training_regions)
        touched |= brain.shared_samples[:, same].any(axis=1)
    if buffer_mm:
        both = np.concatenate([places, reflected(places)])
        nearest = scipy.spatial.distance.cdist(brain.coords_mm, both).min(axis=1)
        touched |= nearest < buffer_mm
    return touched | mirror_overlaps(seen, brain) if homologues else touched


def mirror_overlaps(seen: Seen, brain: Brain) -> NDArray[np.bool_]:
    """Return whose mirror image may overlap a training region; none in a brain of both sides."""
    if {0, 1} <= set(brain.hemisphere.tolist()):
        return np.zeros(brain.n_regions, dtype=bool)
    across = np.where(brain.hemisphere == 2, 2, 1 - brain.hemisphere)
    image = _Image(reflected(brain.coords_mm), across)
    return _is_near(seen, image, overlap_mm(seen.regions, brain))


class _Image:
    """Places of regions, mirrored."""

    def __init__(self, coords_mm: NDArray[np.float64], hemisphere: NDArray[np.int64]) -> None:
        self.coords_mm, self.hemisphere = coords_mm, hemisphere


def _overlaps(seen: Seen, brain: Brain | Unmeasured) -> NDArray[np.bool_]:
    known, trained = seen.regions, set(seen.training_regions)
    place = {label: row for row, label in enumerate(known.labels)}
    rows = np.array([place.get(label, -1) for label in brain.labels])
    by_label = np.array([label in trained for label in brain.labels])
    placed = np.isfinite(brain.coords_mm).all(axis=1)
    if not placed.any():
        return by_label
    moved = np.linalg.norm(brain.coords_mm - known.coords_mm[rows], axis=1)
    same = (rows >= 0) & ~(moved > SAME_MM)
    near = _is_near(seen, brain, overlap_mm(known, brain))
    return np.where(same | ~placed, by_label, near)


def _is_near(seen: Seen, places: Places, least_mm: float) -> NDArray[np.bool_]:
    in_training = np.isin(seen.regions.labels, seen.training_regions)
    apart = distances_on_one_side(places, seen.regions)[:, in_training]
    return np.asarray(apart.min(axis=1) < least_mm)
