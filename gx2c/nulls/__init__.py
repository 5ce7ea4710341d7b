"""Null models: spins of the cortex, surrogate brains, significance."""

from gx2c.nulls.significance import NullSummary, spin_p_value, summarise_nulls
from gx2c.nulls.spheres import check_handedness
from gx2c.nulls.spins import SPIN_METHODS, make_spins, random_rotation
from gx2c.nulls.surrogates import make_brain_spins, spin_expression

__all__ = [
    "SPIN_METHODS",
    "NullSummary",
    "check_handedness",
    "make_brain_spins",
    "make_spins",
    "random_rotation",
    "spin_expression",
    "spin_p_value",
    "summarise_nulls",
]
