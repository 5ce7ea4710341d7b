"""What earlier sessions of a sweep left of unfinished trials, and what is removed when."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sweeps.folder.paths import SweepPaths
from sweeps.search.callbacks import CheckpointKeeper
from sweeps.search.tune_sessions import MAX_PER_TRIAL, TuneSessions
from trainables.work import CHECKPOINT_FILE

TRIAL = "mlp_fold0_config3"


def leave(storage: Path, session: str, *numbers: int, trial: str = TRIAL) -> list[str]:
    """Write checkpoints where Tune would; return their paths."""
    paths = []
    for number in numbers:
        path = storage / session / trial / f"checkpoint_{number:06d}" / CHECKPOINT_FILE
        path.parent.mkdir(parents=True)
        path.write_bytes(b"x")
        paths.append(str(path))
    return paths


def trial_of(storage: Path, session: str, checkpoints: list[str]) -> Any:
    where = SimpleNamespace(trial_fs_path=str(storage / session / TRIAL))
    return SimpleNamespace(config={"checkpoints": checkpoints}, storage=where)


@pytest.fixture(params=["", "elsewhere/with a space"])
def sessions(request, tmp_path):
    """Sessions in the run folder, and in a storage of their own."""
    paths = SweepPaths(tmp_path / "run")
    storage = str(tmp_path / request.param) if request.param else ""
    return lambda: TuneSessions(paths, storage)


def test_a_session_is_written_down_and_never_shares_a_folder(sessions):
    names = [sessions().begin() for _ in range(5)]
    assert len(set(names)) == 5
    assert all(name.startswith("run-") for name in names)
    assert sessions().names == names


def test_newest_checkpoints_come_first_and_no_more_than_two_stay(sessions):
    first, second = sessions().begin(), sessions().begin()
    storage = Path(sessions().storage)
    old = leave(storage, first, 0, 1)
    new = leave(storage, second, 0)
    other = leave(storage, second, 4, trial="mlp_fold1_config0")
    leave(storage, "of-another-run", 9)
    earlier = sessions().checkpoints()
    assert earlier.of(TRIAL) == [new[0], old[1]]
    assert len(earlier.of(TRIAL)) == MAX_PER_TRIAL
    assert not Path(old[0]).exists()
    assert earlier.of("mlp_fold1_config0") == other
    assert earlier.of("mlp_fold1_config1") == []
    assert (storage / "of-another-run").exists()


def test_sessions_in_another_storage_are_left_alone(tmp_path):
    paths = SweepPaths(tmp_path / "run")
    name = TuneSessions(paths, str(tmp_path / "a")).begin()
    leave(tmp_path / "a", name, 0)
    moved = TuneSessions(paths, str(tmp_path / "b"))
    assert moved.checkpoints().of(TRIAL) == []
    moved.begin()
    moved.remove()
    assert (tmp_path / "a" / name).exists()


def test_a_newer_checkpoint_takes_the_place_of_an_older_session_s(sessions):
    storage, first = Path(sessions().storage), sessions().begin()
    old = leave(storage, first, 0, 1)
    keeper = CheckpointKeeper(sessions().checkpoints())
    trial = trial_of(storage, "now", old)
    new = leave(storage, "now", 0)
    keeper.on_checkpoint(0, [], trial, None)
    assert not any(Path(path).exists() for path in old)
    assert Path(new[0]).exists()


@pytest.mark.parametrize("end", ["on_trial_complete", "on_trial_error"])
@pytest.mark.parametrize("keep", [False, True])
def test_a_trial_s_checkpoints_go_when_it_ends_unless_asked(sessions, end, keep):
    storage, first = Path(sessions().storage), sessions().begin()
    old = leave(storage, first, 0)
    new = leave(storage, "now", 0)
    other = leave(storage, "now", 0, trial="mlp_fold0_config4")
    keeper = CheckpointKeeper(sessions().checkpoints(), keep=keep)
    getattr(keeper, end)(0, [], trial_of(storage, "now", old))
    assert [Path(path).exists() for path in (*old, *new)] == [keep, keep]
    assert Path(other[0]).exists()


def test_all_sessions_are_removed_together(sessions):
    storage = Path(sessions().storage)
    leave(storage, sessions().begin(), 0)
    leave(storage, sessions().begin(), 0)
    sessions().remove()
    assert not storage.exists() or not list(storage.iterdir())
    sessions().remove()
