"""From a rule's name to outer folds, each with its inner folds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np

from gx2c.data.brain import FloatArray, IntArray
from gx2c.splits.cutter import Cutter, check_numbers
from gx2c.splits.fold import Fold


def make_folds(
    coords_mm: FloatArray,
    hemisphere: IntArray,
    *,
    split: str = "bilateral",
    n_folds: int = 4,
    n_inner_folds: int = 3,
    n_inner_repeats: int = 1,
    seed: int,
    groups: Sequence[str] | None = None,
    connectome: FloatArray | None = None,
    resolution: float = 1.0,
    buffer_mm: float = 0.0,
) -> tuple[Fold, ...]:
    """Cut a brain's regions into outer folds and each outer training set into inner folds.

    Inner folds are cut by the same rule with a seed made from `seed` and the outer fold's
    number, and see the outer-training regions only: under `network` each inner fold leaves one
    of the remaining networks out, communities are found anew among the training regions, and
    the buffer lies round validation regions too. Homologues are matched once, on the whole
    brain: which regions form a pair is part of the folds, not learned from them.

    Parameters
    ----------
    coords_mm
        (n_regions, 3), region centroids in MNI space, mm.
    hemisphere
        (n_regions,), 0 left, 1 right.
    split
        A name in `SPLITTERS`.
    n_folds, n_inner_folds
        Numbers of outer folds and of inner folds in each, at least 2; not used by the rules in
        `GROUP_SPLITS` and `COMMUNITY_SPLITS`, which give one fold for each group. A group of
        fewer than 3 regions is merged with the next smallest (`merge_small_groups`).
    n_inner_repeats
        How many sets of inner folds, each by a seed of its own, stand in `Fold.inner`; more of
        them rank configs better where regions are few.
    seed
        0 to 2**32 - 1; the same seed gives the same folds.
    groups
        n_regions names, for `GROUP_SPLITS` only.
    connectome
        (n_regions, n_regions), symmetric, for `COMMUNITY_SPLITS` only.
    resolution
        Of the communities, see `find_communities`.
    buffer_mm
        Training regions nearer than this to a test region, or to its mirror image, are dropped.

    Returns
    -------
    tuple of Fold
        Outer folds; every region is held out in exactly one. Inner folds are in `Fold.inner`,
        their indices count the whole brain's regions.

    Raises
    ------
    UserError
        If there is no such rule, the rule lacks groups or a connectome, a number is out of
        range, a coordinate or hemisphere is not one, or a fold would hold too few regions to
        train or to score.
    """
    check_numbers(n_folds=n_folds, n_inner_folds=n_inner_folds, seed=seed)
    cutter = Cutter.checked(
        coords_mm,
        hemisphere,
        split=split,
        groups=groups,
        connectome=connectome,
        resolution=resolution,
        buffer_mm=buffer_mm,
    )
    everywhere = np.arange(len(coords_mm), dtype=np.int64)
    parts = cutter.hold_out(everywhere, n_folds=n_folds, seed=seed, stage="outer")
    outer = tuple(cutter.fold(everywhere, part) for part in parts)
    return _with_inner_folds(cutter, outer, n_inner_folds, n_inner_repeats, seed)


def block_pair_folds(
    coords_mm: FloatArray,
    hemisphere: IntArray,
    *,
    split: str = "bilateral",
    n_folds: int = 4,
    n_inner_folds: int = 3,
    n_inner_repeats: int = 1,
    seed: int,
    groups: Sequence[str] | None = None,
    connectome: FloatArray | None = None,
    resolution: float = 1.0,
    buffer_mm: float = 0.0,
) -> tuple[Fold, ...]:
    """Hold out two blocks at a time, to score the edges between them with both ends unseen.

    The blocks are the test sets of `make_folds` with the same arguments. Among k ordinary folds
    an edge between two of them is never tested; here each is, once. Inner folds are ordinary
    ones: cut by the same rule from the regions outside both blocks.

    Parameters
    ----------
    coords_mm, hemisphere, split, n_inner_folds, n_inner_repeats, seed, groups, connectome,
    resolution, buffer_mm
        As in `make_folds`.
    n_folds
        Number of blocks, at least 3.

    Returns
    -------
    tuple of Fold
        One fold for each of the n_folds (n_folds - 1) / 2 pairs of blocks: `Fold.blocks` tells
        which block a test region is of, `Fold.scored_edges` which edges count.

    Raises
    ------
    UserError
        As `make_folds`.
    """
    check_numbers(n_folds=n_folds, n_inner_folds=n_inner_folds, seed=seed, least_folds=3)
    cutter = Cutter.checked(
        coords_mm,
        hemisphere,
        split=split,
        groups=groups,
        connectome=connectome,
        resolution=resolution,
        buffer_mm=buffer_mm,
    )
    everywhere = np.arange(len(coords_mm), dtype=np.int64)
    blocks = cutter.hold_out(everywhere, n_folds=n_folds, seed=seed, stage="outer")
    outer = tuple(
        _pair_fold(cutter, everywhere, blocks, pair) for pair in combinations(range(len(blocks)), 2)
    )
    return _with_inner_folds(cutter, outer, n_inner_folds, n_inner_repeats, seed)


def _with_inner_folds(
    cutter: Cutter, outer: tuple[Fold, ...], n_inner_folds: int, n_repeats: int, seed: int
) -> tuple[Fold, ...]:
    cutter.check_sizes(outer, stage="outer")
    return tuple(
        cutter.nest(
            fold, n_inner_folds=n_inner_folds, seed=seed, number=number, n_repeats=n_repeats
        )
        for number, fold in enumerate(outer)
    )


def _pair_fold(
    cutter: Cutter, everywhere: IntArray, blocks: Sequence[IntArray], pair: tuple[int, int]
) -> Fold:
    first, second = pair
    held_out = np.sort(np.concatenate([blocks[first], blocks[second]]))
    names = [cutter.name(blocks[number]) or f"block {number + 1}" for number in pair]
    of_first = np.isin(held_out, blocks[first])
    return replace(
        cutter.fold(everywhere, held_out),
        name=" x ".join(names),
        blocks=np.where(of_first, first, second).astype(np.int64),
    )
