"""Put the files of an import together into the parts of one dataset."""

from collections import Counter
from dataclasses import replace

import numpy as np

from gx2c.data.brain import Brain, FloatArray, take_rows
from gx2c.data.checks import CORTEX, shown
from gx2c.errors import UserError
from gx2c.importing.connectomes import (
    NamedMatrix,
    choose_connectome,
    choose_other,
    has_others,
    reordered,
    role_of,
)
from gx2c.importing.draft import Draft
from gx2c.importing.draft_regions import (
    UNKNOWN_NETWORK,
    place_by_distance,
    table_of_brain,
    take_regions,
)
from gx2c.importing.expression import add_expression
from gx2c.importing.gather import (
    DISTANCE,
    HOLDOUT,
    STRUCTURAL,
    Found,
)
from gx2c.importing.labels import match_names
from gx2c.importing.naming import Namer, n_placed, vertex_tables, volume_table
from gx2c.importing.options import ORDERED_KINDS, ImportOptions
from gx2c.importing.people import People, people_of_edges
from gx2c.importing.regions import RegionTable, empty_table
from gx2c.importing.roles import gather_roles
from gx2c.importing.scales import COUNTS, LOG, off_diagonal, to_correlations, to_weights
from gx2c.importing.vertices import SPHERE_RADIUS_MM


def assemble(options: ImportOptions, dataset: Brain | None = None) -> Draft:
    """Read all files of an import and put them together.

    Parameters
    ----------
    options
        The request.
    dataset
        The dataset that `options.expression` names, or None.

    Raises
    ------
    UserError
        If the files do not make a dataset; the sentence names what is missing.
    """
    found = gather_roles(options)
    notes = found.notes
    if options.kind in ORDERED_KINDS:
        found.tables = [replace(table, ordered=True) for table in found.tables]
    tables = _tables(found, notes, dataset, given=bool(options.atlas))
    namer = Namer(found, tables, options.by_position, notes)
    for sheet in found.places:
        names = namer.of_sheet(sheet)
        if names is not None and sheet.values is not None:
            tables.append(replace(empty_table(names), coords_mm=sheet.values))
    connectome = choose_connectome(found, namer)
    draft = Draft({}, notes, atlas_sha256=found.atlas_sha256)
    known = n_placed(connectome.names, tables)
    distances = None
    if DISTANCE in found.given or not known:
        distances = choose_other(found, namer, connectome.names, DISTANCE)
    elif unused := [sheet.name for sheet in found.matrices if role_of(sheet) == DISTANCE]:
        notes.append(f"{shown(unused)} has distances; --distances takes it in place of coordinates")
    take_regions(draft, connectome, tables, distances)
    if distances is not None:
        apart = _in_order(draft, connectome, distances, distances.values)
        np.fill_diagonal(apart, 0.0)
        draft.parts["distances_mm"] = apart
    _take_connectomes(draft, connectome, found, namer, options)
    _take_measures(draft, connectome, found, namer, options)
    _take_people(draft, connectome, found, options)
    add_expression(draft, connectome.names, found, namer, options, dataset)
    _leave_out(draft)
    if options.project_spheres and distances is not None:
        raise UserError(
            "--project-spheres needs coordinates, and distances stand in for them; give --regions "
            "TABLE with x, y, z, or run nulls that need no spheres (--null-method moran)"
        )
    if options.project_spheres and draft.parts.get("sphere_coords") is None:
        _project(draft)
    return draft


def _tables(
    found: Found, notes: list[str], dataset: Brain | None, *, given: bool
) -> list[RegionTable]:
    tables = [*found.tables, *vertex_tables(found, notes)]
    for path in found.volumes:
        try:
            tables.append(volume_table(path, found.tables, found))
        except UserError as error:
            if given:
                raise
            notes.append(f"{error}; not used")
    if dataset is not None:
        tables.append(table_of_brain(dataset))
    return tables


def _take_connectomes(
    draft: Draft, connectome: NamedMatrix, found: Found, namer: Namer, options: ImportOptions
) -> None:
    parts = {HOLDOUT: "holdout_connectome", STRUCTURAL: "structural_connectome"}
    others = {role: choose_other(found, namer, connectome.names, role) for role in parts}
    # counts and logarithms are of structure, and all others of function
    of_structure = others[STRUCTURAL] is not None and options.scale in (COUNTS, LOG)
    functional, structural = ("", options.scale) if of_structure else (options.scale, "")
    scaled = to_correlations(connectome.values, connectome.name, scale=functional)
    draft.parts["connectome"] = scaled.values
    draft.notes += scaled.notes
    for role, part in parts.items():
        other = others[role]
        if other is None:
            continue
        weights = (
            to_weights(other.values, other.name, scale=structural)
            if role == STRUCTURAL
            else to_correlations(other.values, other.name)
        )
        draft.parts[part] = _in_order(draft, connectome, other, weights.values)
        draft.notes += weights.notes


def _in_order(
    draft: Draft, connectome: NamedMatrix, other: NamedMatrix, values: FloatArray
) -> FloatArray:
    """Put another matrix's values into the order of the connectome, by label, and say so."""
    match = match_names(connectome.names, other.names)
    draft.name_regions(other.name, other.names.shown, match.places)
    if match.left_out:
        n = len(match.left_out)
        said = f"{other.name}: {n} regions that the connectome lacks are left out"
        draft.leave_out(said, match.left_out)
    return reordered(values, match.places)


def _take_measures(
    draft: Draft, connectome: NamedMatrix, found: Found, namer: Namer, options: ImportOptions
) -> None:
    """Add the other measures of pairs of regions, in their own units."""
    for one in options.measures:
        measure = one.partition("=")[0]
        other = choose_other(found, namer, connectome.names, f"measure {measure}")
        assert other is not None, "a matrix that was given is taken or refused"
        values = _in_order(draft, connectome, other, other.values)
        np.fill_diagonal(values, 1.0)
        draft.parts.setdefault("measures", {})[measure] = values
        off = off_diagonal(values)
        draft.notes.append(
            f"{other.name}: {measure}, values from {off.min():.4g} to {off.max():.4g}; "
            f"gx2c sweep MODEL --target {measure} predicts it"
        )


def _take_people(
    draft: Draft, connectome: NamedMatrix, found: Found, options: ImportOptions
) -> None:
    people: People | None = connectome.people
    if people is None and found.edges:
        n = len(connectome.names)
        masks = [s for s in found.edges if "mask" in s.name.lower()]
        rest = [s for s in found.edges if s not in masks and s.shape[1] == n * (n - 1) // 2]
        if len(rest) > 1:
            raise UserError(
                f"{shown([s.name for s in rest])} could each hold connectomes of single people; "
                "choose one with --individuals FILE"
            )
        if not rest:
            draft.notes.append(
                f"{shown([s.name for s in found.edges])} has no {n * (n - 1) // 2} edges of the "
                f"{n} regions; not used"
            )
        elif rest[0].array is not None:
            mask = masks[0].array if masks else None
            if mask is not None and mask.shape != rest[0].shape:
                raise UserError(
                    f"{masks[0].name} has shape {mask.shape} and {rest[0].name} {rest[0].shape}; "
                    "a mask has a value for each of its edges"
                )
            people = people_of_edges(rest[0].array, n, rest[0].name, mask)
            draft.notes += people.notes
    if people is not None:
        draft.parts["individual_connectomes"] = people.edges


def _leave_out(draft: Draft) -> None:
    parts = draft.parts
    labels = parts["labels"]
    n = len(labels)
    distances = parts.get("distances_mm")
    if distances is None:
        placed, unplaced = np.isfinite(parts["coords_mm"]).all(axis=1), "no coordinates"
    else:
        placed, unplaced = has_others(distances), "no distances"
    connected = has_others(parts["connectome"])
    for mask, said in ((placed, unplaced), (connected, "no connectivity (all missing)")):
        if not mask.all():
            names = [labels[i] for i in np.flatnonzero(~mask).tolist()]
            draft.leave_out(f"{len(names)} regions have {said} and are left out", names)
    keep = np.flatnonzero(placed & connected)
    if len(keep) < n:
        draft.parts = take_rows(parts, keep)
    if distances is not None:
        place_by_distance(draft)
    _fill_diagonal(draft)
    structural = draft.parts.get("structural_connectome")
    if structural is not None and (lost := np.isnan(structural).all(axis=1)).any():
        draft.changed.append(
            f"the structural connectome lacks {int(lost.sum())} regions, so it is left out"
        )
        del draft.parts["structural_connectome"]
    if not any(draft.parts["network"]) or Counter(draft.parts["network"])[UNKNOWN_NETWORK]:
        draft.notes.append("no file names the network of every region; it is unknown there")


def _fill_diagonal(draft: Draft) -> None:
    for part in ("connectome", "holdout_connectome", "structural_connectome"):
        if (matrix := draft.parts.get(part)) is not None:
            matrix = matrix.copy()
            np.fill_diagonal(matrix, 0.0 if part == "structural_connectome" else 1.0)
            draft.parts[part] = matrix


def _project(draft: Draft) -> None:
    """Push centroids out to a sphere about the middle of their hemisphere."""
    coords, hemisphere = draft.parts["coords_mm"], draft.parts["hemisphere"]
    sphere = np.full(coords.shape, np.nan)
    structure = np.array(draft.parts.get("structure") or [CORTEX] * len(coords))
    for side in (0, 1):
        mine = (hemisphere == side) & (structure == CORTEX)
        from_middle = coords[mine] - (coords[mine].min(axis=0) + coords[mine].max(axis=0)) / 2
        sphere[mine] = (
            SPHERE_RADIUS_MM * from_middle / np.linalg.norm(from_middle, axis=1, keepdims=True)
        )
    draft.parts["sphere_coords"] = sphere.round(3)
    draft.changed.append(
        "sphere coordinates are projected centroids, not places on an inflated surface: spins on "
        "them are an approximation"
    )
