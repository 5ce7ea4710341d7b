from __future__ import annotations

import hashlib
import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from gx2c.data import artefacts
from gx2c.data.artefacts import Artefact, fetch_artefact, read_tar_members, read_zip_members
from gx2c.errors import DataError, UserError

CONTENT = b"pinned"
PINNED = Artefact("thing", "1.0", "thing-1.0.whl", hashlib.sha256(CONTENT).hexdigest())


def test_a_downloaded_file_is_used_and_checked(tmp_path: Path) -> None:
    (tmp_path / PINNED.filename).write_bytes(CONTENT)
    assert fetch_artefact(PINNED, tmp_path) == CONTENT
    (tmp_path / PINNED.filename).write_bytes(b"other")
    with pytest.raises(DataError, match="delete the file and try again"):
        fetch_artefact(PINNED, tmp_path)


def test_a_missing_file_is_downloaded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fetched = []

    def download(artefact: Artefact, path: Path) -> None:
        fetched.append(artefact.filename)
        path.write_bytes(CONTENT)

    monkeypatch.setattr(artefacts, "_download", download)
    for _ in range(2):
        assert fetch_artefact(PINNED, tmp_path / "new") == CONTENT
    assert fetched == [PINNED.filename]


def test_no_network_is_said_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pypi_simple
    import requests

    def fail(*_: object, **__: object) -> None:
        raise requests.ConnectionError("unreachable")

    monkeypatch.setattr(pypi_simple.PyPISimple, "get_project_page", fail)
    with pytest.raises(UserError, match="cannot download thing-1.0.whl"):
        fetch_artefact(PINNED, tmp_path)


def test_members_are_read_in_memory_and_missing_ones_are_all_named() -> None:
    tar, wheel = io.BytesIO(), io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w:gz") as archive:
        member = tarfile.TarInfo("a.csv")
        member.size = 3
        archive.addfile(member, io.BytesIO(b"1,2"))
        link = tarfile.TarInfo("link.csv")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("a.csv", "1,2")
    assert read_tar_members(tar.getvalue(), ["a.csv"]) == {"a.csv": b"1,2"}
    assert read_zip_members(wheel.getvalue(), ["a.csv"]) == {"a.csv": b"1,2"}
    with pytest.raises(DataError, match=r"link\.csv is not in the archive"):
        read_tar_members(tar.getvalue(), ["link.csv"])
    with pytest.raises(DataError) as refused:
        read_zip_members(wheel.getvalue(), ["b", "c"])
    assert len(refused.value.problems) == 2
