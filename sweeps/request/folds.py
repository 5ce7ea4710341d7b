"""The folds of a sweep, of all its seeds."""

import dataclasses
from collections.abc import Sequence

from gx2c.data import Brain
from gx2c.splits import Fold, make_folds
from sweeps.request.options import SweepOptions


def cut_folds(options: SweepOptions, brain: Brain, *, n_inner_repeats: int) -> tuple[Fold, ...]:
    """Return the outer folds of all seeds, those of the first seed first."""
    return tuple(
        fold
        for seed in options.all_seeds
        for fold in make_folds(
            brain,
            split=options.split,
            score=options.score,
            n_folds=options.folds,
            n_inner_folds=options.inner_folds,
            n_inner_repeats=n_inner_repeats,
            seed=seed,
            resolution=options.resolution,
            buffer_mm=options.buffer_mm,
        )
    )


def other_inner_folds(
    options: SweepOptions, brain: Brain, folds: Sequence[Fold]
) -> tuple[Fold, ...]:
    """Return the outer folds with other inner folds; rules that hold out groups know no others."""
    more = cut_folds(options, brain, n_inner_repeats=options.inner_repeats + 1)
    return tuple(
        dataclasses.replace(fold, inner=both.inner[len(fold.inner) :])
        for fold, both in zip(folds, more, strict=True)
    )
