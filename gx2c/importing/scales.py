"""Which scale a matrix is in, and how it becomes the one that gx2c uses."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from gx2c.data.brain import FloatArray
from gx2c.data.checks import MAX_ASYMMETRY, MAX_FISHER_Z, MAX_LOG
from gx2c.errors import UserError

R, Z, PERCENT, COUNTS, LOG = SCALES = ("r", "z", "percent", "counts", "log")
TOLERANCE = 1e-6
# So many exact zeros, and none below, are no accident
MIN_SHARE_CLIPPED = 1e-3


@dataclass(frozen=True)
class Scaled:
    """A matrix in gx2c's scale."""

    # (n_regions, n_regions): r within [-1, 1], or structural weights within [0, 1]
    values: FloatArray
    scale: str  # The scale that it came in, one of `SCALES`
    notes: tuple[str, ...]  # One sentence per thing understood or changed


def to_correlations(values: FloatArray, name: str, *, scale: str = "") -> Scaled:
    """Turn functional connectivity into Pearson r.

    Parameters
    ----------
    values
        (n_regions, n_regions); NaN stays; the diagonal is not looked at.
    name
        The file.
    scale
        One of `SCALES` if the user gave it; recognised if empty.

    Raises
    ------
    UserError
        If the scale cannot be recognised, or is not one of connectivity.
    """
    off = off_diagonal(values)
    given, scale = scale, scale or _functional_scale(off, name)
    if scale not in (R, Z, PERCENT):
        raise UserError(
            f"{name} is functional connectivity, and --scale {scale} is none of it; give r, z or "
            "percent, or the matrix as --structural"
        )
    convert: Mapping[str, tuple[Callable[[FloatArray], FloatArray], str]] = {
        R: (lambda matrix: matrix, "Pearson r"),
        Z: (np.tanh, "Fisher z, turned into Pearson r by tanh"),
        PERCENT: (lambda matrix: matrix / 100.0, "percent, divided by 100"),
    }
    change, said = convert[scale]
    converted = change(values)
    if (largest := np.abs(off_diagonal(converted)).max()) > 1 + TOLERANCE:
        raise UserError(
            f"{name} has values up to {largest:.4g} as {scale}; Pearson r stays within 1: give "
            "another --scale"
        )
    came = f"values from {off.min():.4g} to {off.max():.4g}"
    notes = [f"{name}: {came}, {'taken' if given else 'recognised'} as {said}"]
    if off.min() == 0 and (share := np.mean(off == 0)) > MIN_SHARE_CLIPPED:
        notes.append(
            f"{name}: no value is negative and {share:.1%} are 0, so negative connectivity was set "
            "to 0 before; predictions of these pairs can only be too low"
        )
    return Scaled(np.clip(converted, -1.0, 1.0), scale, tuple(notes))


def to_weights(values: FloatArray, name: str, *, scale: str = "") -> Scaled:
    """Turn structural connectivity into weights within [0, 1].

    Parameters
    ----------
    values, name, scale
        As in `to_correlations`.

    Raises
    ------
    UserError
        If nothing is connected.
    """
    off = off_diagonal(values)
    scale = scale or _structural_scale(off)
    notes = []
    if off.min() < 0:
        notes.append(f"{name}: {np.mean(off < 0):.1%} of values are negative and become 0")
    positive = np.clip(values, 0.0, None)
    logged = np.log1p(positive) if scale == COUNTS else positive
    largest = off_diagonal(logged).max()
    if not largest > 0:
        raise UserError(f"{name} has no value above 0; leave it out")
    said = {
        COUNTS: "counts; weights are log(1 + count) divided by the largest",
        LOG: "logarithms, so that no further one is taken; weights are divided by the largest",
    }.get(scale, "weights, divided by the largest")
    whole = largest if scale in (COUNTS, LOG) or largest > 1 else 1.0
    if whole == 1.0:
        said = "weights within [0, 1], kept"
    notes.insert(0, f"{name}: values from {off.min():.4g} to {off.max():.4g}, taken as {said}")
    return Scaled(logged / whole, scale, tuple(notes))


def symmetric(values: FloatArray, name: str) -> tuple[FloatArray, tuple[str, ...]]:
    """Mend a matrix whose halves differ by rounding or of which one half is empty.

    Raises
    ------
    UserError
        If the halves differ otherwise.
    """
    upper, lower = np.triu(values, 1), np.tril(values, -1)
    for half, other, said in ((upper, lower, "lower"), (lower, upper, "upper")):
        if not np.nan_to_num(other).any() and np.nan_to_num(half).any():
            whole = half + half.T
            np.fill_diagonal(whole, np.diagonal(values))
            return whole, (f"{name}: the {said} half is empty; the other half is mirrored",)
    # a value that one half lacks is taken from the other
    filled = np.where(np.isnan(values), values.T, values)
    difference = np.abs(filled - filled.T)
    worst = float(np.nanmax(difference, initial=0.0))
    size = max(1.0, float(np.nanmax(np.abs(off_diagonal(filled)), initial=0.0)))
    if worst > MAX_ASYMMETRY * size:
        row, column = np.unravel_index(np.nanargmax(difference), difference.shape)
        raise UserError(
            f"{name} is not symmetric: {filled[row, column]:.4g} and {filled[column, row]:.4g} in "
            f"row {row + 1}, column {column + 1} and the reverse; give an undirected connectome "
            "whose rows and columns have one order"
        )
    notes = []
    if worst > 1e-9:
        notes.append(f"{name}: halves differ by up to {worst:.1g} and are averaged")
    if n_filled := int((np.isnan(values) & np.isfinite(filled)).sum()):
        notes.append(f"{name}: {n_filled} values that one half lacks are taken from the other")
    mean: FloatArray = (filled + filled.T) / 2
    return mean, tuple(notes)


def off_diagonal(matrix: FloatArray) -> FloatArray:
    """Return the finite values off the diagonal; a single 0 if there are none."""
    values = matrix[~np.eye(len(matrix), dtype=bool)]
    values = values[np.isfinite(values)]
    return values if len(values) else np.zeros(1)


def _functional_scale(off: FloatArray, name: str) -> str:
    largest = float(np.abs(off).max())
    if largest <= 1 + TOLERANCE:
        return R
    if largest <= MAX_FISHER_Z:
        return Z
    if largest <= 100 + TOLERANCE and not _are_whole(off):
        return PERCENT
    raise UserError(
        f"{name} has values from {off.min():.4g} to {off.max():.4g}, which are neither Pearson r, "
        "Fisher z nor percent; if they count streamlines or measure structure give the file as "
        "--structural, else convert them to Pearson r"
    )


def _structural_scale(off: FloatArray) -> str:
    largest = float(off.max())
    if largest <= 1 + TOLERANCE:
        return R
    if _are_whole(off) or largest > MAX_LOG:
        return COUNTS
    return LOG


def _are_whole(off: FloatArray) -> bool:
    return bool((off == np.round(off)).all())
