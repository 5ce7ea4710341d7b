"""Fetching against a server on loopback: cut connections, wrong files, 404, and no network."""

from __future__ import annotations

import re
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import platformdirs
import pytest
from loopback_host import Host, source_of
from test_layouts import write_enigma, write_mesh
from world import World

from gx2c.data import list_datasets, load_dataset
from gx2c.errors import DataError, UserError
from gx2c.importing import fetching, registry
from gx2c.importing.fetching import fetch_dataset, fetch_file, git_blob
from gx2c.importing.registry import Remote, Source, remotes, sources
from sweeps.cli.app import main

CONTENT = bytes(range(256)) * 2000


def test_the_id_is_the_one_that_git_gives(tmp_path: Path) -> None:
    (tmp_path / "hello").write_bytes(b"hello\n")
    assert git_blob(tmp_path / "hello") == "ce013625030ba8dba906f756967f9e9ca394464a"


def test_a_file_is_downloaded_once(host: Host, tmp_path: Path) -> None:
    source = source_of(host, "a b.csv", CONTENT)
    for _ in range(2):
        assert fetch_file(source, tmp_path / "raw").read_bytes() == CONTENT
    assert host.requests == [("/someone/somewhere/c0ffee/a%20b.csv", "")]


def test_a_cut_connection_goes_on_where_it_broke(host: Host, tmp_path: Path) -> None:
    source = source_of(host, "a.csv", CONTENT)
    host.cuts = 2
    seen: list[tuple[int, int]] = []
    path = fetch_file(source, tmp_path, lambda _, done, total: seen.append((done, total)))
    assert path.read_bytes() == CONTENT
    starts = [int(wanted[6:-1] or 0) for _, wanted in host.requests]
    assert len(starts) == 3 and 0 == starts[0] < starts[1] < starts[2] < len(CONTENT)
    assert seen[-1] == (len(CONTENT), len(CONTENT))


def test_after_too_many_cuts_what_arrived_is_kept_for_the_next_try(
    host: Host, tmp_path: Path
) -> None:
    source = source_of(host, "a.csv", CONTENT)
    host.cuts = 3
    with pytest.raises(UserError, match="run the command again; what arrived is kept in"):
        fetch_file(source, tmp_path)
    kept = (tmp_path / "a.csv.part").stat().st_size
    assert 300_000 < kept < len(CONTENT) and not (tmp_path / "a.csv").exists()
    assert fetch_file(source, tmp_path).read_bytes() == CONTENT
    assert host.requests[-1][1] == f"bytes={kept}-"


def test_a_server_that_knows_no_ranges_starts_anew(host: Host, tmp_path: Path) -> None:
    source = source_of(host, "a.csv", CONTENT)
    host.cuts, host.ignores_range = 1, True
    assert fetch_file(source, tmp_path).read_bytes() == CONTENT


def test_a_whole_part_is_taken_without_another_byte(host: Host, tmp_path: Path) -> None:
    source = source_of(host, "a.csv", CONTENT)
    (tmp_path / "a.csv.part").write_bytes(CONTENT)
    assert fetch_file(source, tmp_path).read_bytes() == CONTENT


def test_another_file_than_the_pinned_one_is_refused_and_not_kept(
    host: Host, tmp_path: Path
) -> None:
    source = replace(source_of(host, "a.csv", CONTENT), git_blob="0" * 40)
    with pytest.raises(DataError, match=r"git blob id is .*; 0{40} is needed"):
        fetch_file(source, tmp_path)
    assert list(tmp_path.glob("a.csv*")) == []


def test_a_damaged_file_in_the_cache_is_fetched_again(host: Host, tmp_path: Path) -> None:
    source = source_of(host, "a.csv", CONTENT)
    (tmp_path / "a.csv").write_bytes(CONTENT[:-1])
    assert fetch_file(source, tmp_path).read_bytes() == CONTENT


def test_a_file_that_is_gone_is_said_to_be(host: Host, tmp_path: Path) -> None:
    source = replace(source_of(host, "a.csv", CONTENT), path="b.csv")
    with pytest.raises(UserError, match=r"b.csv is gone \(404\).*gx2c data import"):
        fetch_file(source, tmp_path)


def test_no_network_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "RAW_HOST", "http://127.0.0.1:9")
    source = Source("someone/somewhere", "c0ffee", "a.csv", "0" * 40, 1)
    with pytest.raises(UserError, match="cannot download http://127.0.0.1:9/.*check the network"):
        fetch_file(source, tmp_path)


def test_a_zip_is_unpacked_without_paths(host: Host, tmp_path: Path) -> None:
    archive = host.root / "a.csv.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("../../a.csv", "1,2\n")
        file.writestr("__MACOSX/._a.csv", "junk")
    fetch_file(source_of(host, "a.csv.zip"), tmp_path / "raw")
    assert (tmp_path / "raw" / "a.csv").read_text() == "1,2\n"
    assert sorted(p.name for p in (tmp_path / "raw").iterdir()) == ["a.csv", "a.csv.zip"]
    assert not (tmp_path.parent / "a.csv").exists()


@pytest.fixture
def small_enigma(host: Host, world: World, monkeypatch: pytest.MonkeyPatch) -> str:
    """A dataset of ENIGMA's shapes in the registry."""
    write_enigma(world, host.root)
    numbers = write_mesh(world, host.root)
    np.savetxt(host.root / "small_conte69.csv", numbers, fmt="%d")
    found = {path.name: source_of(host, path.name) for path in host.root.iterdir()}
    remote = Remote("A small brain", tuple(found), "Terms: mine", ("Me (2026)",), 32, "12", "mine")
    monkeypatch.setattr(fetching, "sources", lambda: found)
    monkeypatch.setattr(registry, "sources", lambda: found)
    for module in (fetching, registry):
        monkeypatch.setattr(module, "remotes", lambda: {"small_enigma": remote})
    return "small_enigma"


def test_a_dataset_is_fetched_imported_and_found_by_name(
    small_enigma: str, host: Host, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["data", "fetch", small_enigma])
    assert ended.value.code == 0
    told = capsys.readouterr().out
    assert told.index("licence: Terms: mine") < told.index("understood:")
    assert "  Me (2026)" in told
    brain = load_dataset(small_enigma)
    assert (brain.n_regions, brain.n_genes, brain.name) == (31, 12, small_enigma)
    assert small_enigma in [name for name, _, _ in list_datasets()]
    n_requests = len(host.requests)
    assert fetch_dataset(small_enigma).brain.n_regions == 31
    assert len(host.requests) == n_requests  # all files were in the cache
    with pytest.raises(SystemExit):
        main(["data", "list"])
    listed = capsys.readouterr().out
    assert "small_enigma\tfetched\tA small brain; fetched" in listed
    assert "32 regions, 12 genes" in listed and "Terms" in listed
    with pytest.raises(SystemExit):
        main(["data", "show", small_enigma])
    shown = capsys.readouterr().out
    assert "Terms: mine" in shown and "Me (2026)" in shown


def test_without_a_folder_the_cache_is_that_of_the_platform(
    small_enigma: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GX2C_CACHE")
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda name: tmp_path / "own" / name)
    made = fetch_dataset(small_enigma)
    assert made.folder == tmp_path / "own" / "gx2c" / "datasets" / small_enigma
    assert load_dataset(small_enigma).n_regions == 31


def test_what_can_be_fetched_is_listed_and_unknown_names_are_refused(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GX2C_CACHE", str(tmp_path))
    with pytest.raises(SystemExit):
        main(["data", "fetch", "--list"])
    told = capsys.readouterr().out
    assert "enigma_schaefer200\tfetchable\tENIGMA's HCP group connectomes" in told
    assert "200 regions, 430 genes, 5.3 MB, BSD-3-Clause" in told
    assert "ukbb_s456" in told and "ipa729" in told
    shipped = next(line for line in told.splitlines() if line.startswith("schaefer100\t"))
    _, state, _, facts, folder = shipped.split("\t")
    assert state == "shipped" and folder.endswith("data/schaefer100")
    assert re.fullmatch(r"100 regions, 15,633 genes, [0-9.]+ MB, .+", facts)
    with pytest.raises(
        UserError, match="no dataset 'enigma' can be fetched; choose from enigma_dk"
    ):
        fetch_dataset("enigma")


def test_every_file_of_the_registry_is_pinned() -> None:
    for name, remote in remotes().items():
        assert remote.licence and remote.references and remote.n_regions > 0, name
        for path in remote.paths:
            source = sources()[path]
            assert len(source.git_blob) == len(source.commit) == 40
            assert source.url.startswith("https://raw.githubusercontent.com/")
    used = {path for remote in remotes().values() for path in remote.paths}
    assert used == {path for path in sources() if "gene_lists" not in path}
