"""Take the pictures of docs/inspect.md: `python docs/make_inspect.py RUN`.

The status is drawn from the files of RUN, as `gx2c status RUN` prints them. Pages are shown by
Chromium (`apt-get install chromium`) and need optuna-dashboard and tensorboard; Ray's dashboard
needs RUN to be running. A page that cannot be shown is named and keeps its old picture.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import io
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import requests
from rich.console import Console

from sweeps.cli.tables import print_status
from sweeps.folder.paths import SweepPaths
from sweeps.phases.study import copy_study
from sweeps.run.status import read_status

IMAGES = Path(__file__).parent / "images"
WIDTH = 80
# Page and window size; of a longer page, its top
SIZE = (1280, 900)
# Pages ask for their data after they are loaded
LOADING_S = 8.0
PATIENCE_S = 60.0
# The cookie in which Ray's dashboard keeps the token that it asks for
TOKEN_COOKIE = "ray-authentication-token"


def draw_status(paths: SweepPaths) -> Path:
    """Draw what the terminal shows."""
    console = Console(
        record=True, width=WIDTH, force_terminal=True, file=io.StringIO(), highlight=False
    )
    print_status(read_status(paths), console)
    path = IMAGES / "status.svg"
    path.write_text(console.export_svg(title=f"gx2c status {paths.root}", unique_id="status"))
    return path


def photograph(address: str, name: str, **cookies: str) -> Path:
    """Save what a browser shows of a page."""
    path = IMAGES / f"{name}.png"
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        raise OSError("chromium is not installed")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen(
            [browser, "--headless=new", "--no-sandbox", "--hide-scrollbars", "--disable-gpu",
             f"--user-data-dir={profile}", f"--window-size={SIZE[0]},{SIZE[1]}",
             "--remote-debugging-port=0", "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            path.write_bytes(asyncio.run(_shown(Path(profile), address, cookies)))
        finally:
            process.terminate()
            process.wait()
    return path


async def _shown(profile: Path, address: str, cookies: Mapping[str, str]) -> bytes:
    """Steer the browser by its DevTools protocol: set cookies, load the page, take a picture."""
    port_file, end = profile / "DevToolsActivePort", time.monotonic() + PATIENCE_S
    while not (port_file.exists() and port_file.read_text()):
        if time.monotonic() > end:
            raise OSError("the browser does not answer")
        await asyncio.sleep(0.1)
    port = port_file.read_text().splitlines()[0]
    pages = requests.get(f"http://127.0.0.1:{port}/json", timeout=PATIENCE_S).json()
    (page,) = [p["webSocketDebuggerUrl"] for p in pages if p["type"] == "page"]
    async with aiohttp.ClientSession() as session, session.ws_connect(page, max_msg_size=0) as ws:

        async def ask(method: str, **params: Any) -> Any:
            await ws.send_json({"id": 1, "method": method, "params": params})
            return (await ws.receive_json())["result"]

        for cookie, value in cookies.items():
            await ask("Network.setCookie", name=cookie, value=value, url=address)
        await ask("Page.navigate", url=address)
        await asyncio.sleep(LOADING_S)
        return base64.b64decode((await ask("Page.captureScreenshot"))["data"])


def photograph_report(paths: SweepPaths) -> Path:
    """Show the page that a sweep writes."""
    return photograph(paths.report.absolute().as_uri(), "report")


def photograph_search(paths: SweepPaths) -> Path:
    """Show optuna-dashboard on the run's own study, not geography's."""
    copy_study(paths)
    with _served("optuna-dashboard", f"sqlite:///{paths.study}", "--port") as address:
        studies = requests.get(f"{address}/api/studies", timeout=PATIENCE_S).json()
        ours = [s for s in studies["study_summaries"] if "geography" not in s["study_name"]]
        return photograph(f"{address}/dashboard/studies/{ours[0]['study_id']}", "optuna_dashboard")


def photograph_curves(paths: SweepPaths) -> Path:
    """Show TensorBoard with the first outer fold; it shows few curves unless asked for all."""
    with tempfile.TemporaryDirectory() as few:
        for trial in paths.tensorboard.glob("*_fold0_*"):
            (Path(few) / trial.name).symlink_to(trial.absolute())
        with _served("tensorboard", "--logdir", few, "--port") as address:
            return photograph(f"{address}/?tagFilter=score#timeseries", "tensorboard")


def photograph_ray(paths: SweepPaths) -> Path:
    """Show Ray's dashboard of the cluster on which the run is running."""
    address = read_status(paths)["ray_dashboard"]
    if not address:
        raise OSError("no cluster is up for this run")
    token = (Path.home() / ".ray/auth_token").read_text().strip()
    return photograph(f"{address}/#/actors", "ray_dashboard", **{TOKEN_COOKIE: token})


@contextlib.contextmanager
def _served(*command: str) -> Iterator[str]:
    """Run a server on a free port, which is its last argument, until it is not needed."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = shutil.which(command[0])
    if program is None:
        raise OSError(f"{command[0]} is not installed")
    address = f"http://127.0.0.1:{port}"
    server = subprocess.Popen(
        [program, *command[1:], str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        end = time.monotonic() + PATIENCE_S
        while not _answers(address):
            if time.monotonic() > end:
                raise OSError(f"{command[0]} does not answer")
            time.sleep(0.2)
        yield address
    finally:
        server.terminate()
        server.wait()


def _answers(address: str) -> bool:
    try:
        return requests.get(address, timeout=PATIENCE_S).ok
    except requests.ConnectionError:
        return False


PICTURES = (draw_status, photograph_report, photograph_search, photograph_curves, photograph_ray)


def main() -> None:
    """Take every picture that can be taken."""
    paths = SweepPaths(Path(sys.argv[1]))
    for take in PICTURES:
        try:
            print(take(paths))
        except (OSError, subprocess.SubprocessError) as error:
            print(f"{take.__name__}: no picture: {error}")


if __name__ == "__main__":
    main()
