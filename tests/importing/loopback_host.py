"""A small server of files on loopback, which can misbehave."""

from __future__ import annotations

import http.server
import threading
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gx2c.importing import registry
from gx2c.importing.fetching import git_blob
from gx2c.importing.registry import Source


@dataclass
class Host:
    """A folder that is served, and how the server misbehaves."""

    root: Path
    cuts: int = 0
    ignores_range: bool = False
    requests: list[tuple[str, str]] = field(default_factory=list)
    url: str = ""


def make_handler(host: Host) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range", "")
            host.requests.append((self.path, wanted))
            path = host.root / urllib.parse.unquote(self.path.split("/", 4)[-1])
            if not path.is_file():
                self.send_error(404)
                return
            content = path.read_bytes()
            start = 0 if host.ignores_range or not wanted else int(wanted[6:-1])
            if start >= len(content) > 0:
                self.send_error(416)
                return
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            rest = content[start:]
            if host.cuts > 0:
                host.cuts -= 1
                rest = rest[: len(rest) // 2]
            self.wfile.write(rest)

        def log_message(self, *_: object) -> None: ...

    return Handler


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    found = Host(tmp_path / "served")
    found.root.mkdir()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), make_handler(found))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    found.url = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr(registry, "RAW_HOST", found.url)
    monkeypatch.setenv("GX2C_CACHE", str(tmp_path / "cache"))
    yield found
    server.shutdown()
    server.server_close()
    thread.join()


def source_of(host: Host, name: str, content: bytes = b"") -> Source:
    path = host.root / name
    if content:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return Source("someone/somewhere", "c0ffee", name, git_blob(path), path.stat().st_size)
