"""The random rule: regions held out wherever they lie."""

from __future__ import annotations

import numpy as np

from gx2c.data.brain import IntArray
from gx2c.splits.sites import Sites


def random_folds(sites: Sites, n_folds: int, seed: int) -> list[IntArray]:
    """Cut regions at random into folds of equal size, as published (scikit-learn's KFold).

    A held-out region usually has its neighbours and its homologue in training, so that
    geography alone predicts well: scores under this rule speak of interpolation.
    """
    return shuffled_parts(len(sites), n_folds, seed)


def shuffled_parts(n: int, n_folds: int, seed: int) -> list[IntArray]:
    """Cut 0 ... n - 1 at random into folds, as scikit-learn's KFold; each is in order."""
    # scikit-learn takes a second to import, for which only these splits pay
    from sklearn.model_selection import KFold

    folds = KFold(n_folds, shuffle=True, random_state=seed).split(np.arange(n))
    return [held_out.astype(np.int64) for _, held_out in folds]
