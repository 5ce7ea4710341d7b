"""Null models: spins of the cortex, surrogate brains and maps, significance."""

from gx2c.nulls.brains import check_nulls, surrogate_brains, surrogate_rows
from gx2c.nulls.calibration import DEFAULT_SURROGATE, DESCRIPTIVE, caution
from gx2c.nulls.false_positives import FalsePositiveRate, false_positive_table
from gx2c.nulls.many_tests import (
    SequentialP,
    fdr_p_values,
    max_t_p_values,
    sequential_p_value,
)
from gx2c.nulls.moves import MOVES, move, replace_expression
from gx2c.nulls.protocol import IndexSurrogate, MapSurrogate, Surrogate
from gx2c.nulls.quality import SurrogateQuality, share_staying, surrogate_quality
from gx2c.nulls.reassign import SPIN_METHODS
from gx2c.nulls.significance import NullSummary, spin_p_value, summarise_nulls
from gx2c.nulls.spatiomolecular import SelectedSpins, SpinRanking, rank_spins, select_spins
from gx2c.nulls.spheres import check_handedness
from gx2c.nulls.spin_cache import cached_spins
from gx2c.nulls.spins import make_spins, random_rotation, spin_distortion, spin_rotations
from gx2c.nulls.surrogates import make_brain_spins, spin_expression
from gx2c.nulls.table import SURROGATES, make_surrogate
from gx2c.nulls.vertex_spins import baum_spins

__all__ = [
    "DEFAULT_SURROGATE",
    "DESCRIPTIVE",
    "MOVES",
    "SPIN_METHODS",
    "SURROGATES",
    "FalsePositiveRate",
    "IndexSurrogate",
    "MapSurrogate",
    "NullSummary",
    "SelectedSpins",
    "SequentialP",
    "SpinRanking",
    "Surrogate",
    "SurrogateQuality",
    "baum_spins",
    "cached_spins",
    "caution",
    "check_handedness",
    "check_nulls",
    "false_positive_table",
    "fdr_p_values",
    "make_brain_spins",
    "make_spins",
    "make_surrogate",
    "max_t_p_values",
    "move",
    "random_rotation",
    "rank_spins",
    "replace_expression",
    "select_spins",
    "sequential_p_value",
    "share_staying",
    "spin_distortion",
    "spin_expression",
    "spin_p_value",
    "spin_rotations",
    "summarise_nulls",
    "surrogate_brains",
    "surrogate_quality",
    "surrogate_rows",
]
