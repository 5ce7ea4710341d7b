"""Outer folds with their inner folds, from a brain and the name of a rule."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from gx2c.data.brain import Brain, IntArray
from gx2c.data.checks import MIRRORED
from gx2c.data.two_brains import training_part
from gx2c.errors import UserError, look_up
from gx2c.splits.fold import (
    MIN_TEST_REGIONS,
    MIN_TRAIN_REGIONS,
    Fold,
    Sites,
    match_homologues,
    outside_buffer,
)
from gx2c.splits.table import SPLITTERS, Splitter
from gx2c.splits.transfer import transfer_folds

MAX_SEED = 2**32 - 1


def make_folds(
    brain: Brain,
    *,
    split: str = "bilateral",
    score: str = "folds",
    n_folds: int = 4,
    n_inner_folds: int = 3,
    n_inner_repeats: int = 1,
    seed: int,
    resolution: float = 1.0,
    buffer_mm: float = 0.0,
) -> tuple[Fold, ...]:
    """Cut a brain into outer folds, and the training regions of each into inner folds.

    Inner folds are cut by the same rule, with a seed derived from `seed` and the number of the
    outer fold, and use its training regions only: under `network` each inner fold holds out one of
    the remaining networks, communities are detected again among the training regions, and the
    buffer also surrounds validation regions. Homologues are matched once, on the whole brain: the
    pairing is part of the folds, not learned from them.

    A training region that shares tissue samples with a test region (`Brain.shared_samples`) is left
    out of that fold, and where samples were mirrored a split that parts homologues is refused.

    Where two brains are joined (`gx2c.data.two_brains`), the first is cut, and each fold tests
    regions of the second (`gx2c.splits.transfer`).

    Parameters
    ----------
    brain
        Provides coordinates, hemispheres, networks and lobes and, for communities, its holdout
        connectome (`community`), its structural connectome (`community-structural`) or the target
        itself (`community-target`).
    split
        A name in `SPLITTERS`.
    score
        A name in `FOLD_SCORES`. With "block-pairs", two blocks (the test sets of ordinary folds)
        are held out at a time and only the edges between them are scored. Ordinary folds never test
        an edge between two of them; here each such edge is tested once.
    n_folds, n_inner_folds
        Numbers of outer folds (for "block-pairs", of blocks, at least 3) and of inner folds in
        each, at least 2; unused by rules that hold out groups, which make one fold per group. A
        group of fewer than 3 regions is merged with the next smallest (`merge_small_groups`).
    n_inner_repeats
        Number of sets of inner folds in `Fold.inner`, each with its own seed.
    seed
        0 to 2**32 - 1; the same seed gives the same folds.
    resolution
        Resolution of the communities, see `find_communities`.
    buffer_mm
        Training regions closer than this to a test region, or to its mirror image, are dropped.

    Returns
    -------
    tuple of Fold
        Outer folds; every region is held out in exactly one. With "block-pairs", one fold per pair
        of blocks, whose scored edges `Fold.scored_edges` returns. Inner folds are in `Fold.inner`;
        their indices refer to the whole brain.

    Raises
    ------
    UserError
        If there is no such rule or score, the brain lacks data that the rule needs, a number is out
        of range, or a fold would have too few regions to train or to score.
    """
    splitter = look_up(SPLITTERS, split, "split named")
    make_outer = look_up(FOLD_SCORES, score, "score")
    _check_count("folds", n_folds, least=3 if score == "block-pairs" else 2)
    _check_count("inner folds", n_inner_folds, least=2)
    if not 0 <= seed <= MAX_SEED:
        raise UserError(f"seed {seed} is out of range; choose one from 0 to {MAX_SEED}")
    _check_extent("resolution", resolution, above=True)
    _check_extent("buffer_mm", buffer_mm, above=False)
    whole, brain = brain, training_part(brain)
    mirrored = MIRRORED in (brain.expression_from or ())
    sites = _sites(brain, splitter, split, resolution)
    cut = BrainSplitter(splitter, sites, buffer_mm, brain.shared_samples, mirrored)
    everywhere = np.arange(brain.n_regions, dtype=np.int64)
    parts = cut.hold_out(everywhere, n_folds=n_folds, seed=seed, stage="outer")
    outer = make_outer(cut, everywhere, parts)
    cut.check_sizes(outer, stage="outer")
    nested = tuple(
        cut.nest(
            fold, n_inner_folds=n_inner_folds, seed=seed, number=number, n_repeats=n_inner_repeats
        )
        for number, fold in enumerate(outer)
    )
    return nested if whole.tested is None else transfer_folds(whole, nested, buffer_mm=buffer_mm)


@dataclass(frozen=True)
class BrainSplitter:
    """A rule applied to one brain, which cuts any of its regions into folds."""

    splitter: Splitter  # The rule
    sites: Sites  # All regions of the brain, with the properties that the rule needs
    # Width of the buffer around test regions without training regions, mm; 0 for none
    buffer_mm: float = 0.0
    # (n_regions, n_regions), where regions share tissue samples, or None
    shared_samples: NDArray[np.uint8] | None = None
    mirrored: bool = False  # Whether samples were mirrored, so that homologues must stay together

    def hold_out(self, regions: IntArray, *, n_folds: int, seed: int, stage: str) -> list[IntArray]:
        """Cut regions into the parts to be held out; the rule sees no other regions."""
        visible = self.sites.take(regions)
        n_units = len(np.unique(visible.units))
        if self.splitter.numbered and n_units < n_folds:
            raise UserError(
                f"{len(visible)} regions ({n_units} units) cannot be cut into {n_folds} {stage}"
                " folds; ask for fewer folds or use a finer parcellation"
            )
        return [regions[part] for part in self.splitter.hold_out(visible, n_folds, seed)]

    def fold(self, regions: IntArray, test_regions: IntArray) -> Fold:
        """Hold some regions out and train on the others in `regions`, except in the buffer.

        Neither are regions trained on whose expression comes in part from the tissue samples of a
        test region, or the other way round: the test would reach into training.
        """
        train = np.setdiff1d(regions, test_regions)
        units = self.sites.units
        if self.mirrored and np.isin(units[train], units[test_regions]).any():
            raise UserError(
                "the expression of homologues comes from the same mirrored samples (lr_mirror), "
                "and this split parts homologues; choose --split bilateral or bilateral-random, or "
                "make the expression without lr_mirror"
            )
        coords_mm = self.sites.coords_mm
        train = outside_buffer(train, test_regions, coords_mm, buffer_mm=self.buffer_mm)
        if self.shared_samples is not None:
            train = train[~self.shared_samples[np.ix_(train, test_regions)].any(axis=1)]
        return Fold(train, test_regions, name=self.name(test_regions))

    def name(self, regions: IntArray) -> str:
        """Return the names of the groups of some regions; empty if the rule has no names."""
        groups = self.sites.groups
        return "" if groups is None else " + ".join(dict.fromkeys(groups[i] for i in regions))

    def nest(
        self, fold: Fold, *, n_inner_folds: int, seed: int, number: int, n_repeats: int = 1
    ) -> Fold:
        """Cut an outer fold's training regions into inner folds by the same rule.

        Each repeat has a seed derived from `seed`, the number of the outer fold and its own number;
        the result contains the inner folds of all repeats.
        """
        regions = fold.train_regions
        # the first repeat has the seed of an unrepeated split
        keys = [(number,), *((number, repeat) for repeat in range(1, n_repeats))]
        seeds = [np.random.SeedSequence(seed, spawn_key=k).generate_state(1)[0] for k in keys]
        inner = tuple(
            self.fold(regions, part)
            for one in seeds
            for part in self.hold_out(regions, n_folds=n_inner_folds, seed=int(one), stage="inner")
        )
        self.check_sizes(inner, stage="inner")
        return replace(fold, inner=inner, seed=seed, number=number)

    def check_sizes(self, folds: Sequence[Fold], *, stage: str) -> None:
        """Refuse folds that leave too few regions to train or to score."""
        n_train = min(len(fold.train_regions) for fold in folds)
        n_test = min(len(fold.test_regions) for fold in folds)
        if n_train < MIN_TRAIN_REGIONS or n_test < MIN_TEST_REGIONS:
            belt = f" with a buffer of {self.buffer_mm:g} mm" if self.buffer_mm else ""
            narrower = "a narrower buffer, " if self.buffer_mm else ""
            if self.shared_samples is not None and self.shared_samples.any():
                belt += ", without training regions that share tissue samples with test regions,"
                narrower += "expression made without missing and lr_mirror, "
            raise UserError(
                f"{len(folds)} {stage} folds{belt} leave as few as {n_train} training and {n_test}"
                f" held-out regions; at least {MIN_TRAIN_REGIONS} and {MIN_TEST_REGIONS} are"
                f" needed: ask for {narrower}fewer folds or use a finer parcellation"
            )


def _pair_folds(
    cut: BrainSplitter, everywhere: IntArray, blocks: Sequence[IntArray]
) -> tuple[Fold, ...]:
    names = [cut.name(block) or f"block {number}" for number, block in enumerate(blocks, start=1)]
    folds = []
    for first, second in combinations(range(len(blocks)), 2):
        held_out = np.sort(np.concatenate([blocks[first], blocks[second]]))
        of_first = np.isin(held_out, blocks[first])
        folds.append(
            replace(
                cut.fold(everywhere, held_out),
                name=f"{names[first]} x {names[second]}",
                blocks=np.where(of_first, first, second).astype(np.int64),
            )
        )
    return tuple(folds)


# Scored edges: between two parts held out together, or within each held-out part
FOLD_SCORES: dict[str, Callable[..., tuple[Fold, ...]]] = {
    "block-pairs": _pair_folds,
    "folds": lambda cut, everywhere, parts: tuple(cut.fold(everywhere, p) for p in parts),
}


def _sites(brain: Brain, splitter: Splitter, split: str, resolution: float) -> Sites:
    groups = splitter.groups and splitter.groups(brain)
    connectome = splitter.connectome and splitter.connectome(brain)
    if not splitter.numbered and groups is None and connectome is None:
        raise UserError(
            f"the split {split!r} needs {splitter.needs}, which {brain.name} lacks; add it or"
            " choose another split"
        )
    units = match_homologues(brain.coords_mm, brain.hemisphere)
    return Sites(brain.coords_mm, units, groups, connectome, resolution)


def _check_count(word: str, count: int, *, least: int) -> None:
    if count < least:
        raise UserError(f"{count} {word} requested; a split needs at least {least}")


def _check_extent(name: str, value: float, *, above: bool) -> None:
    if not np.isfinite(value) or value < 0 or (above and value == 0):
        raise UserError(f"{name} is {value}; give a number {'above' if above else 'of at least'} 0")
