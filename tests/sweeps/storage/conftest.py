from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from gs_server import gs_server
from s3_server import CREDENTIALS, Gate, s3_server

from sweeps.storage.store import Store, open_store


@pytest.fixture(scope="session")
def _gate() -> Gate:
    return Gate()


@pytest.fixture(scope="session")
def s3(_gate: Gate) -> Iterator[str]:
    """The URI of a folder on an S3 server on loopback."""
    with pytest.MonkeyPatch.context() as patch, s3_server(_gate) as uri:
        for name, value in CREDENTIALS.items():
            patch.setenv(name, value)
        yield uri


@pytest.fixture
def s3_gate(_gate: Gate) -> Iterator[Gate]:
    """Before the S3 server; it lets everything pass unless a test tells it otherwise."""
    passes = _gate.refuses
    yield _gate
    _gate.refuses = passes


@pytest.fixture(scope="session")
def gs() -> Iterator[str]:
    """The URI of a folder on a Google Cloud server on loopback."""
    with gs_server() as uri:
        yield uri


@pytest.fixture(params=["folder", "s3", "gs"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """An empty store of each kind."""
    if request.param == "folder":
        return open_store(str(tmp_path / "store"))
    # the tests share a bucket; each gets a folder of its own
    return open_store(request.getfixturevalue(request.param), tmp_path.name)
