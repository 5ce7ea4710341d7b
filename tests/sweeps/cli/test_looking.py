"""What a browser and Ray show of a sweep, while it runs and after it; one sweep for all."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from real_sweeps import PATIENCE_S, start_gx2c, sweep_arguments, wait_for

from sweeps.folder.paths import SweepPaths
from sweeps.folder.records import read_json

CHROMIUM = shutil.which("chromium")
TOKEN = Path.home() / ".ray" / "auth_token"
# Two folds of configs under ASHA, long enough to be looked at
SEEN = "--folds 2 --samples 8 --max-epochs 150 --nulls 2 --max-concurrent 2".split()

pytestmark = [pytest.mark.slow]
in_a_browser = pytest.mark.skipif(CHROMIUM is None, reason="needs chromium")


@contextlib.contextmanager
def dashboard_of(paths: SweepPaths) -> Iterator[str]:
    """Serve a run as a user does, and return the address."""
    process = start_gx2c("dashboard", str(paths.root), "--port", "18080", cwd=paths.root.parent)
    try:
        line = next(line for line in process.stdout if "http" in line)
        address = next(word for word in line.split() if word.startswith("http"))
        wait_for(process, lambda: _answers(address), "page")
        yield address
    finally:
        process.terminate()
        process.communicate(timeout=30)


def _answers(address: str) -> bool:
    with contextlib.suppress(requests.RequestException):
        return requests.get(address, timeout=5).ok
    return False


def trials_at(address: str, name: str) -> list[dict[str, Any]]:
    """Ask optuna-dashboard for the trials of a study by name."""
    studies = requests.get(f"{address}/api/studies", timeout=30).json()["study_summaries"]
    found = [s["study_id"] for s in studies if s["study_name"] == name]
    if not found:
        return []
    page = requests.get(f"{address}/api/studies/{found[0]}", timeout=30).json()
    return list(page["trials"])


class Seen:
    """What was seen of the sweep while it ran."""

    def __init__(self) -> None:
        self.states: list[list[str]] = []
        self.ray: dict[str, Any] = {}


def ask_ray(address: str, what: str) -> Any:
    token = TOKEN.read_text().strip() if TOKEN.exists() else ""
    answer = requests.get(
        f"{address}/{what}", headers={"Authorization": f"Bearer {token}"}, timeout=30
    )
    answer.raise_for_status()
    return answer.json()


@pytest.fixture(scope="module")
def seen() -> Seen:
    return Seen()


@pytest.fixture(scope="module")
def paths(seen: Seen, tiny_dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> SweepPaths:
    """A finished sweep; it was watched all the while."""
    out = tmp_path_factory.mktemp("looking") / "run"
    paths = SweepPaths(out)
    process = start_gx2c(*sweep_arguments("mlp", tiny_dataset, out, *SEEN), cwd=out.parent)
    # its output is read at the end: it is short
    wait_for(process, paths.running.exists, "running config")
    address = read_json(paths.cluster)["ray_dashboard"]
    with dashboard_of(paths) as page:
        while process.poll() is None:
            of_folds = [trials_at(page, f"mlp_fold_{fold}") for fold in range(2)]
            seen.states.append([t["state"] for trials in of_folds for t in trials])
            with contextlib.suppress(requests.RequestException):
                seen.ray.setdefault("jobs", []).extend(ask_ray(address, "api/jobs/"))
                for what in ("actors", "tasks"):
                    listed = ask_ray(address, f"api/v0/{what}?detail=True&limit=1000")
                    rows = {str(r): r for r in listed["data"]["result"]["result"]}
                    seen.ray.setdefault(what, {}).update(rows)
            time.sleep(0.5)
    out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, err + out
    return paths


def test_a_dashboard_opened_during_a_sweep_follows_it(paths, seen):
    assert any("Running" in states for states in seen.states)
    counts = [len([s for s in states if s != "Running"]) for states in seen.states]
    assert len(set(counts)) > 1, "it never changed"


def test_ray_names_the_trials_and_tasks_by_their_work(paths, seen):
    actors = list(seen.ray["actors"].values())
    assert {a["class_name"] for a in actors} == {"FoldTrainable"}
    assert any(a["repr_name"].startswith("mlp fold ") for a in actors)
    names = {t["name"] for t in seen.ray["tasks"].values()}
    assert any(n.startswith("mlp fold 0 config ") for n in names)
    assert {"retrain mlp fold 0", "retrain geography fold 1"} & names


def test_ray_knows_which_sweep_its_job_is(paths, seen):
    metadata = [job["metadata"] for job in seen.ray["jobs"]]
    wanted = {"run": str(paths.root), "model": "mlp", "dataset": "tiny"}
    wanted["job_name"] = "run: mlp, tiny"
    assert any(wanted.items() <= found.items() for found in metadata)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


PLOT = """id => {
    const plot = document.getElementById(id)
    return plot && plot.data && plot.data.length ? plot.data.map(d => ({
        n: (d.x || []).length, mode: d.mode || d.type, name: d.name || ""})) : null
}"""


def plots(browser: Any, address: str, study: str, page_name: str, *ids: str) -> list[Any]:
    """Return the traces of plots on a page of a study, as the browser drew them."""
    studies = requests.get(f"{address}/api/studies", timeout=30).json()["study_summaries"]
    (number,) = [s["study_id"] for s in studies if s["study_name"] == study]
    page = browser.new_page(viewport={"width": 1280, "height": 1600})
    page.goto(f"{address}/dashboard/studies/{number}{page_name}")
    found = []
    for one in ids:
        page.wait_for_function(PLOT, arg=one, timeout=60_000)
        found.append(page.evaluate(PLOT, one))
    page.close()
    return found


@in_a_browser
def test_the_pages_of_a_search_show_every_config(paths, browser):
    with dashboard_of(paths) as address:
        history, importance = plots(
            browser, address, "mlp_all_folds", "",
            "plot-history", "graph-hyperparameter-importances",
        )  # fmt: skip
        (one_fold,) = plots(browser, address, "mlp_fold_0", "", "plot-history")
        (curves,) = plots(browser, address, "mlp_fold_0", "", "graph-intermediate-values")
    assert max(t["n"] for t in history if "markers" in t["mode"]) == 16
    assert max(t["n"] for t in one_fold if "markers" in t["mode"]) == 8
    assert importance[0]["n"] >= 2
    assert len(curves) == 8 and all(t["n"] >= 2 for t in curves)


def test_tensorboard_has_a_table_of_configs(paths, tmp_path):
    """One run a config, with what was chosen and how well it did."""
    port = 18090
    server = subprocess.Popen(
        [sys.executable, "-m", "tensorboard.main", "--logdir", str(paths.tensorboard),
         "--port", str(port)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    plugin = f"http://127.0.0.1:{port}/data/plugin/hparams"
    try:
        wait_for(server, lambda: _answers(f"http://127.0.0.1:{port}"), "page")
        time.sleep(2)  # it reads the files after it has begun to answer
        asked = {"experimentName": "", "allowedStatuses": ["STATUS_SUCCESS"], "sliceSize": 100}
        experiment = requests.post(f"{plugin}/experiment", json={}, timeout=60).json()
        metrics = [{"metric": m["name"]} for m in experiment["metricInfos"]]
        groups = requests.post(
            f"{plugin}/session_groups",
            json=asked | {"colParams": metrics, "startIndex": 0},
            timeout=60,
        ).json()["sessionGroups"]
    finally:
        server.terminate()
        server.wait()
    mine = [g for g in groups if g["hparams"]["model"] == "mlp"]
    assert len(mine) == 16
    records = [read_json(p) for p in paths.root.glob("records/mlp/*/*.json")]
    rates = sorted(r["params"]["learning_rate"] for r in records)
    assert sorted(g["hparams"]["learning_rate"] for g in mine) == pytest.approx(rates)
    for group in mine:
        values = {m["name"]["tag"]: m["value"] for m in group["metricValues"]}
        assert {"score", "validation/pearson_r"} <= set(values)
