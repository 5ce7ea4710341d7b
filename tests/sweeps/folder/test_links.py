"""Nothing outside a run folder is created, changed or deleted through links that lie in it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from serial_sweep import exit_code_of, without_ray
from sweep_fixtures import files_under, make_plan

from sweeps.folder.paths import SweepPaths
from sweeps.request.files import write_request


def surroundings(root: Path) -> dict[str, object]:
    return {
        str(path.relative_to(root)): path.read_bytes() if path.is_file() else path.is_dir()
        for path in sorted(root.rglob("*"))
    }


@pytest.fixture(scope="module")
def finished(tiny_dataset, tmp_path_factory) -> tuple[Path, list[str]]:
    run = tmp_path_factory.mktemp("finished") / "run"
    given = f"--preset quick --dataset {tiny_dataset} --genes 12_var --folds 2 --inner-folds 2"
    arguments = ["sweep", "geography", *given.split(), "--samples", "1"]
    with pytest.MonkeyPatch.context() as patch:
        without_ray(patch)
        assert exit_code_of(*arguments, "--out", str(run)) == 0
    return run, [*arguments, "--resume", "--out"]


@pytest.mark.parametrize(
    "name", ["tune", ".lock", "records", "retrained/geography", "nulls", "tensorboard"]
)
def test_a_link_in_a_run_folder_is_refused_and_its_target_unharmed(
    name, finished, tmp_path, monkeypatch, capsys
):
    without_ray(monkeypatch)
    run, outside = tmp_path / "run", tmp_path / "outside"
    shutil.copytree(finished[0], run)
    outside.mkdir()
    (outside / "precious").write_text("mine")
    link = run / name
    target = outside / ("precious" if name == ".lock" else "moved")
    if link.exists():
        link.rename(target)
    elif name != ".lock":
        target.mkdir()
        (target / "precious").write_text("mine")
    link.symlink_to(target)
    before = surroundings(outside)
    code = exit_code_of(*finished[1], str(run))
    assert surroundings(outside) == before
    error = capsys.readouterr().err
    assert code == 2 and str(link) in error and "link" in error and "Traceback" not in error


def test_a_fetched_run_is_not_written_through_a_link(tmp_path, capsys):
    storage, run, outside = tmp_path / "storage", tmp_path / "run", tmp_path / "outside"
    plan = make_plan("geography", nulls=0)
    write_request(SweepPaths(storage), plan)
    (storage / "finished" / "records" / "x").mkdir(parents=True)
    outside.mkdir()
    run.mkdir()
    (run / "inputs.json").write_bytes((storage / "inputs.json").read_bytes())
    (run / "sweep.yaml").symlink_to(outside / "made")
    os.symlink(outside, run / "records")
    assert exit_code_of("fetch", str(storage), "--out", str(run)) == 2
    assert not list(files_under(outside))
    assert "link" in capsys.readouterr().err
