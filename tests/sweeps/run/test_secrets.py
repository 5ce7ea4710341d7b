"""No token of the environment reaches a run folder or what is printed."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from real_sweeps import (
    kill_driver,
    members_of,
    start_gx2c,
    sweep_arguments,
    trial_workers,
    wait_for,
)

from gx2c.errors import UserError
from sweeps.request.options import make_options
from sweeps.workers.session_folder import (
    LONGEST_SOCKET,
    SHORT,
    SOCKET,
    TOKEN,
    keep_token_private,
    session_folder,
)

SECRETS = {
    "AWS_ACCESS_KEY_ID": "AKIAQ7SECRET1",
    "AWS_SECRET_ACCESS_KEY": "s3cr3t-of-aws-9917",
    "AWS_SESSION_TOKEN": "s3cr3t-session-5521",
    "GITHUB_TOKEN": "ghp_s3cr3t4408",
    "GOOGLE_APPLICATION_CREDENTIALS": "/home/me/s3cr3t-7713.json",
}


@pytest.mark.parametrize("storage", ["s3://key:secret@bucket/x", "s3://key@bucket", "gs://a:b@c/d"])
def test_credentials_in_an_option_are_refused_without_repeating_them(storage):
    with pytest.raises(UserError, match="storage contains a secret") as caught:
        make_options("mlp", preset="quick", storage=storage)
    assert ":secret" not in str(caught.value)
    make_options("mlp", preset="quick", storage="s3://bucket/me@home")


def files_of(*folders: Path) -> dict[str, bytes]:
    """Read every ordinary file below some folders; those that vanish meanwhile count nothing."""
    found = {}
    for path in (path for folder in folders for path in folder.rglob("*")):
        with contextlib.suppress(OSError):
            if path.is_file() and not path.is_symlink() and path.stat().st_size < 10**8:
                found[str(path)] = path.read_bytes()
    return found


def refuse_secrets(texts: Mapping[str, bytes]) -> None:
    assert len(texts) > 10
    for name, text in texts.items():
        for variable, secret in SECRETS.items():
            assert secret.encode() not in text, f"{variable} is in {name}"


def listening(members: Sequence[int]) -> set[str]:
    """Return the addresses on which some processes listen, as the kernel writes them."""
    inodes = set()
    for member in members:
        for link in Path(f"/proc/{member}/fd").glob("*"):
            with contextlib.suppress(OSError):
                inodes.add(os.readlink(link).removeprefix("socket:[").rstrip("]"))
    rows = [
        line.split()
        for table in ("tcp", "tcp6")
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
    ]
    return {row[1].partition(":")[0] for row in rows if row[3] == "0A" and row[9] in inodes}


@pytest.mark.slow
def test_a_sweep_keeps_no_token_listens_on_loopback_alone_and_leaves_no_folder(
    tiny_dataset, tmp_path
):
    """One sweep looked at while it runs, killed, then resumed to its end."""
    run = tmp_path / "run"
    # a path that is short enough for sockets
    temporary = Path(tempfile.mkdtemp(prefix="s-", dir="/tmp"))
    arguments = sweep_arguments("mlp", tiny_dataset, run, "--nulls", "0")
    environment = {**SECRETS, "TMPDIR": str(temporary)}
    process = start_gx2c(*arguments, cwd=tmp_path, environment=environment)
    wait_for(process, lambda: trial_workers(process), "workers")
    wait_for(process, lambda: list(run.glob("records/*/*/*.json")), "records")
    everywhere = (run, temporary, Path("/dev/shm"))
    refuse_secrets(files_of(*everywhere))
    members = members_of(process.pid)
    # 127.0.0.1, in IPv4 and as IPv6
    loopback = {"0100007F", "0000000000000000FFFF00000100007F", "00000000000000000000000001000000"}
    found = listening([process.pid, *members])
    assert found and found <= loopback
    (session,) = temporary.glob("gx2c-ray-*")
    assert stat.S_IMODE(session.stat().st_mode) == 0o700
    assert stat.S_IMODE((Path.home() / TOKEN).stat().st_mode) == 0o600
    kill_driver(process)
    assert session.exists(), "a killed sweep cannot remove it"
    refuse_secrets(files_of(*everywhere))
    resumed = start_gx2c(*arguments, "--resume", cwd=tmp_path, environment=environment)
    out, err = resumed.communicate(timeout=240)
    assert resumed.returncode == 0, err
    assert not list(temporary.glob("*gx2c-ray-*")), "remnants are removed"
    refuse_secrets({"out": out.encode(), "err": err.encode(), **files_of(*everywhere)})
    shutil.rmtree(temporary)


@pytest.mark.parametrize("there", [True, False])
def test_the_token_of_ray_is_this_users_alone(tmp_path, monkeypatch, there):
    monkeypatch.setenv("HOME", str(tmp_path))
    token = tmp_path / TOKEN
    if there:
        token.parent.mkdir()
        token.write_text("mine")
        token.chmod(0o644)
    keep_token_private()
    assert stat.S_IMODE(token.stat().st_mode) == 0o600
    assert token.read_text() == "mine" if there else len(token.read_text()) == 64


def test_a_token_from_elsewhere_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("RAY_AUTH_TOKEN", "of the environment")
    keep_token_private()
    assert not list(tmp_path.iterdir())


def test_only_folders_of_sweeps_that_ended_are_removed(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr("sweeps.workers.session_folder.LONGEST_SOCKET", 1_000)
    left, other = tmp_path / "gx2c-ray-left", tmp_path / "gx2c-ray-other"
    for folder in (left, other):
        folder.mkdir()
    (left / ".lock").touch()
    (tmp_path / "gx2c-ray-link").symlink_to(other)
    with session_folder() as mine:
        assert not left.exists()
        with session_folder() as second:
            assert mine.parent.exists() and mine != second
        assert not second.parent.exists()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["gx2c-ray-link", "gx2c-ray-other"]


def test_a_long_temporary_folder_gives_way_to_a_short_one(tmp_path, monkeypatch):
    long = tmp_path / ("n" * 100)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    with session_folder() as folder:
        assert folder.parents[1] == Path(SHORT)
        assert len(str(folder.parent / SOCKET)) <= LONGEST_SOCKET
    monkeypatch.setattr("sweeps.workers.session_folder.SHORT", str(long))
    with pytest.raises(UserError, match="TMPDIR"), session_folder():
        pass
