"""Splits over regions: folds and one file per rule."""

from gx2c.splits.community import find_communities
from gx2c.splits.cutting import block_pair_folds, make_folds
from gx2c.splits.fold import Fold
from gx2c.splits.homologues import match_homologues
from gx2c.splits.of_brain import FOLD_SCORES, make_brain_folds
from gx2c.splits.rules import (
    COMMUNITY_SPLITS,
    DETERMINISTIC_SPLITS,
    GROUP_SPLITS,
    SPLITS_USING_TARGET,
    SPLITTERS,
)

__all__ = [
    "COMMUNITY_SPLITS",
    "DETERMINISTIC_SPLITS",
    "FOLD_SCORES",
    "GROUP_SPLITS",
    "SPLITS_USING_TARGET",
    "SPLITTERS",
    "Fold",
    "block_pair_folds",
    "find_communities",
    "make_brain_folds",
    "make_folds",
    "match_homologues",
]
