"""Choose the matrices that become connectomes, and name their rows."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gx2c.data.brain import FloatArray
from gx2c.data.checks import shown
from gx2c.errors import UserError
from gx2c.importing.gather import (
    DISTANCE,
    FUNCTIONAL,
    HOLDOUT,
    STRUCTURAL,
    Found,
    hint_of,
    subject_of,
)
from gx2c.importing.labels import Names, match_names
from gx2c.importing.naming import Namer, cells_of, n_placed
from gx2c.importing.people import People, people_of_matrices, people_of_stack
from gx2c.importing.scales import off_diagonal, symmetric
from gx2c.importing.sheets import Sheet

# So many files are listed with the reason why they were not taken
MAX_REASONS = 2
# The words for a role, and the option that names its file
WORDS = {role: f"{role} connectome" for role in (FUNCTIONAL, HOLDOUT, STRUCTURAL)} | {
    DISTANCE: "distances"
}
OPTIONS = {FUNCTIONAL: "connectome", DISTANCE: "distances"}


@dataclass(frozen=True)
class NamedMatrix:
    """A square matrix with the regions of its rows."""

    name: str  # The file
    names: Names  # Its regions
    values: FloatArray  # (n_regions, n_regions), symmetric, in its own scale
    people: People | None = None  # The single people's connectomes that it is the mean of, or None


def choose_connectome(found: Found, namer: Namer) -> NamedMatrix:
    """Choose the functional connectome: the matrix whose regions are best placed.

    Raises
    ------
    UserError
        If there is none, nothing names its rows, or several are equally good.
    """
    given = found.given.get(FUNCTIONAL, [])
    candidates = given or [sheet for sheet in found.matrices if role_of(sheet) == FUNCTIONAL]
    stacks = [sheet for sheet in candidates if not sheet.is_square] or found.stacks
    candidates = [sheet for sheet in candidates if sheet.is_square]
    group = [sheet for sheet in candidates if not subject_of(sheet)]
    single = [sheet for sheet in candidates if subject_of(sheet)]
    if not group and len(single) > 1:
        return _mean_of_people(single, namer)
    if not group and stacks:
        return _mean_of_stack(stacks[0], namer)
    group = group or single
    if not group:
        raise UserError(_no_connectome(found))
    named = [(sheet, names) for sheet in group if (names := namer.of_sheet(sheet)) is not None]
    if not named:
        raise UserError(
            f"nothing names the rows of {shown([sheet.name for sheet in group])}"
            f"{_listed('; of other lengths are ', _lengths(group[0], namer))}; give --labels FILE, "
            "or --by-position if they are in the order of the table of regions"
        )
    scores = [(n_placed(names, namer.tables), -len(names)) for _, names in named]
    best = [pair for pair, score in zip(named, scores, strict=True) if score == max(scores)]
    if len(best) > 1:
        raise UserError(
            f"{shown([f'{s.name} ({len(n)} regions)' for s, n in best])} could each be the "
            "connectome; choose one with --connectome FILE"
        )
    sheet, names = best[0]
    for other, labels in named:
        if other is not sheet:
            namer.notes.append(
                f"{other.name} ({len(labels)} regions) is not used: {sheet.name} has "
                f"{max(scores)[0]} regions with coordinates and fewer without"
            )
    return _named(sheet, names, namer)


def choose_other(found: Found, namer: Namer, base: Names, role: str) -> NamedMatrix | None:
    """Choose a matrix of another role that names the regions of the connectome, or None.

    Raises
    ------
    UserError
        If several are equally good.
    """
    given = found.given.get(role, [])
    fitting: list[tuple[int, Sheet, Names]] = []
    for sheet in given or [sheet for sheet in found.matrices if role_of(sheet) == role]:
        try:
            names = namer.of_sheet(sheet)
            n_found = 0 if names is None else match_names(base, names).n_found
            if names is None or n_found < len(base) / 2:
                raise UserError(f"it names {n_found} of the {len(base)} regions of the connectome")
            fitting.append((n_found, sheet, names))
        except UserError as error:
            if given:
                raise UserError(
                    f"{sheet.name} cannot be the {WORDS.get(role, role)}: {error}"
                ) from None
            namer.notes.append(f"{sheet.name} is not used: {error}")
    best = [one for one in fitting if one[0] == max(fitting, key=lambda f: f[0])[0]]
    smallest = [one for one in best if len(one[2]) == min(len(b[2]) for b in best)]
    if len(smallest) > 1:
        raise UserError(
            f"{shown([sheet.name for _, sheet, _ in smallest])} could each be the "
            f"{WORDS.get(role, role)}; choose one with --{OPTIONS.get(role, role)} FILE"
        )
    return _named(smallest[0][1], smallest[0][2], namer) if smallest else None


def role_of(sheet: Sheet) -> str:
    """Return the role of a square matrix by its name, else by its values."""
    hint = hint_of(sheet)
    if hint:
        return hint
    assert sheet.values is not None
    off = off_diagonal(sheet.values)
    if off.min() >= 0 and off.max() > 1 and (off == np.round(off)).all():
        return STRUCTURAL
    zero = not np.nan_to_num(np.diagonal(sheet.values)).any()
    if off.min() > 0 and off.max() > 20 and zero:
        return DISTANCE
    return FUNCTIONAL


def _named(sheet: Sheet, names: Names, namer: Namer) -> NamedMatrix:
    assert sheet.values is not None
    values = sheet.values
    if sheet.rows is not None and sheet.columns is not None and sheet.rows != sheet.columns:
        apart = sorted(set(sheet.rows) ^ set(sheet.columns))
        if apart and len(apart) < len(sheet.rows):
            raise UserError(
                f"{sheet.name}: rows and columns name other regions, {shown(apart)} on one side "
                "only; name both alike"
            )
        place = {label: i for i, label in enumerate(sheet.columns)}
        if set(place) == set(sheet.rows):
            values = values[:, [place[label] for label in sheet.rows]]
            namer.notes.append(f"{sheet.name}: columns are put into the order of rows, by name")
    values, notes = symmetric(np.where(np.isinf(values), np.nan, values), sheet.name)
    namer.notes += notes
    return NamedMatrix(sheet.name, names, values)


def reordered(values: FloatArray, places: Sequence[int | None]) -> FloatArray:
    """Put rows and columns into another order; NaN where a region is missing."""
    rows = np.array([-1 if place is None else place for place in places])
    taken: FloatArray = values[np.ix_(rows, rows)]
    taken[rows < 0, :] = taken[:, rows < 0] = np.nan
    return taken


def has_others(matrix: FloatArray) -> NDArray[np.bool_]:
    """Return which regions have a value with any other region, (n_regions,)."""
    others = np.isfinite(matrix)
    np.fill_diagonal(others, False)
    return np.asarray(others.any(axis=1))


def _mean_of_people(sheets: Sequence[Sheet], namer: Namer) -> NamedMatrix:
    first = sheets[0]
    names = namer.of_sheet(first)
    alike = [s for s in sheets if s.shape == first.shape and s.rows == first.rows]
    if names is None or len(alike) < len(sheets):
        raise UserError(
            f"the connectomes of {len(sheets)} people, such as {first.name}, name different or no "
            "regions; give files of one parcellation with labels"
        )
    matrices = [symmetric(s.values, s.name)[0] for s in alike if s.values is not None]
    people = people_of_matrices(matrices, f"{len(alike)} files such as {first.name}")
    namer.notes += [*people.notes, "the connectome is their mean in Fisher z"]
    return NamedMatrix(f"the mean of {len(alike)} people", names, people.mean(), people)


def _mean_of_stack(stack: Sheet, namer: Namer) -> NamedMatrix:
    assert stack.array is not None
    people = people_of_stack(stack.array, stack.name)
    square = Sheet(stack.path, part=stack.part, array=people.mean())
    names = namer.of_sheet(square)
    if names is None:
        raise UserError(f"nothing names the regions of {stack.name}; give --labels FILE")
    namer.notes += [*people.notes, f"{stack.name}: the connectome is their mean in Fisher z"]
    return NamedMatrix(stack.name, names, people.mean(), people)


def _listed(words: str, parts: Sequence[str]) -> str:
    return words + ", ".join(parts) if parts else ""


def _lengths(sheet: Sheet, namer: Namer) -> list[str]:
    lists = [(one.name, len(cells_of(one))) for one in namer.found.labels]
    return [f"{name} ({n} labels for {sheet.shape[0]} rows)" for name, n in lists[:MAX_REASONS]]


def _no_connectome(found: Found) -> str:
    others = [sheet.name for sheet in found.matrices]
    seen = f" ({shown(others)} measures structure or distance)" if others else ""
    unused = [f"{path.name} ({why})" for path, why in found.unused.items()][:MAX_REASONS]
    for sheet in found.expressions[:MAX_REASONS]:
        unused.append(f"{sheet.name} ({sheet.shape[0]} rows and {sheet.shape[1]} columns)")
    unread = [note for note in found.notes if "cannot be read" in note][:MAX_REASONS]
    squareless = _listed("; there is no square matrix in ", unused)
    reasons = squareless + _listed("; ", unread)
    return (
        f"no functional connectome was found{seen}{reasons}; give a square matrix as --connectome "
        "FILE"
    )
