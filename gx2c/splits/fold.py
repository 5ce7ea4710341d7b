"""One outer fold: training regions, held-out regions, and inner folds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gx2c.data.brain import IntArray

# Fewer held-out regions have fewer than 3 edges, too few for a meaningful correlation
MIN_TEST_REGIONS = 3
MIN_TRAIN_REGIONS = 4


@dataclass(frozen=True, repr=False)
class Fold:
    """Training regions and held-out regions, as ascending indices into the brain.

    Attributes
    ----------
    train_regions
        (n_train_regions,) region indices.
    test_regions
        (n_test_regions,) region indices; in an inner fold these are the validation regions.
    inner
        Inner folds cut from `train_regions` by the same rule; empty in an inner fold.
    name
        Name of the held-out networks or lobes, joined by " + "; empty for other rules.
    blocks
        (n_test_regions,) block of each test region if only edges between two blocks are scored;
        None if all edges are.
    """

    train_regions: IntArray
    test_regions: IntArray
    inner: tuple[Fold, ...] = ()
    name: str = ""
    blocks: IntArray | None = None

    def __post_init__(self) -> None:
        shared = np.intersect1d(self.train_regions, self.test_regions)
        assert not len(shared), f"regions {shared} both train and test"
        allowed = set(self.train_regions.tolist())
        for inner in self.inner:
            used = set(inner.train_regions.tolist()) | set(inner.test_regions.tolist())
            assert used <= allowed, (
                "an inner fold uses a region from outside the outer training set"
            )
        assert self.blocks is None or len(self.blocks) == len(self.test_regions), (
            f"{len(self.test_regions)} test regions need a block each"
        )

    def __repr__(self) -> str:
        sizes = f"{len(self.train_regions)} training regions, {len(self.test_regions)} test regions"
        inner = f", {len(self.inner)} inner folds" if self.inner else ""
        return f"Fold({f'{self.name}: ' if self.name else ''}{sizes}{inner})"

    def scored_edges(self) -> tuple[IntArray, IntArray]:
        """Return both ends of every scored edge, as positions in `test_regions`.

        Returns
        -------
        first, second
            (n_edges,) each, first < second: every unordered pair of test regions, or with
            `blocks` those whose ends lie in different blocks.
        """
        first, second = np.triu_indices(len(self.test_regions), k=1)
        if self.blocks is not None:
            between = self.blocks[first] != self.blocks[second]
            first, second = first[between], second[between]
        return first.astype(np.int64), second.astype(np.int64)
