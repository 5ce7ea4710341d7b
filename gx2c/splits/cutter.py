"""One rule on one brain, its arguments checked: cuts any regions into folds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from gx2c.data.brain import FloatArray, IntArray
from gx2c.errors import UserError
from gx2c.splits.buffer import outside_buffer
from gx2c.splits.fold import MIN_TEST_REGIONS, MIN_TRAIN_REGIONS, Fold
from gx2c.splits.homologues import match_homologues
from gx2c.splits.rules import COMMUNITY_SPLITS, GROUP_SPLITS, find_splitter
from gx2c.splits.sites import Sites

MAX_SEED = 2**32 - 1


@dataclass(frozen=True)
class Cutter:
    """A splitting rule and the brain's regions that it cuts.

    Attributes
    ----------
    split
        A name in `SPLITTERS`.
    sites
        All regions of the brain, with what the rule needs to know of them.
    buffer_mm
        Width of the belt round test regions in which nothing trains, mm; 0 for none.
    """

    split: str
    sites: Sites
    buffer_mm: float = 0.0

    @classmethod
    def checked(
        cls,
        coords_mm: FloatArray,
        hemisphere: IntArray,
        *,
        split: str,
        groups: Sequence[str] | None = None,
        connectome: FloatArray | None = None,
        resolution: float = 1.0,
        buffer_mm: float = 0.0,
    ) -> Cutter:
        """Check what `make_folds` was given and match homologues; a rule sees what it needs."""
        find_splitter(split)
        _check_regions(coords_mm, hemisphere)
        _check_extent("resolution", resolution, above=True)
        _check_extent("buffer_mm", buffer_mm, above=False)
        sites = Sites(coords_mm, match_homologues(coords_mm, hemisphere), resolution=resolution)
        if split in GROUP_SPLITS:
            sites = replace(sites, groups=_checked_groups(groups, split, len(sites)))
        if split in COMMUNITY_SPLITS:
            sites = replace(sites, connectome=_checked_connectome(connectome, split, len(sites)))
        return cls(split, sites, buffer_mm)

    def hold_out(self, regions: IntArray, *, n_folds: int, seed: int, stage: str) -> list[IntArray]:
        """Cut regions into the parts to be held out; nothing outside them is shown to the rule."""
        visible = self.sites.take(regions)
        n_units = len(np.unique(visible.units))
        if self.split not in GROUP_SPLITS | COMMUNITY_SPLITS and n_units < n_folds:
            raise UserError(
                f"{len(visible)} regions ({n_units} units) cannot be cut into {n_folds} {stage}"
                " folds; ask for fewer folds or use a finer parcellation"
            )
        return [regions[p] for p in find_splitter(self.split)(visible, n_folds, seed)]

    def fold(self, regions: IntArray, test_regions: IntArray) -> Fold:
        """Hold some regions out and train on the others of `regions`, without the belt."""
        train = np.setdiff1d(regions, test_regions)
        coords_mm = self.sites.coords_mm
        return Fold(
            outside_buffer(train, test_regions, coords_mm, buffer_mm=self.buffer_mm),
            test_regions,
            name=self.name(test_regions),
        )

    def name(self, regions: IntArray) -> str:
        """Name the groups that some regions form; empty where the rule knows of no names."""
        groups = self.sites.groups
        return "" if groups is None else " + ".join(dict.fromkeys(groups[i] for i in regions))

    def nest(
        self, fold: Fold, *, n_inner_folds: int, seed: int, number: int, n_repeats: int = 1
    ) -> Fold:
        """Cut an outer fold's training regions into inner folds by the same rule.

        Each repeat has a seed made from `seed`, the outer fold's number and its own; the inner
        folds of all stand side by side.
        """
        regions = fold.train_regions
        # the first has the seed that it has alone
        keys = [(number,), *((number, repeat) for repeat in range(1, n_repeats))]
        seeds = [np.random.SeedSequence(seed, spawn_key=k).generate_state(1)[0] for k in keys]
        inner = tuple(
            self.fold(regions, part)
            for one in seeds
            for part in self.hold_out(regions, n_folds=n_inner_folds, seed=int(one), stage="inner")
        )
        self.check_sizes(inner, stage="inner")
        return replace(fold, inner=inner)

    def check_sizes(self, folds: Sequence[Fold], *, stage: str) -> None:
        """Refuse folds that leave too few regions to train or to score."""
        n_train = min(len(fold.train_regions) for fold in folds)
        n_test = min(len(fold.test_regions) for fold in folds)
        if n_train < MIN_TRAIN_REGIONS or n_test < MIN_TEST_REGIONS:
            belt = f" with a buffer of {self.buffer_mm:g} mm" if self.buffer_mm else ""
            narrower = "a narrower buffer, " if self.buffer_mm else ""
            raise UserError(
                f"{len(folds)} {stage} folds{belt} leave as few as {n_train} regions to train and"
                f" {n_test} held out; at least {MIN_TRAIN_REGIONS} and {MIN_TEST_REGIONS} are"
                f" needed: ask for {narrower}fewer folds or use a finer parcellation"
            )


def check_numbers(*, n_folds: int, n_inner_folds: int, seed: int, least_folds: int = 2) -> None:
    """Refuse numbers of folds and seeds that are out of range."""
    for word, count, least in (("folds", n_folds, least_folds), ("inner folds", n_inner_folds, 2)):
        if count < least:
            raise UserError(f"{count} {word} asked for; a split needs at least {least}")
    if not 0 <= seed <= MAX_SEED:
        raise UserError(f"seed {seed} is out of range; choose one from 0 to {MAX_SEED}")


def _check_regions(coords_mm: FloatArray, hemisphere: IntArray) -> None:
    if coords_mm.shape != (len(hemisphere), 3):
        raise UserError(
            f"coordinates have shape {coords_mm.shape}; {len(hemisphere)} regions with a"
            f" hemisphere need ({len(hemisphere)}, 3)"
        )
    if not np.isfinite(coords_mm).all():
        n_missing = np.count_nonzero(~np.isfinite(coords_mm).all(axis=1))
        raise UserError(f"{n_missing} regions have no finite coordinates; leave them out")
    if not np.isin(hemisphere, (0, 1)).all():
        raise UserError("hemisphere holds values other than 0 (left) and 1 (right); recode it")


def _check_extent(name: str, value: float, *, above: bool) -> None:
    if not np.isfinite(value) or value < 0 or (above and value == 0):
        raise UserError(f"{name} is {value}; give a number {'above' if above else 'of at least'} 0")


def _checked_groups(groups: Sequence[str] | None, split: str, n_regions: int) -> tuple[str, ...]:
    if groups is None:
        raise UserError(
            f"the split {split!r} needs the {split} of every region and got none; add a column"
            f" {split!r} to the dataset's regions.tsv or choose another split"
        )
    if len(groups) != n_regions:
        raise UserError(
            f"{len(groups)} names of groups came for {n_regions} regions; give one each"
        )
    return tuple(groups)


def _checked_connectome(connectome: FloatArray | None, split: str, n_regions: int) -> FloatArray:
    if connectome is None:
        raise UserError(
            f"the split {split!r} needs a connectome to find communities in and got none; give"
            " one or choose another split"
        )
    if connectome.shape != (n_regions, n_regions):
        raise UserError(
            f"the connectome for communities has shape {connectome.shape}; {n_regions} regions"
            f" need ({n_regions}, {n_regions})"
        )
    if not np.isfinite(connectome[~np.eye(n_regions, dtype=bool)]).all():
        raise UserError("the connectome for communities has missing values; fill them")
    return connectome
