"""What `gx2c status` and `gx2c dashboard` say of runs in every state; files only."""

from __future__ import annotations

import importlib.util
import io
import json
import os
from pathlib import Path

import pytest
from rich.console import Console
from sweep_fixtures import make_brain, make_plan, run_board_serially, run_nulls, search_and_retrain

from gx2c.data import write_dataset
from gx2c.errors import UserError
from gx2c.nulls import spatiomolecular
from sweeps.cli import app as cli
from sweeps.cli.runs import dashboard
from sweeps.cli.tables import print_status
from sweeps.folder.lock import Holder, folder_lock
from sweeps.folder.paths import SweepPaths
from sweeps.folder.records import read_json, write_json
from sweeps.request.files import write_request
from sweeps.run.status import _eta_s, read_status


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory):
    dataset = write_dataset(tmp_path_factory.mktemp("d") / "tiny", make_brain(), {"Name": "tiny"})
    return make_plan("mlp", dataset=str(dataset))


@pytest.fixture
def paths(plan, tmp_path: Path) -> SweepPaths:
    """A run that has begun and finished nothing."""
    paths = SweepPaths(tmp_path / "run")
    write_request(paths, plan)
    return paths


def test_a_run_that_has_just_begun(paths):
    status = read_status(paths)
    assert (status["state"], status["phase"], status["eta_s"]) == ("stopped", "search", None)
    assert [(f["model"], f["fold"], f["done"], f["total"]) for f in status["folds"]] == [
        ("mlp", 0, 0, 4), ("mlp", 1, 0, 4), ("geography", 0, 0, 6), ("geography", 1, 0, 6)
    ]  # fmt: skip
    assert status["cpu_s"] == status["gpu_s"] == 0
    assert status["disk_bytes"] > 0


def test_a_search_that_was_stopped_counts_states_and_causes(plan, paths):
    board = plan.board(paths)
    run_board_serially(plan, board)
    record = paths.record("mlp", 0, 2)
    failed = read_json(record) | {"state": "FAILED", "score": None, "cause": "diverged at epoch 1"}
    write_json(record, failed)
    gone = next(r.number for r in board.records()["mlp", 1] if r.state == "PRUNED")
    paths.record("mlp", 1, gone).unlink()
    status = read_status(paths)
    first, second = status["folds"][:2]
    assert (first["done"], first["failed"], second["done"]) == (4, 1, 3)
    records = [r for r in board.records()["mlp", 1] if r.state == "COMPLETE"]
    best = max(records, key=lambda r: r.score)
    assert (second["best"], second["best_config"]) == (best.score, best.number)
    assert status["causes"] == {"diverged at epoch 1": 1}
    assert (status["state"], status["phase"]) == ("stopped", "search")
    assert status["cpu_s"] == pytest.approx(
        sum(read_json(p)["seconds"] for p in paths.root.glob("records/*/*/*.json")), abs=0.1
    )


def test_a_run_whose_work_is_done_waits_for_its_report(plan, paths):
    jobs = search_and_retrain(plan, paths)
    assert read_status(paths)["phase"] == "nulls"
    run_nulls(plan, paths, jobs)
    status = read_status(paths)
    assert (status["state"], status["phase"]) == ("stopped", "report")
    assert status["retrained"] == {"done": 4, "total": 4}
    assert status["nulls"] == {"done": 4, "total": 4}
    write_json(paths.summary, {})
    assert (read_status(paths)["state"], read_status(paths)["phase"]) == ("finished", "done")


@pytest.mark.parametrize(
    ("options", "folders"),
    [
        ({"null_method": "spatiomolecular"}, ["mlp", "unselected/mlp"]),
        ({"null_method": "hungarian", "null_moves": "genes+coordinates"}, ["geography", "mlp"]),
    ],
)
def test_every_set_of_nulls_is_counted(plan, tmp_path, monkeypatch, options, folders):
    monkeypatch.setattr(spatiomolecular, "N_CANDIDATES", 20)
    more = make_plan("mlp", dataset=plan.options.dataset, **options)
    paths = SweepPaths(tmp_path / "run")
    write_request(paths, more)
    jobs = search_and_retrain(more, paths)
    status = read_status(paths)
    assert (status["phase"], status["nulls"]) == ("nulls", {"done": 0, "total": 8})
    run_nulls(more, paths, jobs)
    status = read_status(paths)
    assert (status["phase"], status["nulls"]) == ("report", {"done": 8, "total": 8})
    found = {str(p.parent.parent.relative_to(paths.root / "nulls")) for p in _groups(paths)}
    assert sorted(found) == folders


def _groups(paths: SweepPaths) -> list[Path]:
    return list(paths.root.glob("nulls/**/group_*.json"))


def test_a_run_that_goes_on_names_its_process_and_its_dashboard(paths):
    write_json(paths.cluster, {"ray_dashboard": "http://127.0.0.1:8265"})
    assert read_status(paths)["ray_dashboard"] == "", "that cluster is gone"
    with folder_lock(paths.root):
        status = read_status(paths)
    assert status["state"] == "running"
    assert status["process"].startswith(f"{os.getpid()} on ")
    assert status["ray_dashboard"] == "http://127.0.0.1:8265"
    dead = Holder(Holder.me().host, 2**22 + 1, "long ago")
    (paths.root / ".lock").write_bytes(dead.to_bytes())
    assert read_status(paths)["state"] == "stopped"


def test_the_time_left_follows_the_latest_files(tmp_path):
    files = []
    for k in range(5):
        files.append(tmp_path / str(k))
        files[-1].touch()
        os.utime(files[-1], (1000 + 10 * k, 1000 + 10 * k))
    assert _eta_s(files, 5, 12) == 70.0
    assert _eta_s(files[:2], 2, 12) is None
    assert _eta_s([files[0]] * 3, 3, 12) is None


def test_the_command_prints_a_table_or_json(paths, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    cli.app(["status", str(paths.root), "--json"], standalone_mode=False)
    assert json.loads(capsys.readouterr().out) == read_status(paths)
    console = Console(record=True, width=120, force_terminal=True, file=io.StringIO())
    print_status(read_status(paths), console)
    text = console.export_text()
    assert "geography" in text and "0/6" in text and "state    stopped, phase search" in text


def test_a_folder_without_a_sweep_is_a_sentence(tmp_path):
    with pytest.raises(UserError, match="contains no sweep"):
        read_status(SweepPaths(tmp_path))


def test_the_dashboard_needs_its_extra(paths, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"gx2c\[dashboard\]"):
        dashboard(paths.root, port=8123)
