"""Sides of regions: in their labels, and homologues on the other side."""

import re
from collections.abc import Sequence

import numpy as np
import scipy

from gx2c.data.individuals import FloatArray, IntArray

# Coordinates times it are those of the place mirrored across the midline
MIRROR = np.array([-1.0, 1.0, 1.0])
LEFT, RIGHT = "L", "R"
_FORMS = (
    # ctx-lh-x, lh_x, LH-x, L_x, Left-x before a name
    re.compile(r"^(?:ctx[-_ .])?(l|lh|left|r|rh|right)[-_ .]+(?=\S)", re.IGNORECASE),
    # x_L, x-lh, x (left) behind it
    re.compile(r"[-_ .(]+(l|lh|left|r|rh|right)\)?$", re.IGNORECASE),
    # ENIGMA writes Laccumb; a capital side glued to one of these names
    re.compile(r"^([LR])(?=(?:accumb|amyg|caud|hippo|pal|put|thal))"),
    # Schaefer's 7Networks_LH_Vis_1
    re.compile(r"(?<=_)(LH|RH)_"),
)


def mirrored(coords_mm: FloatArray) -> FloatArray:
    """Fold the right hemisphere onto the left: (|x|, y, z), (n_regions, 3), mm."""
    folded = np.array(coords_mm, dtype=np.float64)
    folded[:, 0] = np.abs(folded[:, 0])
    return folded


def reflected(places_mm: FloatArray) -> FloatArray:
    """Mirror places across the midline, (n_regions, n_axes), mm."""
    across = np.array(places_mm, dtype=np.float64)
    across[:, 0] *= -1.0
    return across


def split_side(label: str) -> tuple[str, str]:
    """Split a label into its side, "L", "R" or empty, and the rest of it."""
    for form in _FORMS:
        if found := form.search(label):
            return found[1][0].upper(), label[: found.start()] + label[found.end() :]
    return "", label


def same_named_pairs(labels: Sequence[str], hemisphere: IntArray) -> tuple[IntArray, bool]:
    """Find homologues by their labels alone.

    Returns
    -------
    pairs : IntArray
        (n_pairs, 2) region indices, left before right.
    named : bool
        Whether the labels name regions. Labels that only number them, such as a clustering's L_1
        and R_1, need not be those of homologues.
    """
    parts = [split_side(label) for label in labels]
    right = {
        rest.lower(): i
        for i, (side, rest) in enumerate(parts)
        if side == RIGHT and hemisphere[i] == 1
    }
    found = [
        (i, right[rest.lower()])
        for i, (side, rest) in enumerate(parts)
        if side == LEFT and hemisphere[i] == 0 and rest.lower() in right
    ]
    named = any(letter.isalpha() for i, _ in found for letter in parts[i][1])
    return np.array(found, dtype=np.int64).reshape(-1, 2), named


def nearest_homologues(coords_mm: FloatArray, hemisphere: IntArray) -> IntArray:
    """Pair left and right regions by location, (n_pairs, 2), left before right.

    The pairing minimises the total distance between left centroids and right centroids mirrored in
    x (Hungarian algorithm). If one hemisphere has more regions, some of its regions have no pair.
    """
    left, right = np.flatnonzero(hemisphere == 0), np.flatnonzero(hemisphere == 1)
    matched_left, matched_right = scipy.optimize.linear_sum_assignment(
        scipy.spatial.distance.cdist(coords_mm[left], reflected(coords_mm[right]))
    )
    return np.stack([left[matched_left], right[matched_right]], axis=1)
