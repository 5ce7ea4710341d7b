"""The trainable as Tune calls it, without a cluster."""

from __future__ import annotations

import dataclasses
from io import BytesIO
from pathlib import Path
from typing import Any

import pyarrow.fs
import pytest
import torch
from ray.tune.result import SHOULD_CHECKPOINT
from trial_fixtures import closed_form_work, make_context, network_work, without_time

from gx2c.fit import ComputeProfile
from trainables import fold_trainable
from trainables.fold_trainable import CHECKPOINT_FILE, FoldTrainable
from trainables.work import TrialContext, TrialWork


@pytest.fixture(scope="module")
def context() -> TrialContext:
    return make_context()


def start(work: TrialWork, context: TrialContext) -> FoldTrainable:
    """Make the trainable as an actor would, but for Tune's logs."""
    trainable = FoldTrainable.__new__(FoldTrainable)
    trainable.setup(work.to_dict(), context=context)
    return trainable


def run(trainable: FoldTrainable) -> list[dict[str, Any]]:
    results = [trainable.step()]
    while not results[-1]["done"]:
        results.append(trainable.step())
    return [without_time(result) for result in results]


def test_a_b_a_on_one_actor_equals_a_fresh_a(context):
    """Networks of other sizes, another fold and a closed form leave nothing behind."""
    a, b = network_work(0), network_work(1, fold=1, max_epochs=4)
    fresh = run(start(a, context))
    actor = start(a, context)
    assert run(actor) == fresh
    for other in (b, closed_form_work((0.1, 1.0))):
        expected = run(start(other, context))
        assert actor.reset_config(other.to_dict()) is True
        assert run(actor) == expected
        assert actor.reset_config(a.to_dict()) is True
        assert run(actor) == fresh


def test_a_trial_given_up_half_way_leaves_nothing_behind(context):
    a, b = network_work(0), network_work(1)
    actor = start(b, context)
    actor.step()
    actor.reset_config(a.to_dict())
    assert run(actor) == run(start(a, context))


def test_a_checkpoint_continues_exactly_on_another_actor(context, tmp_path):
    work = network_work(milestones=(3, 5))
    whole = run(start(work, context))
    first = start(work, context)
    first.step()
    first.save_checkpoint(str(tmp_path))
    second = start(network_work(4), context)
    second.reset_config(work.to_dict())
    second.load_checkpoint(str(tmp_path))
    assert run(second) == whole[1:]
    assert second.runner.seconds >= first.runner.seconds


def test_a_checkpoint_needs_no_pickled_code(context, tmp_path):
    trainable = start(network_work(), context)
    trainable.step()
    trainable.save_checkpoint(str(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == [CHECKPOINT_FILE]
    content = (tmp_path / CHECKPOINT_FILE).read_bytes()
    torch.load(BytesIO(content[32:]), weights_only=True)


def test_a_closed_form_has_a_checkpoint_of_nothing(context, tmp_path):
    trainable = start(closed_form_work((1.0,)), context)
    trainable.save_checkpoint(str(tmp_path))
    trainable.load_checkpoint(str(tmp_path))
    assert trainable.step()["done"]


def test_checkpoints_are_taken_now_and_then(context, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(fold_trainable.time, "monotonic", lambda: now[0])
    hasty = dataclasses.replace(context, report_interval_s=-1.0, checkpoint_interval_s=30.0)
    trainable = start(network_work(milestones=()), hasty)
    asked = []
    for _ in range(6):
        now[0] += 16.0
        asked.append(trainable.step().get(SHOULD_CHECKPOINT, False))
    assert asked == [False, True] * 3


def test_a_share_of_a_gpu_caps_its_memory(context, monkeypatch):
    shares: list[float] = []
    monkeypatch.setattr(torch.cuda, "set_per_process_memory_fraction", shares.append)
    profile = dataclasses.replace(context.profile, device="cuda")
    shared = dataclasses.replace(context, profile=profile, gpu_fraction=0.25)
    trainable = FoldTrainable.__new__(FoldTrainable)
    # a closed form computes on the CPU whatever the profile
    trainable.setup(closed_form_work((1.0,)).to_dict(), context=shared)
    assert shares == [0.25]
    start(closed_form_work((1.0,)), context)
    assert shares == [0.25]


CPU_OF_TWO = ComputeProfile(threads=2)
DAMAGE = {
    "truncated": lambda content: content[: len(content) // 2],
    "empty": lambda content: b"",
    "a flipped bit": lambda content: content[:400] + bytes([content[400] ^ 1]) + content[401:],
    "of an older version": lambda content: content[32:],
}


class Stored:
    """As much of Tune's storage as a trial of a resumed sweep reads."""

    storage_filesystem = pyarrow.fs.LocalFileSystem()


def checkpoint_at(work: TrialWork, context: TrialContext, folder: Path, *, steps: int) -> Path:
    trainable = start(work, context)
    for _ in range(steps):
        trainable.step()
    folder.mkdir()
    trainable.save_checkpoint(str(folder))
    return folder / CHECKPOINT_FILE


def resume(work: TrialWork, context: TrialContext, *checkpoints: Path) -> FoldTrainable:
    trainable = FoldTrainable.__new__(FoldTrainable)
    trainable._storage = Stored()
    given = dataclasses.replace(work, checkpoints=tuple(str(path) for path in checkpoints))
    trainable.setup(given.to_dict(), context=context)
    return trainable


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_checkpoint_begins_anew(context, tmp_path, damage):
    work = network_work(milestones=(3, 5))
    path = checkpoint_at(work, context, tmp_path / "checkpoint", steps=1)
    path.write_bytes(DAMAGE[damage](path.read_bytes()))
    trainable = start(work, context)
    trainable.step()
    trainable.restore(str(path.parent))
    assert run(trainable) == run(start(work, context))


def test_a_checkpoint_that_is_gone_begins_anew(context, tmp_path):
    trainable = start(network_work(), context)
    trainable.step()
    trainable.restore(str(tmp_path / "nowhere"))
    assert run(trainable) == run(start(network_work(), context))


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_a_later_session_goes_on_from_a_checkpoint_and_reports_all(context, tmp_path, steps):
    """One, two and all three reports; at a milestone it reports before it trains on."""
    work = network_work(milestones=(3, 5))
    expected = run(start(work, context))
    path = checkpoint_at(work, context, tmp_path / "old", steps=steps)
    resumed = resume(work, context, path)
    trained = len(resumed.runner.nested.curve)
    assert trained == (3, 5, 8)[steps - 1]
    found = run(resumed)
    assert found[0]["points"] == [p for report in expected[:steps] for p in report["points"]]
    assert found[1:] == expected[steps:]


def test_a_later_session_uses_the_first_checkpoint_that_is_whole_and_its_own(context, tmp_path):
    work, other = network_work(milestones=(3, 5)), network_work(7, milestones=(3, 5))
    damaged = checkpoint_at(work, context, tmp_path / "damaged", steps=2)
    damaged.write_bytes(damaged.read_bytes()[:-1])
    foreign = checkpoint_at(other, context, tmp_path / "foreign", steps=2)
    good = checkpoint_at(work, context, tmp_path / "good", steps=1)
    missing = tmp_path / "missing" / CHECKPOINT_FILE
    resumed = resume(work, context, damaged, foreign, missing, good)
    assert len(resumed.runner.nested.curve) == 3
    assert run(resumed) == run(start(work, context))
    none = resume(work, context, damaged, foreign, missing)
    assert none.runner.nested.curve == []


def test_the_whole_life_of_a_trainable_as_tune_drives_it(context, tmp_path: Path):
    """Through Trainable's own constructor, save, restore and reset."""
    work, other = network_work(), network_work(2)

    class Here(FoldTrainable):
        # what tune.with_parameters does, which needs a cluster
        def setup(self, config: dict[str, Any]) -> None:  # type: ignore[override]
            super().setup(config, context=context)

        # else in the home folder
        def _setup_logdir(self) -> None:
            self._logdir = str(tmp_path)

    trainable = Here(config=work.to_dict())
    try:
        first = trainable.train()
        assert first["training_iteration"] == 1
        trainable.save(str(tmp_path / "checkpoint"))
        rest = without_time(trainable.train())
        assert trainable.reset(other.to_dict())
        trainable.train()
        assert trainable.reset(work.to_dict())
        trainable.restore(str(tmp_path / "checkpoint"))
        assert without_time(trainable.train()) == rest
    finally:
        trainable.stop()


def test_a_trial_takes_a_patient_storage_once(context, monkeypatch, tmp_path):
    asked: list[Any] = []
    patient = pyarrow.fs.SubTreeFileSystem(str(tmp_path), pyarrow.fs.LocalFileSystem())
    monkeypatch.setattr(fold_trainable, "patient", lambda f: asked.append(f) or patient)
    work = network_work()
    (tmp_path / "old").write_bytes(
        checkpoint_at(work, context, tmp_path / "c", steps=1).read_bytes()
    )
    resumed = resume(work, context, Path("old"))
    assert resumed.runner.nested.curve, "it continued from what it read there"
    assert resumed._storage.storage_filesystem is patient and len(asked) == 1


def test_a_step_out_of_gpu_memory_ends_the_trial_and_says_so(context, monkeypatch):
    trainable = start(network_work(milestones=()), context)

    def step() -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB\nmore")

    monkeypatch.setattr(trainable.runner, "step", step)
    assert trainable.step() == {
        "out_of_memory": "CUDA out of memory. Tried to allocate 2 GiB",
        "done": True,
    }


@pytest.mark.parametrize("work", [network_work(), closed_form_work((1.0,))], ids=lambda w: w.model)
def test_a_trial_chooses_its_profile_on_its_device_and_reports_it(context, monkeypatch, work):
    monkeypatch.setattr(ComputeProfile, "on_this_device", lambda profile: CPU_OF_TWO, raising=False)
    trainable = FoldTrainable.__new__(FoldTrainable)
    trainable.setup(work.to_dict(), context=context)
    assert trainable.context.profile == CPU_OF_TWO
    assert trainable.step()["profile"] == dataclasses.asdict(CPU_OF_TWO)
