"""The random rule: regions held out wherever they lie."""

from __future__ import annotations

import numpy as np
from sklearn.model_selection import KFold

from gx2c.data.brain import IntArray
from gx2c.splits.sites import Sites


def random_folds(sites: Sites, n_folds: int, seed: int) -> list[IntArray]:
    """Cut regions at random into folds of equal size, as published (scikit-learn's KFold).

    A held-out region usually has its neighbours and its homologue in training, so that
    geography alone predicts well: scores under this rule speak of interpolation.
    """
    folds = KFold(n_folds, shuffle=True, random_state=seed).split(np.arange(len(sites)))
    return [held_out.astype(np.int64) for _, held_out in folds]
