"""How often each null gives p <= .05 for genes unrelated to the connectome, as measured."""

from __future__ import annotations

from collections.abc import Mapping

from gx2c.nulls.spatiomolecular import STATEMENT

# Largest share of p <= .05 over the four cells of the whole-pipeline simulation, 40 synthetic
# brains each, with fixed configs (docs/null_calibration.tsv) and, for four of the surrogates, with
# a ridge searched in each brain (docs/null_calibration_searched.tsv):
# (surrogate, whether the statistic is the gain over geography) -> share
WORST_RATE: Mapping[tuple[str, bool], float] = {
    ("residual_spin", True): 0.0,
    ("residual_spin", False): 1 / 40,
    ("random_field", True): 3 / 40,
    ("random_field", False): 6 / 40,
    ("alexander_bloch", True): 2 / 40,
    ("alexander_bloch", False): 8 / 40,
    ("hungarian", True): 4 / 40,
    ("hungarian", False): 5 / 40,
    ("moran", True): 4 / 40,
    ("moran", False): 5 / 40,
    ("variogram", True): 4 / 40,
    ("variogram", False): 5 / 40,
    ("vasa", True): 4 / 40,
    ("vasa", False): 5 / 40,
    ("random", True): 8 / 40,
    ("random", False): 8 / 40,
}
# The surrogate whose gain over geography had the lowest worst rate
DEFAULT_SURROGATE = "residual_spin"
ALLOWED_RATE = 0.10
# Chosen among many: p-values against them describe, whatever their rate
DESCRIPTIVE = ("spatiomolecular",)


def caution(method: str, *, nested: bool) -> str:
    """Return what must stand beside every p-value of a surrogate; empty if it is trustworthy.

    Parameters
    ----------
    method
        In `SURROGATES`.
    nested
        Whether the statistic is the gain over geography, of a model that contains geography.
    """
    if method in DESCRIPTIVE:
        return STATEMENT
    rate = WORST_RATE.get((method, nested))
    if rate is None:
        return f"the false-positive rate of {method} nulls has not been measured for this statistic"
    if rate > ALLOWED_RATE:
        return (
            f"may be too liberal: {rate:.0%} of unrelated genes gave p <= .05 in the worst"
            " simulation (docs/nulls.md)"
        )
    return ""
