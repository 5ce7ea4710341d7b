"""A Google Cloud Storage server on loopback."""

import contextlib
import logging
import socket
from collections.abc import Iterator

from gcp_storage_emulator.server import create_server

BUCKET = "gx2c-test"


@contextlib.contextmanager
def gs_server() -> Iterator[str]:
    """Start a server on a free port and yield the address of an empty bucket's folder, as a URI."""
    logging.getLogger("gcp_storage_emulator").setLevel(logging.ERROR)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = create_server("127.0.0.1", port, in_memory=True, default_bucket=BUCKET)
    server.start()
    try:
        # anonymous: the server on loopback takes anybody
        yield (
            f"gs://anonymous@{BUCKET}/sweeps?scheme=http&retry_limit_seconds=20"
            f"&endpoint_override=127.0.0.1%3A{port}"
        )
    finally:
        server.stop()
