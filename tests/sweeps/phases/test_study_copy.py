"""The copy of a search for optuna-dashboard: every config with its curve, times and attributes."""

from __future__ import annotations

import contextlib
import itertools
import json
import socket
import statistics
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import optuna
import pandas as pd
import pytest
from open_study import opened
from optuna.trial import FrozenTrial, TrialState
from sweep_fixtures import make_brain, make_plan, search_and_retrain
from waiting import until

from gx2c.data import write_dataset
from sweeps.cli.runs import dashboard
from sweeps.folder.lock import folder_lock
from sweeps.folder.paths import SweepPaths
from sweeps.folder.records import ConfigRecord, best_of, read_json, write_json
from sweeps.phases.study import copy_study, write_running, write_trials
from sweeps.request.files import write_request
from sweeps.request.plan import SweepPlan
from sweeps.run import dashboard as live
from sweeps.search.fold_study import Place

ATTRIBUTES = {
    "outer fold",
    "config",
    "epochs",
    "validation r",
    "train loss",
    "seconds",
    "node",
    "gpu share",
    "why it ended",
}


def trials_of(paths: SweepPaths, name: str) -> list[FrozenTrial]:
    with opened(paths.study) as storage:
        return storage.get_all_trials(storage.get_study_id_from_name(name))


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> SweepPlan:
    dataset = write_dataset(tmp_path_factory.mktemp("d") / "tiny", make_brain(), {"Name": "tiny"})
    return make_plan("mlp", dataset=str(dataset), samples=8)


@pytest.fixture(scope="module")
def begun(plan, tmp_path_factory) -> float:
    return time.time()


@pytest.fixture(scope="module")
def paths(plan, begun, tmp_path_factory: pytest.TempPathFactory) -> SweepPaths:
    """A small search under ASHA, retrained, with its copy."""
    paths = SweepPaths(tmp_path_factory.mktemp("runs") / "run")
    write_request(paths, plan)
    search_and_retrain(plan, paths)
    copy_study(paths)
    return paths


@pytest.fixture(scope="module")
def records(plan, paths) -> dict[tuple[str, int], list[ConfigRecord]]:
    return plan.board(paths).records()


def test_a_config_has_a_value_at_every_epoch_whatever_became_of_it(paths, records):
    """A pruned one is valued by its last epoch, a complete one by its best."""
    seen = set()
    for fold in range(2):
        of_fold = records["mlp", fold]
        trials = trials_of(paths, f"mlp_fold_{fold}")
        for trial, record in zip(trials, of_fold, strict=True):
            curve = {p["epochs"]: p["score"] for p in record.curve}
            assert trial.intermediate_values == pytest.approx(curve)
            last = curve[max(curve)]
            assert trial.value == pytest.approx(last if record.state == "PRUNED" else record.score)
            assert trial.state.name == record.state
            seen.add(record.state)
    assert seen == {"COMPLETE", "PRUNED"}


def test_a_config_of_a_closed_form_has_its_score_at_step_0(paths, records):
    for trial, record in zip(
        trials_of(paths, "geography_fold_1"), records["geography", 1], strict=True
    ):
        assert trial.intermediate_values == {0: pytest.approx(record.score)}


def test_a_trial_begins_and_ends_when_it_did(paths, records, begun):
    copied = paths.study.stat().st_mtime
    for name in ("mlp", "geography"):
        trials = trials_of(paths, f"{name}_fold_0")
        for trial, record in zip(trials, records[name, 0], strict=True):
            started, ended = trial.datetime_start, trial.datetime_complete
            assert begun - 1 <= started.timestamp() <= ended.timestamp() <= copied
            lasted = (ended - started).total_seconds()
            # a network may also have waited at a rung
            assert lasted >= record.seconds - 1e-3
        times = [(t.datetime_start, t.datetime_complete) for t in trials]
        assert len(set(times)) == len(times)
    # those of a closed form one after another, though they report together
    assert times == sorted(times)
    assert all(a[1] <= b[0] for a, b in itertools.pairwise(times))
    # the copy was made later, and does not date from then
    assert trials_of(paths, "mlp_fold_0")[0].datetime_complete.timestamp() < copied - 0.01


def test_records_of_earlier_versions_are_dated_by_their_files(plan, paths, tmp_path):
    copy = SweepPaths(tmp_path / "run")
    write_request(copy, plan)
    for path in paths.root.glob("records/mlp/*/*.json"):
        new = {"started", "ended", "node", "gpu_share", "profile"}
        old = {name: value for name, value in read_json(path).items() if name not in new}
        write_json(copy.root / path.relative_to(paths.root), old)
    copy_study(copy)
    trial = trials_of(copy, "mlp_fold_0")[0]
    written = copy.record("mlp", 0, 0).stat().st_mtime
    assert trial.datetime_complete.timestamp() == pytest.approx(written, abs=1e-3)
    seconds = read_json(copy.record("mlp", 0, 0))["seconds"]
    assert trial.duration.total_seconds() == pytest.approx(seconds, abs=1e-3)
    assert "node" not in trial.user_attrs


def test_attributes_say_all_that_the_records_hold(paths, records):
    best = best_of(records["mlp", 0])
    for trial, record in zip(trials_of(paths, "mlp_fold_0"), records["mlp", 0], strict=True):
        found = trial.user_attrs
        # a constant prediction has no correlation
        r = record.validation["pearson_r"]
        assert set(found) - {"test r"} == ATTRIBUTES - {"node", "validation r" if r is None else ""}
        assert (found["outer fold"], found["config"]) == (0, record.number)
        assert found["epochs"] == len(record.curve)
        assert r is None or found["validation r"] == pytest.approx(r)
        assert found["train loss"] == pytest.approx(record.curve[-1]["train_mse"])
        assert found["seconds"] == pytest.approx(record.seconds, abs=1e-3)
        assert ("test r" in found) == (record.number == best.number)
    test = read_json(paths.retrained("mlp", 0))["test"]["pearson_r"]
    assert trials_of(paths, "mlp_fold_0")[best.number].user_attrs["test r"] == pytest.approx(test)


def test_why_a_config_ended_is_said(paths, records):
    for trial, record in zip(trials_of(paths, "mlp_fold_0"), records["mlp", 0], strict=True):
        why = trial.user_attrs["why it ended"]
        if record.state == "PRUNED":
            assert why == f"stopped by the scheduler after epoch {len(record.curve)}"
        elif len(record.curve) == 6:
            assert why == "trained for all 6 epochs"
        else:
            assert why.startswith("stopped early")


def test_tables_have_a_column_a_value_and_a_row_an_epoch(paths, records):
    write_trials(paths, records)
    trials, curves = pd.read_parquet(paths.trials), pd.read_parquet(paths.curves)
    found = [record for search in records.values() for record in search]
    assert len(trials) == len(found) and len(curves) == sum(len(r.curve) for r in found)
    for record, row in zip(found, trials.to_dict("records"), strict=True):
        for name, value in record.params.items():
            assert row[f"params.{name}"] in (value, str(value))
        others = {name for name in row if name.startswith("params.")}
        others -= {f"params.{name}" for name in record.params}
        assert all(pd.isna(row[name]) for name in others)
        assert json.loads(row["config"]) == record.config
        place = (record.model, record.fold, record.number)
        own = curves[(curves[["model", "fold", "number"]] == list(place)).all(axis=1)]
        assert own["score"].tolist() == [point["score"] for point in record.curve]


def test_one_study_compares_the_configs_of_all_folds(paths, records):
    """At the last epoch that all of a fold reached, minus their median."""
    trials = trials_of(paths, "mlp_all_folds")
    assert [t.state for t in trials] == [TrialState.COMPLETE] * 16
    expected = []
    for fold in range(2):
        scored = [r for r in records["mlp", fold] if r.state != "FAILED"]
        epoch = min(len(r.curve) for r in scored)
        assert epoch == 2, "ASHA's first rung"
        at = [r.curve[epoch - 1]["score"] for r in scored]
        expected += [score - statistics.median(at) for score in at]
    assert [t.value for t in trials] == pytest.approx(expected)
    assert [t.user_attrs["outer fold"] for t in trials] == [0] * 8 + [1] * 8
    with opened(paths.study) as storage:
        study = optuna.load_study(study_name="mlp_all_folds", storage=storage)
        assert optuna.importance.get_param_importances(study)
        assert study.metric_names == ["score minus fold's median"]
    # geography's, and nothing else
    with opened(paths.study) as storage:
        names = [s.study_name for s in storage.get_all_studies()]
    assert names[0] == "mlp_all_folds"
    assert sorted(names) == sorted(
        f"{m}_{x}" for m in ("mlp", "geography") for x in ("all_folds", "fold_0", "fold_1")
    )


def test_configs_that_train_now_are_running(plan, tmp_path):
    paths = SweepPaths(tmp_path / "run")
    write_request(paths, plan)
    board = plan.board(paths)
    search = board.searches["mlp", 0]
    numbers = [search.next_work().numbers[0] for _ in range(2)]
    point = {"train_mse": 0.5, "learning_rate": 0.1, "validation": {"pearson_r": 0.25}}
    points = [{"epochs": 1, "score": -0.5, **point}]
    search.on_points(numbers[1], points, 2.0, done=False, place=Place("here", 0.5))
    reported = time.time()
    write_running(paths, board.running())
    with folder_lock(paths.root):
        copy_study(paths)
    waiting, training = trials_of(paths, "mlp_fold_0")
    assert waiting.state is training.state is TrialState.RUNNING
    assert training.intermediate_values == {1: -0.5}
    assert training.params == search.open[numbers[1]].suggestion.params
    assert training.user_attrs["node"] == "here"
    assert training.user_attrs["gpu share"] == 0.5
    assert training.datetime_start.timestamp() == pytest.approx(reported - 2.0, abs=1.5)
    # none that has ended, nor one of a sweep that was killed
    search.on_points(numbers[1], [], 2.5, done=True)
    with folder_lock(paths.root):
        copy_study(paths)
    assert [t.state.name for t in trials_of(paths, "mlp_fold_0")] == ["RUNNING", "COMPLETE"]
    copy_study(paths)
    assert [t.state.name for t in trials_of(paths, "mlp_fold_0")] == ["COMPLETE"]


@contextlib.contextmanager
def serving(monkeypatch: pytest.MonkeyPatch) -> Iterator[list]:
    """What the dashboard serves, until it is told to end."""
    served: list = []
    enough = threading.Event()

    def serve(storage, **where):
        served.append((storage, where))
        enough.wait(60)

    monkeypatch.setattr("optuna_dashboard.run_server", serve)
    try:
        yield served
    finally:
        enough.set()


def test_an_open_dashboard_follows_the_run(plan, paths, tmp_path, monkeypatch):
    """Without a new copy of the search being asked for: a config appears as it ends."""
    monkeypatch.setattr(live, "INTERVAL_S", 0.05)
    run = SweepPaths(tmp_path / "run")
    write_request(run, plan)
    files = sorted(paths.root.glob("records/mlp/fold_00/*.json"))

    def add(path: Path) -> None:
        write_json(run.root / path.relative_to(paths.root), read_json(path))

    add(files[0])
    with serving(monkeypatch) as served:
        thread = threading.Thread(target=dashboard, args=(run.root,), daemon=True)
        thread.start()
        storage = until(lambda: served)[0][0]
        study = storage.get_study_id_from_name("mlp_fold_0")
        for n in (1, 2, 3):
            until(lambda n=n: len(storage.get_all_trials(study)) == n)
            add(files[n])
    thread.join(60)


def test_a_busy_port_is_said_and_the_next_free_one_taken(paths, monkeypatch, capsys):
    served = []
    monkeypatch.setattr("optuna_dashboard.run_server", lambda _, **where: served.append(where))
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        one.listen()
        busy = one.getsockname()[1]
        dashboard(paths.root, port=busy)
    (where,) = served
    assert busy < where["port"] < busy + 100
    out = capsys.readouterr()
    assert f"port {busy} is in use; using {where['port']}" in out.out + out.err
    assert f"http://127.0.0.1:{where['port']}" in out.out


def test_every_way_in_is_named_with_what_it_shows(paths, monkeypatch, capsys):
    monkeypatch.setattr("optuna_dashboard.run_server", lambda *_, **__: None)
    dashboard(paths.root, port=8123)
    lines = capsys.readouterr().out.splitlines()
    ways = {line.split()[0]: line for line in lines}
    assert "http://127.0.0.1:8123" in ways["optuna"] and "importance" in ways["optuna"]
    assert f"tensorboard --logdir {paths.tensorboard}" in ways["tensorboard"]
    assert "curves" in ways["tensorboard"]
    assert "no cluster is up for this run" in ways["ray"]
