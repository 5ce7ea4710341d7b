"""Splits over regions: folds and one file per rule."""

from gx2c.splits.cutting import SPLITTERS, make_folds
from gx2c.splits.fold import Fold
from gx2c.splits.homologues import match_homologues

__all__ = ["SPLITTERS", "Fold", "make_folds", "match_homologues"]
