"""Whatever a file or an option holds: accepted, or one sentence and exit code 2."""

from __future__ import annotations

import random
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from fuzzing import bad_options, malform, write_bad_spins
from sweep_fixtures import make_brain, make_plan, search_and_retrain

from gx2c.data import write_dataset
from sweeps.cli import app as cli
from sweeps.folder.paths import SweepPaths
from sweeps.run import rerun
from sweeps.run import sweep as sweep_module
from sweeps.run.best_file import write_best

# Rejected inputs of each kind; `make test-slow` draws three times as many others
N_REJECTED = {"dataset": 30, "options": 34, "best.yaml": 26, "spins": 8, "sweep.yaml": 8}
# A dataset's problems come as a list of short lines
MAX_LINES = 60


class Accepted(Exception):
    """Nothing was wrong: work would begin now."""


def accept(*_: object, **__: object) -> None:
    raise Accepted


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset, a best.yaml and a run's options, all good."""
    folder = tmp_path_factory.mktemp("good")
    write_dataset(folder / "dataset", make_brain(), {"Name": "tiny", "Summary": "small"})
    plan = make_plan("mlp", nulls=0, dataset=str(folder / "dataset"))
    paths = SweepPaths(folder / "run")
    write_best(paths, plan, search_and_retrain(plan, paths))
    return folder


class Fuzz:
    """Calls the command line in this process until enough inputs of a kind were rejected."""

    def __init__(self, good: Path, capsys: pytest.CaptureFixture[str], times: int) -> None:
        self.good, self.capsys, self.times = good, capsys, times

    def run(self, kind: str, make: Callable[[random.Random], list[str]]) -> None:
        rejected, rng = 0, random.Random(f"{kind} {self.times}")
        wanted = self.times * N_REJECTED[kind]
        for attempt in range(20 * wanted):
            arguments = make(rng)
            rejected += self.call(arguments, f"{kind} {attempt}")
            if rejected == wanted:
                return
        raise AssertionError(f"only {rejected} inputs of kind {kind} were rejected")

    def call(self, arguments: list[str], name: str) -> bool:
        """Return whether an input was rejected, and see that it was in the right way."""
        try:
            cli.main(arguments)
        except Accepted:
            return False
        except SystemExit as stop:
            if not stop.code:
                return False
            said = self.capsys.readouterr().err
            assert stop.code == 2, f"{name}: exit code {stop.code}, {arguments}, {said}"
            check_text(said, f"{name}: {arguments}")
            return True
        except Exception as error:
            raise AssertionError(f"{name}: {arguments}: {error!r}") from error
        return False


def check_text(said: str, name: str) -> None:
    assert "Traceback" not in said, f"{name}: {said}"
    assert re.search(r"\w", said), f"{name}: nothing was said"
    assert len(said.splitlines()) <= MAX_LINES, f"{name}: {said}"


@pytest.fixture(params=[1, pytest.param(3, marks=pytest.mark.slow)])
def fuzz(request, good, capsys, monkeypatch, tmp_path) -> Fuzz:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(rerun, "retrain_one", accept)
    monkeypatch.setattr(sweep_module, "ray_session", accept)
    return Fuzz(good, capsys, request.param)


def copy_of(good: Path, name: str, to: Path) -> Path:
    shutil.rmtree(to, ignore_errors=True)
    return Path(shutil.copytree(good / name, to))


@pytest.mark.parametrize("checksums", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_malformed_datasets(fuzz, tmp_path, checksums):
    """Without checksums, which any change breaks, every check must hold by itself."""

    def make(rng: random.Random) -> list[str]:
        folder = copy_of(fuzz.good, "dataset", tmp_path / "dataset")
        if not checksums:
            (folder / "dataset_description.json").write_text('{"Name": "tiny"}')
        malform(rng.choice(sorted(p for p in folder.iterdir() if p.is_file())), rng)
        return ["data", rng.choice(["check", "show"]), str(folder)]

    fuzz.run("dataset", make)


def test_malformed_options(fuzz):
    fuzz.run("options", lambda rng: ["sweep", *bad_options(fuzz.good / "dataset", rng)])


def test_malformed_best_files(fuzz, tmp_path):
    def make(rng: random.Random) -> list[str]:
        path = tmp_path / "best.yaml"
        path.write_bytes((fuzz.good / "run" / "best.yaml").read_bytes())
        malform(path, rng)
        return ["rerun", str(path), "--out", str(tmp_path / "again")]

    fuzz.run("best.yaml", make)


def test_malformed_spins(fuzz, tmp_path):
    def make(rng: random.Random) -> list[str]:
        write_bad_spins(tmp_path / "spins.npy", 24, rng)
        return ["nulls", "check", str(tmp_path / "spins.npy"), "--dataset",
                str(fuzz.good / "dataset")]  # fmt: skip

    fuzz.run("spins", make)


def test_malformed_runs(fuzz, tmp_path):
    """The options and records of a run that is resumed."""

    def make(rng: random.Random) -> list[str]:
        run = copy_of(fuzz.good, "run", tmp_path / "run")
        plan = make_plan("mlp", nulls=0, dataset=str(fuzz.good / "dataset"))
        SweepPaths(run).sweep.write_text(_yaml(plan.options.to_dict()))
        victims = [SweepPaths(run).sweep, *sorted(run.glob("records/*/*/*.json"))]
        malform(rng.choice(victims), rng)
        return [
            "sweep", "mlp", "--preset", "quick", "--dataset", str(fuzz.good / "dataset"),
            "--genes", "12_var", "--folds", "2", "--inner-folds", "2", "--samples", "4",
            "--max-epochs", "6", "--nulls", "0", "--out", str(run), "--resume",
        ]  # fmt: skip

    fuzz.run("sweep.yaml", make)


def _yaml(plain: object) -> str:
    import yaml

    return yaml.safe_dump(plain)


@pytest.mark.slow
def test_twenty_malformed_inputs_through_the_command_line(good, tmp_path):
    rng, rejected = random.Random(5), 0
    while rejected < 20:
        if rejected % 2:
            folder = copy_of(good, "dataset", tmp_path / "dataset")
            malform(rng.choice(sorted(p for p in folder.iterdir() if p.is_file())), rng)
            arguments = ["data", "check", str(folder)]
        else:
            write_bad_spins(tmp_path / "spins.npy", 24, rng)
            arguments = ["nulls", "check", str(tmp_path / "spins.npy"), "--dataset",
                         str(good / "dataset")]  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-m", "sweeps.cli.app", *arguments],
            capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        assert done.returncode in (0, 2), done.stderr
        if done.returncode:
            check_text(done.stderr, str(arguments))
            rejected += 1
