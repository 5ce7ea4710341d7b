"""The regions of an import: labels, sides, networks, structures and places."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from gx2c.data.brain import Brain
from gx2c.data.checks import CORTEX, distance_problems, shown
from gx2c.data.places import misfit, places_of
from gx2c.data.sides import LEFT, RIGHT
from gx2c.errors import DataError, UserError
from gx2c.importing.connectomes import NamedMatrix
from gx2c.importing.draft import Draft
from gx2c.importing.labels import (
    BOTH,
    STRUCTURE_OF,
    make_names,
    match_names,
    unique_labels,
)
from gx2c.importing.naming import place_all
from gx2c.importing.regions import RegionTable, empty_table

HEMISPHERES = {LEFT: 0, RIGHT: 1, BOTH: 2}
UNKNOWN_NETWORK = "unknown"
# Nearer to the midline than any lateral region's centroid
MIDLINE_MM = 2.0


def table_of_brain(brain: Brain) -> RegionTable:
    """Return the regions of a dataset as a table to match other files with."""
    sides = [{n: s for s, n in HEMISPHERES.items()}[side] for side in brain.hemisphere.tolist()]
    nowhere = np.full((brain.n_regions, 3), np.nan)
    nothing = ("",) * brain.n_regions
    return replace(
        empty_table(make_names(brain.name, [brain.labels], sides)),
        sides=tuple(sides),
        network=brain.network,
        structure=brain.structure or nothing,
        lobe=brain.lobe or nothing,
        coords_mm=brain.coords_mm,
        sphere_coords=nowhere if brain.sphere_coords is None else brain.sphere_coords,
    )


def take_regions(
    draft: Draft,
    connectome: NamedMatrix,
    tables: Sequence[RegionTable],
    distances: NamedMatrix | None = None,
) -> None:
    """Add the tables' facts on a connectome's regions to the draft; distances may place them.

    Raises
    ------
    UserError
        If no table gives coordinates for any region, or with distances, the side of every region.
    """
    regions = place_all(empty_table(connectome.names), tables, draft.notes)
    sides = sides_of(regions)
    if distances is not None:
        sides = list(regions.sides)
        if lost := [
            name for name, side in zip(regions.names.shown, sides, strict=True) if not side
        ]:
            raise UserError(
                f"no label or table names the side of {shown(lost)}, which distances do not show; "
                "give --regions TABLE with a column hemisphere (L, R or B)"
            )
    named = [side if side != BOTH else "" for side in sides]
    labels = unique_labels(
        replace(
            regions.names,
            labels=tuple(
                tuple(replace(n, side=n.side or side) for n in names)
                for names, side in zip(regions.names.labels, named, strict=True)
            ),
        )
    )
    networks = [
        network or _network_of(label)
        for network, label in zip(regions.network, labels, strict=True)
    ]
    structures = _structures(regions)
    known = np.isfinite(regions.coords_mm).all(axis=1)
    if distances is None and not known.any():
        raise UserError(
            f"no file places the {len(labels)} regions of {connectome.name}, such as "
            f"{shown(labels[:2])}; give --regions TABLE with x, y, z in MNI mm, --atlas IMAGE, "
            f"--atlas LABELS with --surfaces LEFT RIGHT, or --distances MATRIX{_doubts(draft)}"
        )
    draft.parts |= {
        "labels": labels,
        "hemisphere": np.array([HEMISPHERES[side] for side in sides]),
        "network": tuple(network or UNKNOWN_NETWORK for network in networks),
        "coords_mm": regions.coords_mm,
    }
    if np.isfinite(regions.sphere_coords).any():
        draft.parts["sphere_coords"] = regions.sphere_coords
    if any(structures):
        draft.parts["structure"] = tuple(structure or CORTEX for structure in structures)
    if all(regions.lobe):
        draft.parts["lobe"] = regions.lobe
    for table in tables:
        draft.mapping |= _mapping(connectome, labels, table, draft)
    which = f"{int(known.sum())} have coordinates"
    if distances is not None:
        which = f"distances of {distances.name} stand in for coordinates"
    draft.notes.append(f"regions: {len(labels)} of {connectome.name}; {which}")


def place_by_distance(draft: Draft) -> None:
    """Find the places of the draft's regions by their distances.

    Raises
    ------
    DataError
        If they are no distances, or one is missing that nothing replaces.
    """
    parts = draft.parts
    distances, labels = parts["distances_mm"], parts["labels"]
    if problems := list(distance_problems("distances", distances, labels, None)):
        raise DataError("distances", problems)
    parts["coords_mm"] = places_of(distances, parts["hemisphere"], labels)
    error_mm, alike = misfit(distances, parts["coords_mm"])
    draft.notes.append(
        f"places in {parts['coords_mm'].shape[1]} dimensions meet the distances within "
        f"{error_mm:.1f} mm (median; r = {alike:.3f}); geography, decay and splits use them, and "
        "models that read x, y and z refuse this dataset"
    )


def _mapping(
    connectome: NamedMatrix,
    labels: Sequence[str],
    table: RegionTable,
    draft: Draft,
) -> dict[str, dict[str, str]]:
    """Add the table's name of each region to those so far; note sides that contradict."""
    try:
        match = match_names(connectome.names, table.names)
    except UserError:
        return {}
    found, wrong = {}, []
    for label, names, place in zip(labels, connectome.names.labels, match.places, strict=True):
        if place is not None:
            so_far = draft.mapping.get(label, {})
            found[label] = {**so_far, table.source: table.names.shown[place]}
            if {names[0].side, table.sides[place]} == {LEFT, RIGHT}:
                wrong.append(label)
    if wrong:
        draft.notes.append(
            f"{table.source}: the side of {shown(wrong)} contradicts the label, which is taken"
        )
    return found


def _doubts(draft: Draft) -> str:
    """Return the notes on files that might have placed the regions."""
    notes = [n for n in draft.notes if "not used" in n or "is no number" in n or "lead to" in n]
    return "".join(f" ({note})" for note in notes[:2])


def sides_of(regions: RegionTable) -> list[str]:
    """Return each region's side: of its table or label, else of the sign of x."""
    sides = []
    for side, x in zip(regions.sides, regions.coords_mm[:, 0].tolist(), strict=True):
        near = BOTH if abs(x) < MIDLINE_MM else LEFT if x < 0 else RIGHT
        sides.append(side or near)
    return sides


def _network_of(label: str) -> str:
    """Read the network of a Schaefer label such as 7Networks_LH_Vis_1."""
    parts = label.split("_")
    for side in ("LH", "RH"):
        if side in parts[:2] and len(parts) > parts.index(side) + 2:
            return parts[parts.index(side) + 1]
    return ""


def _structures(regions: RegionTable) -> list[str]:
    """Return each region's structure: of its table, else deep ones by their names."""
    named = [STRUCTURE_OF.get(labels[0].core, "") for labels in regions.names.labels]
    found = [own or deep for own, deep in zip(regions.structure, named, strict=True)]
    return found if any(found) else [""] * len(found)
