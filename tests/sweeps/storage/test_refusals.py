"""S3 that refuses requests: a worker repeats them, Tune makes no more of them, the end is said."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from pyarrow import fs
from ray.tune.error import TuneError
from ray.tune.execution.tune_controller import TuneController
from s3_server import CREDENTIALS

from gx2c.errors import UserError
from sweeps.phases.tuner import refusals_said
from sweeps.search.ray_patches import state_is_written_once
from trainables.fold_trainable import patient

pytestmark = pytest.mark.timeout(60)


class Refusing:
    """Answers the first requests with 503, and then that there is no such object."""

    def __init__(self, n_refused: int) -> None:
        self.left = n_refused

    def __call__(self, environ: Any, start: Any) -> list[bytes]:
        self.left -= 1
        start("503 Slow Down" if self.left >= 0 else "404 Not Found", [("Content-Length", "0")])
        return [b""]


class Silent(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Print nothing."""


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Refusing, fs.FileSystem]]:
    """A server that refuses five requests, and the file system as a worker gets it."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    server = Refusing(5)
    with make_server("127.0.0.1", 0, server, handler_class=Silent) as serving:
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        where = f"scheme=http&region=us-east-1&endpoint_override=127.0.0.1:{serving.server_port}"
        driver, _ = fs.FileSystem.from_uri(f"s3://bucket/folder?{where}")
        yield server, pickle.loads(pickle.dumps(driver))
        serving.shutdown()


def test_a_worker_repeats_what_s3_refuses(refused):
    server, filesystem = refused
    found = patient(filesystem).get_file_info("bucket/folder/checkpoint")
    assert found.type == fs.FileType.NotFound
    assert server.left < 0


def test_a_refusal_that_tune_wraps_is_a_sentence_with_its_first_cause():
    with pytest.raises(
        UserError, match=r"storage s3://b cannot be used \(OSError: 503\).*--resume"
    ):
        with refusals_said("s3://b"):
            try:
                raise OSError("Traceback of a worker\nOSError: 503")
            except OSError:
                raise TuneError("Traceback of the driver") from None
    for storage, error in (("", OSError("503")), ("s3://b", TuneError("a fault of our own"))):
        with pytest.raises(type(error)) as caught, refusals_said(storage):
            raise error
        assert caught.value is error


def test_other_file_systems_stay_as_they_are():
    local = fs.LocalFileSystem()
    assert patient(local) is local


def test_tune_writes_its_state_at_its_end_only():
    written: list[bool] = []
    manager = SimpleNamespace(sync_up_experiment_state=lambda **how: written.append(how["wait"]))
    controller: Any = SimpleNamespace(_checkpoint_manager=manager, save_to_dir=None)
    with state_is_written_once():
        TuneController.checkpoint(controller)
        TuneController.checkpoint(controller, force=True)
        assert not written
        TuneController.checkpoint(controller, force=True, wait=True)
    TuneController.checkpoint(controller)
    assert written == [True, False]
