"""The files of an import by the roles that the user gave them, and all others by their contents."""

from pathlib import Path
from typing import Any

from gx2c.data.checks import shown
from gx2c.data.sides import LEFT, RIGHT
from gx2c.errors import UserError
from gx2c.importing.atlases import check_atlas, fetch_atlas, is_atlas_name
from gx2c.importing.files import read_sheets
from gx2c.importing.gather import (
    DISTANCE,
    FUNCTIONAL,
    HOLDOUT,
    STRUCTURAL,
    Found,
    add_surface,
    gather,
)
from gx2c.importing.layouts import keep_kind
from gx2c.importing.options import ImportOptions
from gx2c.importing.reasons import why_not


def gather_roles(options: ImportOptions) -> Found:
    """Look through the paths; a file given a role has that role alone.

    Raises
    ------
    UserError
        If a file that was given a role cannot have it.
    """
    found = gather([Path(path) for path in options.paths])
    named = [one.partition("=")[2] for one in options.measures]
    named += [options.connectome, options.holdout, options.structural, options.distances]
    taken = {Path(path).resolve() for path in [*named, options.expression] if path}
    for part in ("matrices", "stacks", "expressions"):
        rest = [sheet for sheet in getattr(found, part) if sheet.path.resolve() not in taken]
        setattr(found, part, rest)
    for part, given, said in (
        ("tables", options.regions, "a table of regions"),
        ("labels", options.labels, "a list of labels"),
        ("edges", options.individuals, "connectomes of single people"),
    ):
        if given:
            setattr(found, part, _only(given, said, part))
    for role, given in (
        (FUNCTIONAL, options.connectome),
        (HOLDOUT, options.holdout),
        (STRUCTURAL, options.structural),
        (DISTANCE, options.distances),
    ):
        if given:
            found.given[role] = _only(given, "a square matrix", "matrices", "stacks")
    for one in options.measures:
        name, _, file = one.partition("=")
        found.given[f"measure {name}"] = _only(file, "a square matrix", "matrices", "stacks")
    keep_kind(found, options.kind, has_expression=bool(options.expression))
    if is_atlas_name(options.atlas):
        image, table = fetch_atlas(options.atlas)
        found.atlas_sha256 = check_atlas(image, options.atlas, options.atlas_sha256)
        found.volumes, found.vertices = [image], []
        found.tables.append(table)
    elif options.atlas:
        atlas = gather([Path(options.atlas)])
        if not (atlas.volumes or atlas.vertices or atlas.tables):
            why = next(iter(atlas.unused.values()), "it holds no labels of regions")
            raise UserError(
                f"{options.atlas} is no atlas: {why}; give an image, labels of vertices of both "
                "hemispheres, or a folder with the two files of these"
            )
        found.volumes, found.vertices = atlas.volumes, atlas.vertices
        found.tables += atlas.tables
    for sides, into in ((options.surfaces, "surfaces"), (options.sphere, "spheres")):
        if sides:
            setattr(found, into, {})
            for side, path in zip((LEFT, RIGHT), sides, strict=True):
                add_surface(found, Path(path), side)
            if len(getattr(found, into)) < 2:
                raise UserError(
                    f"{shown([Path(path).name for path in sides])} are no {into}; a sphere has one "
                    "radius about the origin: give spheres as --sphere, others as --surfaces"
                )
    return found


def _only(path: str, said: str, *parts: str) -> Any:
    found = gather([Path(path)])
    inside = [one for part in parts for one in getattr(found, part)]
    if not inside:
        why = why_not(Path(path), [] if Path(path).is_dir() else read_sheets(Path(path)))
        raise UserError(f"{path} is not {said}: {why}; docs/data.md lists what is read")
    return inside
