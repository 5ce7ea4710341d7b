"""Learning curves in TensorBoard's files: what trials reported, and bounded."""

from __future__ import annotations

import struct
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tensorboardX.proto.event_pb2 import Event

from sweeps.search.tensorboard import MAX_POINTS, LearningCurves

CONFIG = {"model": "mlp", "fold": 1, "numbers": [3], "seeds": [1], "milestones": [],
          "checkpoints": []}  # fmt: skip


def scalars(folder: Path) -> dict[str, dict[int, float]]:
    """Read every scalar of the one event file in a folder."""
    (path,) = folder.glob("events.out.tfevents.*")
    content, found = path.read_bytes(), {}
    while content:
        # length, its checksum, event, its checksum
        (length,) = struct.unpack("<Q", content[:8])
        event = Event.FromString(content[12 : 12 + length])
        content = content[16 + length :]
        for value in event.summary.value:
            found.setdefault(value.tag, {})[event.step] = value.simple_value
    return found


def report(first: int, last: int, **changes: Any) -> dict[str, Any]:
    point = {"score": -0.5, "train_mse": 0.25, "learning_rate": 0.125, "validation": {"mse": 0.5}}
    return {"points": [{**point, **changes, "passes": p} for p in range(first, last + 1)]}


def test_what_a_trial_reports_can_be_read_back(tmp_path):
    trial = SimpleNamespace(trial_id="t0", config=CONFIG)
    curves = LearningCurves(tmp_path, max_passes=50)
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
    curves = LearningCurves(tmp_path, max_passes=10_000)
    curves.on_trial_result(0, [], trial, report(1, 10_000))
    curves.on_trial_error(0, [], trial)
    folder = tmp_path / "mlp_fold1_config3"
    assert len(scalars(folder)["score"]) == MAX_POINTS
    assert sum(path.stat().st_size for path in folder.iterdir()) < 100_000


def test_closed_forms_have_no_curve(tmp_path):
    trial = SimpleNamespace(trial_id="t0", config=CONFIG)
    curves = LearningCurves(tmp_path, max_passes=10)
    curves.on_trial_result(0, [], trial, {"results": []})
    curves.on_trial_complete(0, [], trial)
    assert not list(tmp_path.iterdir())
