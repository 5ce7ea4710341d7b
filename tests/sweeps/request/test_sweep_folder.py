"""What a sweep may and may not write, and when it goes on; Ray never starts here."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from serial_sweep import tiny_options, without_ray
from sweep_fixtures import make_brain

from gx2c.data import write_dataset
from gx2c.errors import UserError
from sweeps.folder.paths import SweepPaths
from sweeps.request.files import read_options
from sweeps.request.options import make_options
from sweeps.request.plan import plan_sweep
from sweeps.run import sweep as sweep_module
from sweeps.run.sweep import SweepRun, run_sweep

SMALL: dict[str, Any] = {
    "folds": 2,
    "inner_folds": 2,
    "nulls": 2,
    "samples": 2,
    "genes": "10_var",
}


class Started(Exception):
    """Everything was accepted: Ray would start now."""


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    return write_dataset(tmp_path / "tiny", make_brain(), {"Name": "tiny"})


@pytest.fixture(autouse=True)
def no_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stop where Ray would have accepted the request and work would begin."""

    def phases(self: SweepRun, board: object) -> None:
        raise Started

    class Session:
        def __init__(self, **_: object) -> None: ...
        def __enter__(self) -> int:
            return 1

        def __exit__(self, *_: object) -> None: ...

    monkeypatch.setattr(sweep_module, "ray_session", Session)
    monkeypatch.setattr(SweepRun, "_estimate", lambda _: None)
    monkeypatch.setattr(SweepRun, "_phases", phases)


def options_of(dataset: Path, **given: Any) -> Any:
    return make_options("mlp", preset="quick", dataset=str(dataset), **SMALL | given)


def start(dataset: Path, out: Path, *, resume: bool = False, **given: Any) -> None:
    with pytest.raises(Started):
        run_sweep(options_of(dataset, **given), out, resume=resume)


def test_a_sweep_that_may_start_leaves_its_options(dataset, tmp_path):
    start(dataset, tmp_path / "run")
    paths = SweepPaths(tmp_path / "run")
    assert read_options(paths) == options_of(dataset)
    assert paths.inputs.exists()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"dataset": "schaefer9000"}, "no dataset named 'schaefer9000'"),
        ({"genes": "0_var"}, "0_var"),
        ({"genes": "no/such/file.txt"}, "cannot read the gene list"),
        ({"folds": 60}, "cannot be cut into 60 outer folds"),
        ({"inner_folds": 9}, "inner folds"),
        ({"seeds": f"{2**32}"}, "--seeds: '4294967296' is no list of seeds"),
    ],
)
@pytest.mark.parametrize("exists", [False, True], ids=["new folder", "empty folder"])
def test_a_request_that_cannot_be_leaves_nothing_behind(dataset, tmp_path, given, words, exists):
    out = tmp_path / "run"
    if exists:
        out.mkdir()
    plain = options_of(dataset).to_dict() | given
    with pytest.raises(UserError, match=words):
        run_sweep(type(options_of(dataset)).from_dict(plain), out)
    assert out.exists() is exists
    assert not exists or not any(out.iterdir())


def test_a_cluster_that_cannot_run_a_trial_leaves_nothing_behind(dataset, tmp_path, monkeypatch):
    def refuse(**_: object) -> Any:
        raise UserError("no node has them")

    monkeypatch.setattr(sweep_module, "ray_session", refuse)
    (tmp_path / "empty").mkdir()
    for out in (tmp_path / "run", tmp_path / "empty"):
        with pytest.raises(UserError):
            run_sweep(options_of(dataset, gpus_per_trial=0.5), out)
    assert not (tmp_path / "run").exists()
    assert not any((tmp_path / "empty").iterdir())


def test_a_folder_that_holds_something_is_refused(dataset, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "notes.txt").write_text("mine")
    with pytest.raises(UserError, match="exists already; add --resume"):
        run_sweep(options_of(dataset), tmp_path / "run")
    assert [p.name for p in (tmp_path / "run").iterdir()] == ["notes.txt"]


@pytest.mark.parametrize("inside", [False, True])
def test_a_file_is_no_folder(dataset, tmp_path, inside):
    file = tmp_path / "run"
    file.write_text("x")
    with pytest.raises(UserError, match="is a file|cannot be made"):
        run_sweep(options_of(dataset), file / "run" if inside else file)


def test_the_same_options_go_on(dataset, tmp_path):
    start(dataset, tmp_path / "run")
    start(dataset, tmp_path / "run", resume=True)


@pytest.mark.parametrize(
    "given",
    [
        {"max_concurrent": 1, "max_disk_gb": 5.0, "time_budget_min": 9.0, "keep_checkpoints": True},
        {"storage": "/somewhere/else"},
    ],
    ids=["limits", "storage"],
)
def test_what_changes_no_result_may_change(dataset, tmp_path, given):
    start(dataset, tmp_path / "run")
    start(dataset, tmp_path / "run", resume=True, **given)


def test_nulls_of_any_kind_may_be_added(dataset, tmp_path):
    start(dataset, tmp_path / "run", nulls=0)
    start(dataset, tmp_path / "run", resume=True, nulls=2, null_method="moran")
    with pytest.raises(UserError, match="null_method was 'moran' and is now 'vasa'"):
        run_sweep(options_of(dataset, null_method="vasa"), tmp_path / "run", resume=True)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"seeds": "1,2"}, "seeds was '1' and is now '1,2'"),
        ({"samples": 3}, "samples was 2 and is now 3"),
        ({"nulls": 0, "folds": 3}, "folds was 2 and is now 3; nulls was 2 and is now 0"),
        ({"cpus_per_trial": 2}, "cpus_per_trial"),
        ({"metric": "val_pearson_r"}, "metric"),
    ],
)
def test_other_options_do_not_go_on(dataset, tmp_path, given, words):
    start(dataset, tmp_path / "run")
    with pytest.raises(UserError, match=words):
        run_sweep(options_of(dataset, **given), tmp_path / "run", resume=True)
    assert read_options(SweepPaths(tmp_path / "run")) == options_of(dataset)


def test_other_data_do_not_go_on(dataset, tmp_path):
    start(dataset, tmp_path / "run")
    shutil.rmtree(dataset)
    brain = make_brain(seed=4)
    write_dataset(dataset, brain, {"Name": "tiny"})
    with pytest.raises(UserError, match="different data \\(checksum"):
        run_sweep(options_of(dataset), tmp_path / "run", resume=True)


def test_an_edited_gene_list_does_not_go_on(dataset, tmp_path):
    genes = tmp_path / "genes.txt"
    genes.write_text("GENE1\nGENE2\nGENE3\n")
    start(dataset, tmp_path / "run", genes=str(genes))
    start(dataset, tmp_path / "run", genes=str(genes), resume=True)
    genes.write_text("GENE1\nGENE2\nGENE4\n")
    with pytest.raises(UserError, match="different data \\(genes"):
        run_sweep(options_of(dataset, genes=str(genes)), tmp_path / "run", resume=True)


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "- a\n",
        "model: [",
        "colour: red\n",
        "model: smt\nfolds: four\n",
        "model: nobody\n",
    ],
)
def test_a_folder_without_readable_options_does_not_go_on(dataset, tmp_path, text):
    paths = SweepPaths(tmp_path / "run")
    paths.root.mkdir()
    if text is not None:
        paths.sweep.write_text(text)
    with pytest.raises(UserError) as caught:
        run_sweep(options_of(dataset), paths.root, resume=True)
    assert str(paths.root) in str(caught.value)


def test_a_file_of_options_that_is_no_text_is_refused(dataset, tmp_path):
    paths = SweepPaths(tmp_path / "run")
    paths.root.mkdir()
    paths.sweep.write_bytes(b"\xff\xfe\xff")
    with pytest.raises(UserError, match="not a sweep's options"):
        run_sweep(options_of(dataset), paths.root, resume=True)


def test_a_brain_without_spheres_has_no_spins(tmp_path, capsys):
    brain = dataclasses.replace(make_brain(), sphere_coords=None)
    dataset = write_dataset(tmp_path / "flat", brain, {"Name": "flat"})
    with pytest.raises(UserError, match="no sphere coordinates"):
        run_sweep(options_of(dataset, null_method="hungarian"), tmp_path / "run")
    start(dataset, tmp_path / "run")
    assert "no hungarian nulls: flat has no sphere coordinates" in capsys.readouterr().err
    plan = plan_sweep(options_of(dataset), brain)
    assert plan.null_kinds.names == ("random_field",)
    assert set(dict(plan.null_kinds.impossible)) == {"hungarian", "residual_spin"}


def test_options_are_written_for_people_too(dataset, tmp_path):
    start(dataset, tmp_path / "run")
    plain = yaml.safe_load((tmp_path / "run" / "sweep.yaml").read_text())
    assert plain["model"] == "mlp"
    assert not any(isinstance(value, np.generic) for value in plain.values())


def test_a_name_too_long_for_a_file_is_refused_before_the_search(tmp_path, monkeypatch):
    def search(*_: object) -> None:
        raise AssertionError("the search began")

    without_ray(monkeypatch)
    monkeypatch.setattr("sweeps.run.sweep.run_search", search)
    dataset = write_dataset(tmp_path / ("n" * 230), make_brain(), {"Name": "x"})
    with pytest.raises(UserError, match="too long"):
        run_sweep(tiny_options("geography", dataset, nulls=0), tmp_path / "run")
    assert not (tmp_path / "run").exists()
