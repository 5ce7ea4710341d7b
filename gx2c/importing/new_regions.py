"""Regions whose connectome is not known: expression and places from anyone's tables."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from gx2c.data.unmeasured import Unmeasured
from gx2c.errors import UserError
from gx2c.importing.draft import Draft
from gx2c.importing.draft_regions import HEMISPHERES, sides_of
from gx2c.importing.expression import add_expression, upright
from gx2c.importing.gather import Found, gather
from gx2c.importing.labels import make_names, match_names, unique_labels
from gx2c.importing.naming import Namer
from gx2c.importing.options import ImportOptions
from gx2c.importing.regions import RegionTable, empty_table


@dataclass(frozen=True)
class NewRegions:
    """Regions as they were read, and a sentence for each thing understood or left out."""

    regions: Unmeasured
    notes: tuple[str, ...]


def read_new_regions(
    expression: Path, regions: Path | None = None, *, known: Unmeasured
) -> NewRegions:
    """Read a table of regions x genes, and where the regions lie.

    Parameters
    ----------
    expression
        The table, in any form that `gx2c data import` takes.
    regions
        A table of the regions with x, y, z in MNI mm; without it, rows that bear the labels of
        `known` lie there, and others nowhere (NaN).
    known
        Regions whose places are known.

    Raises
    ------
    UserError
        If a file cannot be read, or no row is of a region.
    """
    table = _table(expression, regions, known)
    labels, sides = unique_labels(table.names), sides_of(table)
    draft = Draft({"labels": labels})
    namer = Namer(Found(), [table], by_position=False, notes=draft.notes)
    options = ImportOptions(paths=(), expression=str(expression))
    add_expression(draft, table.names, Found(), namer, options, None)
    # genes with a value missing in some region are gone
    values = draft.parts["expression"]
    kept = np.flatnonzero(~np.isnan(values).all(axis=1))
    return NewRegions(
        Unmeasured(
            expression.name.partition(".")[0],
            tuple(labels[i] for i in kept.tolist()),
            draft.parts["genes"],
            values[kept],
            table.coords_mm[kept],
            np.array([HEMISPHERES[sides[i]] for i in kept.tolist()], dtype=np.int64),
        ),
        (*draft.notes, *draft.changed),
    )


def _table(expression: Path, regions: Path | None, known: Unmeasured) -> RegionTable:
    if regions is not None:
        if known.coords_mm.shape[1] != 3:
            raise UserError(
                "the model was fitted on distances in place of coordinates, so it knows no places "
                "in MNI space; leave out --regions and name rows as its dataset does"
            )
        tables = gather([regions]).tables
        if not tables:
            raise UserError(f"{regions} is not a table of regions; docs/data.md lists what is read")
        return tables[0]
    inside = gather([expression])
    if not (sheets := inside.expressions or inside.matrices):
        raise UserError(
            f"{expression} has no column per gene with numbers below it; give a table of "
            "regions x genes"
        )
    rows = upright(sheets[0]).rows
    if rows is None:
        raise UserError(
            f"{expression} does not name its rows; put the label of each region in a first column"
        )
    own = make_names(expression.name, [rows])
    places = _table_of(known)
    return places if match_names(places.names, own).n_found else empty_table(own)


def _table_of(known: Unmeasured) -> RegionTable:
    names = {number: side for side, number in HEMISPHERES.items()}
    sides = tuple(names[number] for number in known.hemisphere.tolist())
    table = empty_table(make_names(known.name, [known.labels], sides))
    return replace(table, sides=sides, coords_mm=known.coords_mm)
