"""Published gene sets, fetched from a small artefact and from a server on loopback."""

from __future__ import annotations

import hashlib
import io
import tarfile
from functools import partial
from pathlib import Path

import pytest
from loopback_host import Host, source_of

from gx2c.data import read_gmt, resolve_genes
from gx2c.data.artefacts import Artefact
from gx2c.errors import DataError, UserError
from gx2c.importing import gene_lists
from gx2c.importing.gene_lists import GENE_SET_SOURCES, GeneSetSource, fetch_gene_sets, of_archive
from gx2c.importing.registry import sources
from sweeps.cli import app as cli

GMT = b"Ast\tNA\tGFAP\tAQP4\t\t\nOli\tNA\tMBP\tPLP1\tMOG\t\n"


@pytest.fixture
def downloads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Hold a small artefact, pinned as `lake2018`."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        member = tarfile.TarInfo("thing/cells.gmt")
        member.size = len(GMT)
        tar.addfile(member, io.BytesIO(GMT))
    content = archive.getvalue()
    pinned = Artefact("thing", "1", "thing-1.tar.gz", hashlib.sha256(content).hexdigest())
    source = GeneSetSource("cells of a test", partial(of_archive, pinned, "thing/cells.gmt"))
    monkeypatch.setitem(GENE_SET_SOURCES, "lake2018", source)
    folder = tmp_path / "downloads"
    folder.mkdir()
    (folder / pinned.filename).write_bytes(content)
    return folder


def test_what_is_fetched_can_be_named_as_genes(downloads, tmp_path):
    path = tmp_path / "sets" / "lake2018.gmt"
    assert fetch_gene_sets("lake2018", path, download_dir=downloads) == ["Ast", "Oli"]
    genes = ("AQP4", "GFAP", "MBP", "TP53")
    assert resolve_genes(f"{path}#Ast", genes) == ("AQP4", "GFAP")
    assert resolve_genes(str(path), genes) == ("AQP4", "GFAP", "MBP")


def test_nothing_is_overwritten_and_mistakes_are_said(downloads, tmp_path):
    path = tmp_path / "mine.gmt"
    path.write_text("mine")
    with pytest.raises(UserError, match="exists; delete it"):
        fetch_gene_sets("lake2018", path, download_dir=downloads)
    assert path.read_text() == "mine"
    with pytest.raises(UserError, match=r"does not end in \.gmt"):
        fetch_gene_sets("lake2018", tmp_path / "sets.txt", download_dir=downloads)
    with pytest.raises(UserError, match=r"no gene sets 'lake'; .*choose from \['lake2018', "):
        fetch_gene_sets("lake", tmp_path / "lake.gmt", download_dir=downloads)


def test_another_file_than_the_pinned_one_is_refused(downloads, tmp_path):
    (downloads / "thing-1.tar.gz").write_bytes(b"other")
    with pytest.raises(DataError, match="is needed"):
        fetch_gene_sets("lake2018", tmp_path / "lake2018.gmt", download_dir=downloads)
    assert not (tmp_path / "lake2018.gmt").exists()


def test_the_command_says_what_it_fetched(downloads, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        cli.main(["data", "gene-sets", "lake2018", "--download-dir", str(downloads)])
    assert ended.value.code == 0
    assert "lake2018.gmt: cells of a test" in (out := capsys.readouterr().out)
    assert "NAME one of Ast Oli" in out
    assert read_gmt(tmp_path / "lake2018.gmt")["Oli"] == ("MBP", "MOG", "PLP1")


@pytest.mark.parametrize("name", ["lake_shared", "richiardi2015", "syngo"])
@pytest.mark.parametrize("text", [b"SST\nPVALB\nSST\n", b"\xef\xbb\xbfSST,PVALB\r\n"])
def test_a_pinned_list_becomes_a_set_of_its_name(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: bytes
) -> None:
    path = f"data/enigma/gene_lists/{name}.txt"
    assert path in sources()
    pinned = {path: source_of(host, path, text)}
    monkeypatch.setattr(gene_lists, "sources", lambda: pinned)
    out = tmp_path / f"{name}.gmt"
    assert fetch_gene_sets(name, out) == [name]
    assert resolve_genes(str(out), ("PVALB", "SST", "TP53")) == ("PVALB", "SST")
    (host.root / path).write_bytes(b"something else")
    with pytest.raises(DataError, match="git blob id is .* is needed"):
        fetch_gene_sets(name, tmp_path / "again.gmt")
    (host.root / path).unlink()
    with pytest.raises(UserError, match="is gone"):
        fetch_gene_sets(name, tmp_path / "again.gmt")
    assert not (tmp_path / "again.gmt").exists()
