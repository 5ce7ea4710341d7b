"""Splits over regions: folds, and the rules that make them."""

from gx2c.splits.fold import Fold, match_homologues
from gx2c.splits.folds import FOLD_SCORES, make_folds
from gx2c.splits.groups import find_communities
from gx2c.splits.table import SPLITTERS, Splitter

__all__ = [
    "FOLD_SCORES",
    "SPLITTERS",
    "Fold",
    "Splitter",
    "find_communities",
    "make_folds",
    "match_homologues",
]
