"""One outer fold: which regions train, which are held out, and the inner folds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Fold:
    """Regions that train and regions that are held out; indices into the brain, ascending.

    Attributes
    ----------
    train_regions
        (n_train_regions,) region indices.
    test_regions
        (n_test_regions,) region indices; in an inner fold these are the validation regions.
    inner
        Inner folds cut from `train_regions` by the same rule; empty in an inner fold.
    """

    train_regions: IntArray
    test_regions: IntArray
    inner: tuple[Fold, ...] = ()

    def __post_init__(self) -> None:
        shared = np.intersect1d(self.train_regions, self.test_regions)
        assert not len(shared), f"regions {shared} both train and test"
        allowed = set(self.train_regions.tolist())
        for inner in self.inner:
            used = set(inner.train_regions.tolist()) | set(inner.test_regions.tolist())
            assert used <= allowed, (
                "an inner fold uses a region from outside the outer training set"
            )
