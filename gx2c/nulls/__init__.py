"""Null models: spins of the cortex, surrogate brains and maps, significance."""

from gx2c.nulls.brains import (
    MOVES,
    check_nulls,
    move,
    spin_expression,
    surrogate_brains,
    surrogate_rows,
)
from gx2c.nulls.quality import SurrogateQuality, share_staying, surrogate_quality
from gx2c.nulls.significance import (
    NullSummary,
    SequentialP,
    fdr_p_values,
    holm_p_values,
    max_t_p_values,
    sequential_p_value,
    spin_p_value,
    summarise_nulls,
)
from gx2c.nulls.spatiomolecular import SpinRanking, rank_spins, select_spins
from gx2c.nulls.spheres import SPIN_METHODS, check_handedness
from gx2c.nulls.spins import make_spins, read_spins, spin_distortion, spin_rotations
from gx2c.nulls.surrogate import Surrogate, make_brain_spins, moving_rows
from gx2c.nulls.table import DEFAULT_SURROGATE, SURROGATES, SurrogateSpec, caution, make_surrogate
from gx2c.nulls.vertex_spins import baum_spins

__all__ = [
    "DEFAULT_SURROGATE",
    "MOVES",
    "SPIN_METHODS",
    "SURROGATES",
    "NullSummary",
    "SequentialP",
    "SpinRanking",
    "Surrogate",
    "SurrogateSpec",
    "SurrogateQuality",
    "baum_spins",
    "caution",
    "check_handedness",
    "check_nulls",
    "fdr_p_values",
    "holm_p_values",
    "make_brain_spins",
    "make_spins",
    "make_surrogate",
    "max_t_p_values",
    "move",
    "moving_rows",
    "rank_spins",
    "read_spins",
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
