"""Learning curves in TensorBoard's files: what trials reported, and bounded."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from sweep_fixtures import report
from tensorboardX.proto.event_pb2 import Event

from sweeps.search.callbacks import MAX_POINTS, LearningCurves
from trainables.work import TrialWork

CONFIG = TrialWork("mlp", 1, (3,), (), (1,)).to_dict()


def events_in(folder: Path) -> Iterator[Event]:
    """Read the one event file in a folder."""
    (path,) = folder.glob("events.out.tfevents.*")
    content = path.read_bytes()
    while content:
        # length, its checksum, event, its checksum
        (length,) = struct.unpack("<Q", content[:8])
        yield Event.FromString(content[12 : 12 + length])
        content = content[16 + length :]


def values_in(folder: Path) -> list[Any]:
    return [value for event in events_in(folder) for value in event.summary.value]


def scalars(folder: Path) -> dict[str, dict[int, float]]:
    found: dict[str, dict[int, float]] = {}
    for event in events_in(folder):
        for value in event.summary.value:
            if not value.HasField("metadata"):
                found.setdefault(value.tag, {})[event.step] = value.simple_value
    return found


def test_what_a_trial_reports_can_be_read_back(tmp_path):
    trial = SimpleNamespace(trial_id="t0", config=CONFIG)
    curves = LearningCurves(tmp_path, max_epochs=50)
    curves.on_trial_result(0, [], trial, report(1, 4))
    curves.on_trial_result(0, [], trial, report(5, 6, score=float("-inf"), validation={}))
    curves.on_trial_complete(0, [], trial)
    found = scalars(tmp_path / "mlp_fold1_config3")
    assert set(found) == {"score", "train_mse", "learning_rate", "validation/mse"}
    assert found["score"] == dict.fromkeys(range(1, 5), -0.5)
    assert found["train_mse"] == dict.fromkeys(range(1, 7), 0.25)
    assert not curves.writers


def test_a_long_training_has_a_small_file(tmp_path):
    trial = SimpleNamespace(trial_id="t0", config=CONFIG)
    curves = LearningCurves(tmp_path, max_epochs=10_000)
    curves.on_trial_result(0, [], trial, report(1, 10_000))
    curves.on_trial_error(0, [], trial)
    folder = tmp_path / "mlp_fold1_config3"
    assert len(scalars(folder)["score"]) == MAX_POINTS
    assert sum(path.stat().st_size for path in folder.iterdir()) < 100_000


def test_closed_forms_have_no_curve(tmp_path):
    trial = SimpleNamespace(trial_id="t0", config=CONFIG)
    curves = LearningCurves(tmp_path, max_epochs=10)
    curves.on_trial_result(0, [], trial, {"results": []})
    curves.on_trial_complete(0, [], trial)
    assert not list(tmp_path.iterdir())


def test_every_config_says_what_was_chosen(tmp_path):
    """For TensorBoard's HParams: a run a config, with its values and how it ended."""
    from tensorboardX.proto.plugin_hparams_pb2 import HParamsPluginData

    trial = SimpleNamespace(trial_id="t0", config=CONFIG)
    curves = LearningCurves(
        tmp_path, max_epochs=50, params_of=lambda model, fold, n: {"width": 8, "power": "low"}
    )
    curves.on_trial_result(0, [], trial, report(1, 4))
    curves.on_trial_complete(0, [], trial)
    closed = TrialWork("kernel_ridge", 0, (4, 5), (), (1, 2)).to_dict()
    results = [
        {"number": n, "score": -0.25, "validation": {"mse": 0.25}, "seconds": 0.1} for n in (4, 5)
    ]
    trial = SimpleNamespace(trial_id="t1", config=closed)
    curves.on_trial_result(0, [], trial, {"results": results})
    curves.on_trial_complete(0, [], trial)
    names = [f"kernel_ridge_fold0_config{n}" for n in (4, 5)]
    assert sorted(p.name for p in tmp_path.iterdir()) == [*names, "mlp_fold1_config3"]
    for name, model in zip(
        [*names, "mlp_fold1_config3"], ["kernel_ridge"] * 2 + ["mlp"], strict=True
    ):
        found = {}
        for value in values_in(tmp_path / name):
            if value.metadata.plugin_data.plugin_name == "hparams":
                found[value.tag] = HParamsPluginData.FromString(value.metadata.plugin_data.content)
        start = found["_hparams_/session_start_info"].session_start_info
        assert start.hparams["width"].number_value == 8
        assert start.hparams["power"].string_value == "low"
        assert start.hparams["model"].string_value == model
        assert start.hparams["config"].string_value == name[-1]
        metrics = {m.name.tag for m in found["_hparams_/experiment"].experiment.metric_infos}
        assert {"score", "validation/mse"} <= metrics <= set(scalars(tmp_path / name))
        assert "_hparams_/session_end_info" in found
