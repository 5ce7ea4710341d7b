"""Take the pictures of docs/inspect.md: `python docs/make_inspect.py RUN`.

If there is no RUN yet, the job of `make sweep` runs into it: the terminal and Ray's dashboard are
pictured while it searches, all else at its end. Of a finished RUN, only the latter. Pages are shown
by Chromium (`apt-get install chromium`).
"""

from __future__ import annotations

import contextlib
import io
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import requests
from PIL import Image
from playwright.sync_api import BrowserContext, Page, sync_playwright
from rich.console import Console

from sweeps.cli.tables import print_status
from sweeps.folder.paths import SweepPaths
from sweeps.phases.study import copy_study
from sweeps.request.files import read_options
from sweeps.run.status import read_status

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "images"
WIDTH = 80
WIDTH_PX = 1280
COLOURS = 192
# Pages ask for their data after they are loaded, and draw slowly
LOADING_S = 8.0
PATIENCE_S = 120.0
# The cookie in which Ray's dashboard keeps the token that it asks for
TOKEN_COOKIE = "ray-authentication-token"
# Columns that fit into a picture of TensorBoard's table
COLUMNS = ("config", "outer fold", "dropout", "learning_rate", "score", "validation/pearson_r")
STATUSES = ("Unknown", "Success", "Failure", "Running")


@contextlib.contextmanager
def started(paths: SweepPaths) -> Iterator[subprocess.Popen[bytes]]:
    """Start the job of `make sweep`."""
    recipe = re.search(r"^sweep:.*\n\t\$\(BIN\)/gx2c (.+)$", (ROOT / "Makefile").read_text(), re.M)
    if recipe is None:
        raise SystemExit("the Makefile has no job `sweep`")
    gx2c = ["python", "-m", "sweeps.cli.app", *shlex.split(recipe[1]), "--out", str(paths.root)]
    process = subprocess.Popen(gx2c, executable=sys.executable)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def wait_for_some(process: subprocess.Popen[bytes], paths: SweepPaths) -> None:
    """Wait until a quarter of the configs have been tried."""
    while process.poll() is None:
        time.sleep(1)
        if not paths.running.exists():
            continue
        model = read_options(paths).model
        folds = [fold for fold in read_status(paths)["folds"] if fold["model"] == model]
        if 4 * sum(fold["done"] for fold in folds) >= sum(fold["total"] for fold in folds):
            return
    raise SystemExit("the sweep ended too early")


def draw_status(paths: SweepPaths) -> None:
    """Draw what the terminal shows."""
    console = Console(
        record=True, width=WIDTH, force_terminal=True, file=io.StringIO(), highlight=False
    )
    print_status(read_status(paths), console)
    svg = console.export_svg(title=f"gx2c status {paths.root}", unique_id="status")
    (IMAGES / "status.svg").write_text(svg)


def opened(browser: BrowserContext, address: str, *, height: int = 900) -> Page:
    """Open a page."""
    page = browser.new_page()
    page.set_viewport_size({"width": WIDTH_PX, "height": height})
    page.goto(address)
    return page


def keep(page: Page, name: str, *, close: bool = True) -> None:
    """Save what a window shows of a page once it has drawn."""
    time.sleep(LOADING_S)
    save(page.screenshot(), name)
    if close:
        page.close()


def save(png: bytes, name: str) -> None:
    """Save a picture with a third of its bytes."""
    few = Image.open(io.BytesIO(png)).convert("RGB").quantize(COLOURS)
    few.save(IMAGES / f"{name}.png", optimize=True)


def picture_ray(browser: BrowserContext, paths: SweepPaths) -> None:
    """Show what Ray's dashboard names after the sweep: its job, workers and tasks."""
    address = read_status(paths)["ray_dashboard"]
    token = (Path.home() / ".ray/auth_token").read_text().strip()
    browser.add_cookies([{"name": TOKEN_COOKIE, "value": token, "url": address}])
    keep(opened(browser, f"{address}/#/jobs", height=530), "ray_jobs")
    keep(opened(browser, f"{address}/#/actors", height=530), "ray_actors")
    page = opened(browser, f"{address}/#/jobs/01000000")
    heading = page.get_by_text("Task Table")
    heading.click()
    time.sleep(LOADING_S)
    page.mouse.move(0, 0)
    heading.evaluate("e => window.scrollTo(0, e.getBoundingClientRect().top + scrollY - 110)")
    keep(page, "ray_tasks")


def picture_report(browser: BrowserContext, paths: SweepPaths) -> None:
    """Show the page that a sweep writes."""
    keep(opened(browser, paths.report.absolute().as_uri()), "report")


def picture_search(browser: BrowserContext, paths: SweepPaths) -> None:
    """Show the run's own studies in optuna-dashboard."""
    model, study = read_options(paths).model, copy_study(paths)
    with served("optuna-dashboard", f"sqlite:///{study}", "--port") as address:
        found = requests.get(f"{address}/api/studies", timeout=PATIENCE_S).json()
        numbers = {s["study_name"]: s["study_id"] for s in found["study_summaries"]}
        all_folds = f"{address}/dashboard/studies/{numbers[f'{model}_all_folds']}"
        keep(opened(browser, all_folds, height=1220), "optuna_dashboard")
        keep(opened(browser, f"{all_folds}/smartSelection", height=730), "optuna_parallel")
        page = opened(browser, f"{address}/dashboard/studies/{numbers[f'{model}_fold_0']}")
        time.sleep(LOADING_S)
        save(page.locator("#graph-intermediate-values").screenshot(), "optuna_curves")


def picture_curves(browser: BrowserContext, paths: SweepPaths) -> None:
    """Show TensorBoard's curves and its table, as a table and as parallel coordinates."""
    with served("tensorboard", "--logdir", str(paths.tensorboard), "--port") as address:
        # it reads the files after it has begun to answer
        time.sleep(LOADING_S)
        page = opened(browser, f"{address}/?tagFilter=score#timeseries")
        page.get_by_role("button", name="Settings").first.click()
        page.get_by_role("button", name="Toggle full size mode").first.click()
        keep(page, "tensorboard")
        page = opened(browser, f"{address}/#hparams")
        time.sleep(LOADING_S)
        for box in page.locator("tf-hparams-query-pane paper-checkbox").all():
            name, ticked = box.inner_text().strip(), box.get_attribute("checked") is not None
            if name not in STATUSES and ticked != (name in COLUMNS):
                box.click()
        keep(page, "tensorboard_table", close=False)
        page.get_by_text("Parallel Coordinates View").click()
        keep(page, "tensorboard_parallel")


@contextlib.contextmanager
def served(*command: str) -> Iterator[str]:
    """Run a server on a free port, which is its last argument, until it is not needed."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address, quiet = f"http://127.0.0.1:{port}", subprocess.DEVNULL
    program = Path(sys.executable).with_name(command[0])
    server = subprocess.Popen([program, *command[1:], str(port)], stdout=quiet, stderr=quiet)
    try:
        end = time.monotonic() + PATIENCE_S
        while not answers(address):
            if time.monotonic() > end:
                raise SystemExit(f"{command[0]} does not answer")
            time.sleep(0.2)
        yield address
    finally:
        server.terminate()
        server.wait()


def answers(address: str) -> bool:
    """Ask a server whether it is there."""
    with contextlib.suppress(requests.ConnectionError):
        return requests.get(address, timeout=PATIENCE_S).ok
    return False


def main() -> None:
    """Take every picture."""
    paths = SweepPaths(Path(sys.argv[1]))
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        browser = chromium.new_context()
        if not paths.root.exists():
            with started(paths) as process:
                wait_for_some(process, paths)
                draw_status(paths)
                picture_ray(browser, paths)
                process.wait()
        for take in (picture_report, picture_search, picture_curves):
            take(browser, paths)


if __name__ == "__main__":
    main()
