"""An S3 server on loopback."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator
from typing import Any

import boto3
from moto.server import ThreadedMotoServer

BUCKET = "gx2c-test"
# of nobody: the server on loopback takes any
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_EC2_METADATA_DISABLED": "true",
}


class Gate:
    """Stands before a server and refuses requests by their number, none unless it is told to."""

    def __init__(self) -> None:
        self.refuses: Callable[[int], bool] = lambda number: False
        self.numbers = itertools.count()

    def before(self, server: Callable[..., Any]) -> Callable[..., Any]:
        """Return the server with the gate before it."""

        def answer(environ: dict[str, Any], start: Callable[..., Any]) -> Any:
            if not self.refuses(next(self.numbers)):
                return server(environ, start)
            environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            start("503 Slow Down", [("Content-Length", "0")])
            return [b""]

        return answer


@contextlib.contextmanager
def s3_server(gate: Gate) -> Iterator[str]:
    """Start a server on a free port and yield the address of an empty bucket's folder, as a URI."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    assert server._server is not None
    server._server.app = gate.before(server._server.app)
    try:
        _, port = server.get_host_and_port()
        client = boto3.client(
            "s3",
            endpoint_url=f"http://127.0.0.1:{port}",
            region_name="us-east-1",
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        )
        client.create_bucket(Bucket=BUCKET)
        yield (
            f"s3://{BUCKET}/sweeps?scheme=http&region=us-east-1&endpoint_override=127.0.0.1:{port}"
        )
    finally:
        server.stop()
