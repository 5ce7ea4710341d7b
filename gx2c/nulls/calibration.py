"""How often each null gives p <= .05 for genes unrelated to the connectome, as measured."""

from __future__ import annotations

from collections.abc import Mapping

# Largest false-positive rate over the cells of the whole-pipeline simulation (docs/nulls.md):
# (surrogate, whether the statistic is the gain over geography) -> rate
WORST_RATE: Mapping[tuple[str, bool], float] = {
    ("hungarian", True): 0.13,
    ("hungarian", False): 0.27,
}
ALLOWED_RATE = 0.10


def caution(method: str, *, nested: bool) -> str:
    """Return what must stand beside every p-value of a surrogate; empty if it is trustworthy.

    Parameters
    ----------
    method
        In `SURROGATES`.
    nested
        Whether the statistic is the gain over geography, of a model that contains geography.
    """
    rate = WORST_RATE.get((method, nested))
    if rate is None:
        return f"the false-positive rate of {method} nulls has not been measured for this statistic"
    if rate > ALLOWED_RATE:
        return (
            f"too liberal: {rate:.0%} of unrelated genes gave p <= .05 in the worst simulation"
            " (docs/nulls.md)"
        )
    return ""
