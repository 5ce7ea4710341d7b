"""Which regions are held out, and which of their edges are scored."""

from __future__ import annotations

import math
from dataclasses import dataclass

from gx2c.splits import DETERMINISTIC_SPLITS, FOLD_SCORES, SPLITS_USING_TARGET, SPLITTERS
from sweeps.option_checks import Check, at_least, choice


@dataclass(frozen=True, kw_only=True)
class SplitOptions:
    """How folds are cut.

    Attributes
    ----------
    split
        A rule, one of `SPLITTERS`.
    folds, inner_folds
        Number of outer and inner folds; rules that hold out groups (networks, lobes,
        communities) make as many as there are groups.
    inner_repeats
        Sets of inner folds, each cut by a seed of its own; all rank configs together.
    buffer_mm
        Training regions nearer than this to a held-out region or to its mirror image are dropped.
    score
        "folds" for the edges within each held-out fold, "block-pairs" for those between two folds
        held out together.
    train_test_edges
        Whether edges between training and test regions are scored too, apart.
    resolution
        Of communities; above 1 for more of them.
    """

    split: str = "bilateral"
    folds: int = 4
    inner_folds: int = 4
    inner_repeats: int = 1
    buffer_mm: float = 0.0
    score: str = "folds"
    train_test_edges: bool = False
    resolution: float = 1.0

    @property
    def split_label(self) -> str:
        """What every output must say of the split; empty for an honest one."""
        return SPLITS_USING_TARGET.get(self.split, "")

    @property
    def deterministic_split(self) -> bool:
        """Whether every seed gives the same folds, so that folds are no random sample."""
        return self.split in DETERMINISTIC_SPLITS


def _check_extents(options: SplitOptions) -> str:
    if not math.isfinite(options.buffer_mm) or options.buffer_mm < 0:
        return f"buffer_mm is {options.buffer_mm}; give a width in mm of at least 0"
    if not math.isfinite(options.resolution) or options.resolution <= 0:
        return f"resolution is {options.resolution}; give a number above 0"
    return ""


SPLIT_CHECKS: tuple[Check, ...] = (
    choice("split", SPLITTERS),
    choice("score", FOLD_SCORES),
    at_least("folds", 2),
    at_least("inner_folds", 2),
    at_least("inner_repeats", 1),
    _check_extents,
)


def _check_block_pairs(options: SplitOptions) -> str:
    if options.score == "block-pairs" and options.folds < 3:
        return f"--score block-pairs holds out two folds of {options.folds}; give --folds 3 or more"
    return ""


SPLIT_RULES: tuple[Check, ...] = (_check_block_pairs,)
