"""Make a folder of regional expression from the Allen Human Brain Atlas."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from shlex import quote
from typing import Any

import numpy as np

from gx2c.data.brain import FloatArray
from gx2c.data.checks import (
    EXPRESSION_SOURCES,
    FILLED,
    MIRRORED,
    PARTLY_FILLED,
    SAMPLED,
    UNSAMPLED,
)
from gx2c.data.layout import README
from gx2c.data.matrix import format_number, table_text
from gx2c.data.writing import COORDINATE_COLUMNS, SHARED_COLUMN, SOURCE_COLUMN, shared_cells
from gx2c.errors import UserError
from gx2c.files import file_digest
from gx2c.importing.ahba.atlas import AhbaAtlas, read_atlas
from gx2c.importing.ahba.donors import donors_folder, require_donors
from gx2c.importing.ahba.files import COUNTS, METHODS, PROGRESS, RECIPE, REFERENCES, REGIONS
from gx2c.importing.ahba.options import abagen_options

MODULE = "gx2c.importing.ahba.process"
VERSIONS = ("abagen", "gx2c", "nibabel", "numpy", "pandas", "scipy")
Progress = Callable[[str], None]


@dataclass(frozen=True)
class AhbaRequest:
    """A request for expression."""

    atlas: str  # A name, or the path of an image or of vertex labels
    options: Mapping[str, Any] = field(default_factory=dict)  # Of abagen, where not its defaults
    atlas_info: str = ""  # Table of the atlas's regions, or empty
    surfaces: tuple[str, ...] = ()  # Left and right surface of the mesh of vertex labels
    donors_dir: str = ""  # The parent of microarray/; empty for $ABAGEN_DATA or ~/abagen-data
    download: bool = False  # Whether abagen downloads what is missing


@dataclass(frozen=True)
class AhbaMade:
    """A folder of expression."""

    folder: Path
    sources: tuple[str, ...]  # Source of each region's expression
    notes: tuple[str, ...]

    def lines(self) -> Iterator[str]:
        """Yield the lines to print, the last with the command to run next."""
        yield from self.notes
        count = Counter(self.sources)
        said = [f"{count[one]} {one}" for one in EXPRESSION_SOURCES if count[one]]
        yield f"{len(self.sources)} regions: {', '.join(said).replace(UNSAMPLED, 'without')}"
        folder = quote(str(self.folder))
        yield f"wrote {folder}; {METHODS} describes the processing"
        yield f"next: gx2c data import CONNECTOME {folder} --out my-brain"


def make_expression(
    request: AhbaRequest, out: str | Path, progress: Progress = lambda text: None
) -> AhbaMade:
    """Run abagen in a process of its own, and write its results.

    Parameters
    ----------
    request
        Atlas, donors and abagen's options.
    out
        The folder to write; an earlier one of this kind is replaced.
    progress
        Receives a line for each step.

    Raises
    ------
    UserError
        If abagen or files of donors are missing, an option cannot be, or abagen stops.
    """
    folder = Path(out)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        if not (folder / RECIPE).exists():
            raise UserError(f"{folder} holds other files; give a new or empty folder as --out")
    if len(request.surfaces) not in (0, 2):
        raise UserError("--surfaces takes two files, that of the left hemisphere first")
    options = abagen_options(request.options)
    atlas = read_atlas(request.atlas, request.atlas_info, request.surfaces)
    donors = donors_folder(request.donors_dir)
    rnaseq = options["probe_selection"] == "rnaseq"
    require_donors(donors, options["donors"], rnaseq=rnaseq, download=request.download)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".ahba-") as inside:
        work = Path(inside) / "made"
        asked = Path(inside) / "request.json"
        info = _info(atlas, Path(inside))
        asked.write_text(json.dumps(_plain(request, atlas, options, donors, info, work)))
        found = _run(asked, donors, progress)
        sources = _write(work, request, atlas, options, found)
        if folder.exists():
            shutil.rmtree(folder)
        work.rename(folder)
    return AhbaMade(folder, sources, atlas.notes)


def _info(atlas: AhbaAtlas, inside: Path) -> str | None:
    """Return the table by which abagen matches samples to regions, or None."""
    if atlas.info is not None or not atlas.matched:
        return None if atlas.info is None else str(atlas.info)
    path, rows = inside / "info.csv", atlas.rows()
    lines = [",".join(rows[0]), *(",".join(f'"{cell}"' for cell in row.values()) for row in rows)]
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def _plain(
    request: AhbaRequest,
    atlas: AhbaAtlas,
    options: Mapping[str, Any],
    donors: Path,
    info: str | None,
    work: Path,
) -> Mapping[str, Any]:
    vertices = atlas.vertices
    kept = [] if vertices is None else np.where(
        np.isin(vertices.numbers, atlas.ids), vertices.numbers, 0
    ).tolist()  # fmt: skip
    return {
        "image": None if atlas.image is None else str(atlas.image.resolve()),
        "vertices": kept,
        "surfaces": [str(Path(path).resolve()) for path in request.surfaces],
        "atlas_info": info,
        "labels": dict(zip(atlas.ids, atlas.labels, strict=True)),
        "options": options,
        "data_dir": str(donors.resolve()),
        "out": str(work.resolve()),
    }


def _run(asked: Path, donors: Path, progress: Progress) -> Mapping[str, Any]:
    """Run abagen and return the last line that it prints."""
    command = [sys.executable, "-W", "ignore", "-m", MODULE, str(asked)]
    # for RNA sequencing abagen looks in no other place
    environment = {**os.environ, "ABAGEN_DATA": str(donors.resolve())}
    last = ""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                last = line.strip()
                if last.startswith(PROGRESS):
                    progress(last.removeprefix(PROGRESS))
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        reason = last if last and not last.startswith(PROGRESS) else "see above"
        raise UserError(
            f"abagen stopped ({reason}); check the atlas and the files of the donors in {donors}"
        )
    found: Mapping[str, Any] = json.loads(last)
    return found


def _write(
    work: Path,
    request: AhbaRequest,
    atlas: AhbaAtlas,
    options: Mapping[str, Any],
    found: Mapping[str, Any],
) -> tuple[str, ...]:
    """Write tables and texts next to the results of abagen; return the sources."""
    place = {number: row for row, number in enumerate(atlas.ids)}
    sources = tuple(found["sources"].get(str(number), UNSAMPLED) for number in atlas.ids)
    shared = np.zeros((len(atlas.ids), len(atlas.ids)), dtype=np.uint8)
    for one, other in found["pairs"]:
        shared[place[one], place[other]] = shared[place[other], place[one]] = 1
    counts = {
        donor: dict(zip(found["ids"], numbers, strict=True))
        for donor, numbers in found["counts"].items()
    }
    samples = [[str(of.get(number, 0)) for of in counts.values()] for number in atlas.ids]
    rows = zip(atlas.labels, samples, strict=True)
    text = table_text([["label", *counts], *([label, *row] for label, row in rows)])
    (work / COUNTS).write_text(text)
    places = atlas.regions.coords_mm
    if np.isnan(places).all():
        places = np.array([found["centroids"][str(number)] for number in atlas.ids])
    columns: dict[str, Sequence[str]] = {
        "id": [str(number) for number in atlas.ids],
        "label": atlas.labels,
        "hemisphere": [side or UNSAMPLED for side in atlas.regions.sides],
        "structure": [structure or UNSAMPLED for structure in atlas.regions.structure],
        **_places(places),
        SOURCE_COLUMN: sources,
        SHARED_COLUMN: shared_cells(atlas.labels, shared),
    }
    (work / REGIONS).write_text(table_text([list(columns), *zip(*columns.values(), strict=True)]))
    recipe = {
        "atlas": request.atlas,
        "atlas_sha256": "" if atlas.image is None else file_digest(atlas.image),
        "atlas_info": request.atlas_info,
        "surfaces": list(request.surfaces),
        "options": dict(options),
        "versions": {name: version(name) for name in VERSIONS},
    }
    (work / RECIPE).write_text(_yaml(recipe))
    (work / README).write_text(_readme(atlas, sources, (work / METHODS).read_text()))
    return sources


def _places(places: FloatArray) -> dict[str, list[str]]:
    rows = zip(COORDINATE_COLUMNS, places.T.tolist(), strict=True)
    return {title: [format_number(value, 6) for value in axis] for title, axis in rows}


def _yaml(plain: Mapping[str, Any]) -> str:
    import yaml

    return str(yaml.safe_dump(dict(plain), sort_keys=False, allow_unicode=True))


def _readme(atlas: AhbaAtlas, sources: Sequence[str], methods: str) -> str:
    lines = [f"- {Counter(sources)[one]}: {said}" for one, said in SAID.items() if one in sources]
    notes = [f"- {note}" for note in atlas.notes]
    counts = "\n".join([*lines, *notes])
    cited = "\n".join(f"- {reference}" for reference in REFERENCES)
    return TEXT.format(atlas=atlas.name, counts=counts, methods=methods.strip(), references=cited)


SAID = {
    SAMPLED: "regions from their own tissue samples",
    MIRRORED: "regions some of whose samples were mirrored from the other side",
    PARTLY_FILLED: "regions that for some donors were filled from samples of other regions",
    FILLED: "regions without samples, filled from samples of other regions",
    UNSAMPLED: "regions without expression",
}
TEXT = """# Regional expression from the Allen Human Brain Atlas

Made by `gx2c data ahba` for the atlas {atlas}. Next, `gx2c data import CONNECTOME THIS-FOLDER --out
FOLDER` makes a dataset with a connectome.

{counts}

- `expression.parquet`: regions x genes
- `regions.tsv`: labels, places, what each region's expression comes from, and the regions with
  which it shares tissue samples
- `stability.tsv`: differential stability of each gene, the mean Spearman correlation over pairs of
  donors, over regions that both sampled
- `samples_per_region.tsv`: tissue samples of each region and donor
- `donors/expression_donor*.parquet`: regions x genes of each donor
- `donors/samples_before_normalisation.parquet`: samples x genes and the region of each sample,
  abagen's values before any normalisation
- `methods.txt`: the text below
- `ahba.yaml`: options and versions

## Methods (abagen's own text)

{methods}

## Licence and citation

Allen Human Brain Atlas: https://alleninstitute.org/terms-of-use. abagen: BSD-3-Clause. Cite:

{references}
"""
