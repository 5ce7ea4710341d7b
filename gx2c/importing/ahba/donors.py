"""The files of the donors: which abagen reads, where they lie, and where they come from."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from gx2c.data.checks import shown
from gx2c.errors import UserError
from gx2c.files import user_path
from gx2c.importing.ahba.options import DONORS

URL = "https://human.brain-map.org/api/v2/well_known_file_download/"
MICROARRAY = ("MicroarrayExpression", "Ontology", "PACall", "Probes", "SampleAnnot")
# Two donors have RNA sequencing, which only probe_selection "rnaseq" reads
RNASEQ = ("Genes", "Ontology", "RNAseqCounts", "RNAseqTPM", "SampleAnnot")
RNASEQ_ARCHIVES = {"9861": "278447594", "10021": "278448166"}
# abagen's documentation: about 4 GB for all six donors
GB_PER_ARCHIVE = 0.7


def donors_folder(given: str) -> Path:
    """Return the parent of microarray/: as given, else $ABAGEN_DATA, else ~/abagen-data."""
    path = user_path(given or os.environ.get("ABAGEN_DATA") or "~/abagen-data")
    return path.parent if path.name == "microarray" else path


def require_donors(folder: Path, donors: Sequence[str], *, rnaseq: bool, download: bool) -> None:
    """Refuse to go on without the files of the donors, unless they are to be downloaded.

    Raises
    ------
    UserError
        If files are missing; the sentence names them, their size, source and folder.
    """
    missing = {
        path: archive for path, archive in _files(donors, rnaseq) if not (folder / path).is_file()
    }
    if download:
        # abagen looks elsewhere where this folder is not
        (folder / "microarray").mkdir(parents=True, exist_ok=True)
        return
    if missing:
        archives = sorted(set(missing.values()))
        raise UserError(
            f"{len(missing)} files of the donors {', '.join(donors)} are missing in {folder}: "
            f"{shown(list(missing))}; --download gets their {len(archives)} archives from "
            f"{URL}{{{','.join(archives)}}} (about {GB_PER_ARCHIVE * len(archives):.1f} GB), or "
            "give the folder that holds them as --donors-dir"
        )


def _files(donors: Sequence[str], rnaseq: bool) -> Iterator[tuple[str, str]]:
    """Yield each file, and the number of the archive that holds it."""
    for donor in donors:
        for name in MICROARRAY:
            yield f"microarray/normalized_microarray_donor{donor}/{name}.csv", DONORS[donor][1]
        for name in RNASEQ if rnaseq and donor in RNASEQ_ARCHIVES else ():
            yield f"rnaseq/rnaseq_donor{donor}/{name}.csv", RNASEQ_ARCHIVES[donor]
