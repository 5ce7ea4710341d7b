"""Starting or joining Ray: what cannot work ends in a sentence, soon, and leaves nothing."""

from __future__ import annotations

import socket
import time

import pytest

from gx2c.errors import UserError
from sweeps.workers.ray_session import ray_session


@pytest.fixture
def silent_port() -> int:
    """A port that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.timeout(40)
@pytest.mark.parametrize("kind", ["nobody listens", "nobody answers", "unknown host"])
def test_a_cluster_that_is_not_there_is_a_sentence(kind, silent_port, monkeypatch):
    address = {
        "nobody listens": "127.0.0.1:1",
        "nobody answers": f"127.0.0.1:{silent_port}",
        "unknown host": "no-such-host.invalid:6379",
    }[kind]
    monkeypatch.setenv("RAY_ADDRESS", address)
    started = time.monotonic()
    with pytest.raises(UserError, match="RAY_ADDRESS") as caught:
        with ray_session(cpus_per_trial=1, gpus_per_trial=0, shared="."):
            raise AssertionError("joined")
    assert address in str(caught.value) and "\n" not in str(caught.value)
    assert time.monotonic() - started < 20
