"""Published lists of genes that may not come with gx2c, fetched as GMT files."""

import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from gx2c.data.artefacts import EXPRESSION_SDIST, Artefact, fetch_artefact, read_tar_members
from gx2c.data.gene_sets import read_gmt
from gx2c.errors import UserError, look_up
from gx2c.importing.fetching import fetch_file
from gx2c.importing.registry import sources


@dataclass(frozen=True)
class GeneSetSource:
    """Where gene sets come from."""

    said: str  # Content, publication and terms, for people
    fetch: Callable[[Path], bytes]  # Downloads into a folder, and returns the GMT file's content


def of_archive(artefact: Artefact, member: str, folder: Path) -> bytes:
    """Read a GMT file out of a tar.gz of the package index."""
    return read_tar_members(fetch_artefact(artefact, folder), [member])[member]


def of_list(name: str, path: str, folder: Path) -> bytes:
    """Make a GMT file of one set from a pinned list of symbols, a key of `sources()`."""
    symbols = re.findall(r"[^\s,;\"']+", fetch_file(sources()[path], folder).read_text("utf-8-sig"))
    return "\t".join([name, sources()[path].url, *dict.fromkeys(symbols)]).encode() + b"\n"


def _published(name: str, said: str) -> GeneSetSource:
    return GeneSetSource(
        f"{said}, from the repository neuroinfolab/GeneEx2Conn (CC BY-NC-SA 4.0: no commercial "
        "use)",
        partial(of_list, name, f"data/enigma/gene_lists/{name}.txt"),
    )


_LAKE = "Lake et al. 2018, Nat. Biotechnol. 36, 70"
GENE_SET_SOURCES: dict[str, GeneSetSource] = {
    "lake2018": GeneSetSource(
        f"marker genes of 30 cell types of the human brain ({_LAKE}), as the package "
        "imaging-transcriptomics 1.1.15 carries them, whose text of the licence is the AGPL-3.0",
        partial(
            of_archive,
            EXPRESSION_SDIST,
            "imaging-transcriptomics-1.1.15/imaging_transcriptomics/data/geneset_LAKE.gmt",
        ),
    ),
    "lake_shared": _published("lake_shared", f"marker genes of cell types ({_LAKE})"),
    "richiardi2015": _published(
        "richiardi2015",
        "genes of functional networks (Richiardi et al. 2015, Science 348, 1241)",
    ),
    "syngo": _published(
        "syngo", "genes of synapses (SynGO: Koopmans et al. 2019, Neuron 103, 217)"
    ),
}


def fetch_gene_sets(
    name: str, path: str | Path, *, download_dir: str | Path | None = None
) -> list[str]:
    """Write the GMT file of some gene sets, for `--genes`.

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
        If there is no such source, `path` exists or does not end in .gmt, or the source cannot be
        reached.
    DataError
        If what was downloaded is not what was pinned.
    """
    source, path = look_up(GENE_SET_SOURCES, name, "gene sets"), Path(path)
    if path.suffix != ".gmt":
        raise UserError(f"{path} does not end in .gmt, by which gene sets are known; rename it")
    if path.exists():
        raise UserError(f"{path} exists; delete it or give another path")
    with tempfile.TemporaryDirectory() as temporary:
        text = source.fetch(Path(temporary if download_dir is None else download_dir))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}; give another path") from None
    return list(read_gmt(path))
