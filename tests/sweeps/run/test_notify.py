"""What a hook is told, and that a hook that fails harms nothing."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from report_additions import grade_run
from report_fixtures import make_run

from gx2c.errors import UserError
from sweeps.folder.provenance import without_address
from sweeps.run.notify import hook_of, notifying
from sweeps.run.stopping import ENDS, Stopped


class Listener(HTTPServer):
    """A server on loopback that keeps what is posted to it."""

    status = 200

    def __init__(self) -> None:
        self.posted: list[tuple[str, Any, bytes]] = []
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/topic"


class _Handler(BaseHTTPRequestHandler):
    server: Listener

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.posted.append((self.path, self.headers, body))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def listener() -> Iterator[Listener]:
    with Listener() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_the_end_of_a_sweep_is_told_with_its_verdict(listener: Listener, tmp_path: Path) -> None:
    paths = make_run(tmp_path / "mine", n_folds=2, n_configs=1)
    found = grade_run(paths, 2)
    for form in ("", "slack+", "ntfy+"):
        with notifying(form + listener.url, paths.root):
            pass
    (_, _, plain), (_, _, slack), (path, headers, ntfy) = listener.posted
    title = "gx2c sweep finished: mine"
    told = {"event": "finished", "run": "mine", "text": found.sentence, "grade": 2}
    assert json.loads(plain) == told | {"title": title}
    assert json.loads(slack) == {"text": f"*{title}*\n{found.sentence}"}
    assert (path, headers["Title"], ntfy.decode()) == ("/topic", title, found.sentence)


@pytest.mark.parametrize(
    ("error", "event", "text"),
    [
        (UserError("no room left"), "failed", "no room left"),
        (ZeroDivisionError(), "failed", "ZeroDivisionError"),
        (Stopped(next(iter(ENDS))), "stopped", "stopped"),
        (KeyboardInterrupt(), "stopped", "KeyboardInterrupt"),
    ],
)
def test_failures_and_stops_are_told_and_raised(listener, tmp_path, error, event, text) -> None:
    with pytest.raises(type(error)) as caught, notifying(listener.url, tmp_path / "run"):
        raise error
    assert caught.value is error
    ((_, _, body),) = listener.posted
    assert json.loads(body)["event"] == event
    assert json.loads(body)["text"] == text


def test_a_hook_that_fails_harms_nothing(listener, tmp_path, capsys) -> None:
    listener.status = 500
    with notifying(listener.url, tmp_path / "run"):
        pass
    assert "not delivered (HTTP 500)" in capsys.readouterr().err
    with Listener() as gone:
        address = gone.url
    with notifying(address, tmp_path / "run"):
        done = True
    said = capsys.readouterr().err
    assert done and "not delivered (ConnectionError)" in said and "topic" not in said


@pytest.mark.parametrize("address", ["ftp://x/y", "slack", "mail+https://s3cret", "https://"])
def test_what_is_no_address_is_refused_before_the_work(address: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="--notify takes an address") as caught:
        with notifying(address, tmp_path):
            pytest.fail("the work began")
    assert "s3cret" not in str(caught.value)


def test_hosts_have_their_forms() -> None:
    assert hook_of("") is None
    forms = {"https://hooks.slack.com/T/B": "slack", "https://ntfy.sh/mine": "ntfy"}
    forms |= {"https://example.org/": "json", "slack+https://example.org/x": "slack"}
    for address, form in forms.items():
        assert hook_of(address).form == form


def test_the_address_is_not_in_the_command_that_a_run_keeps() -> None:
    words = ["sweep", "mlp", "--notify", "https://s3cret", "--notify=https://s3cret", "--seed", "2"]
    kept = ["sweep", "mlp", "--notify", "...", "--notify=...", "--seed", "2"]
    assert without_address(words) == kept
