"""Regions that a saved model may have seen in training, whatever their parcellation."""

import numpy as np
from numpy.typing import NDArray

from gx2c.data.brain import Brain
from gx2c.data.two_brains import SAME_MM, distances_on_one_side, overlap_mm
from gx2c.data.unmeasured import Unmeasured
from gx2c.saved.model import SavedModel


def may_have_seen(model: SavedModel, brain: Brain | Unmeasured) -> NDArray[np.bool_]:
    """Return which regions were, or may overlap, training regions of a model.

    A region that bears the label and lies at the place of a region of the training dataset is that
    region. Any other overlaps a training region of its hemisphere that is closer than `overlap_mm`;
    without coordinates, it is compared by its label.

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
    known, trained = model.regions, set(model.about.training_regions)
    place = {label: row for row, label in enumerate(known.labels)}
    rows = np.array([place.get(label, -1) for label in brain.labels])
    by_label = np.array([label in trained for label in brain.labels])
    placed = np.isfinite(brain.coords_mm).all(axis=1)
    if not placed.any():
        return by_label
    moved = np.linalg.norm(brain.coords_mm - known.coords_mm[rows], axis=1)
    same = (rows >= 0) & ~(moved > SAME_MM)
    in_training = np.array([label in trained for label in known.labels])
    apart = distances_on_one_side(brain, known)[:, in_training].min(axis=1)
    near = apart < overlap_mm(known, brain)
    return np.where(same | ~placed, by_label, near)
