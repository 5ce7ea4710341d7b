"""The layouts of `--kind`: which files may take a role that several could take."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gx2c.data.checks import shown
from gx2c.errors import UserError
from gx2c.importing.ahba.files import RECIPE
from gx2c.importing.connectomes import role_of
from gx2c.importing.files import TEXT_FORMATS
from gx2c.importing.gather import FUNCTIONAL, STRUCTURAL, Found
from gx2c.importing.sheets import Sheet, is_numeric

EXPRESSION = "expression"
_BIDS = re.compile(r"([a-z]+-[a-z0-9]+_)+(rel|con)mat\.tsv", re.IGNORECASE)
_XCP_D = re.compile(r"sub-.*_(seg|atlas)-.*_(stat|measure)-[a-z]+_(rel|con)mat\.tsv", re.IGNORECASE)
_ENIGMA = re.compile(r"(func|struc)matrix_.*\.csv", re.IGNORECASE)


@dataclass(frozen=True)
class Layout:
    """The files of one layout."""

    said: str  # How they are recognised
    fits: Callable[[Sheet], bool]
    roles: tuple[str, ...]  # Only they take these roles


LAYOUTS: Mapping[str, Layout] = {
    "csv": Layout(
        "text such as .csv, .tsv or .txt",
        lambda sheet: sheet.path.suffix.lower() in TEXT_FORMATS,
        (FUNCTIONAL, STRUCTURAL, EXPRESSION),
    ),
    "bids": Layout(
        "named KEY-VALUE_…_relmat.tsv",
        lambda sheet: _BIDS.fullmatch(sheet.path.name) is not None,
        (FUNCTIONAL,),
    ),
    "xcp_d": Layout(
        "named sub-…_seg-…_stat-…_relmat.tsv, or with atlas-, measure- and conmat",
        lambda sheet: _XCP_D.fullmatch(sheet.path.name) is not None,
        (FUNCTIONAL,),
    ),
    "enigma": Layout(
        "named funcMatrix_….csv or strucMatrix_….csv",
        lambda sheet: _ENIGMA.fullmatch(sheet.path.name) is not None,
        (FUNCTIONAL, STRUCTURAL),
    ),
    "abagen": Layout(
        "a table of genes by the atlas's numbers of regions, or in a folder of gx2c data ahba",
        lambda sheet: (
            (sheet.path.parent / RECIPE).exists() or all(map(is_numeric, sheet.rows or ("?",)))
        ),
        (EXPRESSION,),
    ),
    "dsi": Layout(
        "a .mat with the variable connectivity",
        lambda sheet: (sheet.path.suffix.lower(), sheet.part) == (".mat", "connectivity"),
        (STRUCTURAL,),
    ),
}


def keep_kind(found: Found, kind: str, *, has_expression: bool) -> None:
    """Leave the roles that a kind decides to its own files.

    Parameters
    ----------
    found
        All files; others are taken out of it, with a note.
    kind
        One of `LAYOUTS`; any other decides nothing here.
    has_expression
        Whether the user named the expression, which then is of any kind.

    Raises
    ------
    UserError
        If no file is of this kind, or one that the user gave such a role is of another.
    """
    layout = LAYOUTS.get(kind)
    if layout is None:
        return
    given = [sheet for role in layout.roles for sheet in found.given.get(role, [])]
    if other := [sheet.name for sheet in given if not layout.fits(sheet)]:
        raise UserError(
            f"{shown(other)} is not of the kind {kind}: {layout.said}; leave out --kind"
        )
    fitting, dropped = len(given), []
    for part in ("matrices", "stacks", "expressions"):
        asked = [s for s in getattr(found, part) if _role(part, s) in layout.roles]
        unfit = [sheet for sheet in asked if not layout.fits(sheet)]
        setattr(found, part, [s for s in getattr(found, part) if not any(s is u for u in unfit)])
        fitting += len(asked) - len(unfit)
        dropped += [sheet.name for sheet in unfit]
    if not fitting and not (has_expression and layout.roles == (EXPRESSION,)):
        seen = f", unlike {shown(dropped)}" if dropped else ""
        raise UserError(f"no file is of the kind {kind}: {layout.said}{seen}; leave out --kind")
    if dropped:
        found.notes.append(f"{shown(dropped)} is not of the kind {kind} and not used")


def _role(part: str, sheet: Sheet) -> str:
    if part == "matrices":
        return role_of(sheet)
    return EXPRESSION if part == "expressions" else FUNCTIONAL
