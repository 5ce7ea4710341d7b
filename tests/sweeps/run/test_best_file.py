"""A best.yaml that someone edited is refused before anything is fitted or written."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from sweep_fixtures import make_brain, make_plan, search_and_retrain

from gx2c.data import load_dataset, write_dataset
from gx2c.errors import UserError
from sweeps.cli import app as cli
from sweeps.folder.paths import SweepPaths
from sweeps.folder.records import read_json
from sweeps.run.best_file import read_best, write_best
from sweeps.run.rerun import read_rerun, run_rerun

Edit = Callable[[dict[str, Any]], Any]


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], SweepPaths]:
    """The best.yaml of a tiny search, as plain values, and its run folder."""
    folder = tmp_path_factory.mktemp("exported")
    dataset = write_dataset(folder / "tiny", make_brain(), {"Name": "tiny"})
    plan = make_plan("mlp", brain=load_dataset(dataset), dataset=str(dataset), samples=2)
    paths = SweepPaths(folder / "run")
    write_best(paths, plan, search_and_retrain(plan, paths))
    plain = yaml.safe_load(paths.best.read_text())
    # as people do who edit it
    del plain["sha256"]
    return plain, paths


def test_an_edited_file_with_its_checksum_is_refused_with_what_to_do(exported, tmp_path):
    path = tmp_path / "best.yaml"
    text = exported[1].best.read_text()
    path.write_text(text.replace("seed: 1\n", "seed: 2\n", 1))
    with pytest.raises(UserError, match="remove its line sha256"):
        read_best(path)


def test_an_exported_file_can_be_read(exported):
    best = read_best(exported[1].best)
    assert [(job.model, job.fold) for job in best.jobs] == [
        ("mlp", 0), ("mlp", 1), ("geography", 0), ("geography", 1)
    ]  # fmt: skip


def test_a_file_of_a_version_with_passes_is_read(exported, tmp_path):
    text = yaml.safe_dump(exported[0]).replace("max_epochs", "max_passes")
    assert "max_passes" in text
    (tmp_path / "best.yaml").write_text(text)
    assert read_best(tmp_path / "best.yaml") == read_best(exported[1].best)


def test_folds_of_a_version_with_one_seed_are_of_that_seed(exported, tmp_path):
    plain = copy.deepcopy(exported[0])
    for one in plain["folds"]:
        assert one.pop("seed") == 1
    (tmp_path / "best.yaml").write_text(yaml.safe_dump(plain))
    _, context, _ = read_rerun(tmp_path / "best.yaml")
    assert [(fold.seed, fold.number) for fold in context.folds] == [(1, 0), (1, 1)]


def test_a_rerun_gives_the_same_numbers_to_the_last_digit(exported, tmp_path):
    best, paths = read_best(exported[1].best), exported[1]
    summary = run_rerun(paths.best, tmp_path / "again")
    again = SweepPaths(tmp_path / "again")
    for model in ("mlp", "geography"):
        for fold in range(2):
            first, second = (read_json(p.retrained(model, fold)) for p in (paths, again))
            assert first["test"] == second["test"]
            assert first["config"] == second["config"]
            name = paths.predicted(model, fold, "tiny").name
            assert (paths.retrained_dir(model, fold) / name).read_bytes() == (
                again.retrained_dir(model, fold) / name
            ).read_bytes()
            saved = paths.model_dir(model, best.seed, fold)
            assert len(list(saved.iterdir())) == 2
            for file in saved.iterdir():
                assert file.read_bytes() == (again.root / file.relative_to(paths.root)).read_bytes()
    assert [f.test for f in summary.folds] == [
        read_json(paths.retrained("mlp", fold))["test"] for fold in range(2)
    ]
    assert summary.gain("pearson_r").n == 2


def test_each_retrained_model_is_repeated_with_its_own_profile(exported, tmp_path):
    """GPUs of several generations compute in several number formats."""
    paths, usual = exported[1], exported[0]["profile"]
    best = copy.deepcopy(exported[0])
    assert not any("profile" in job for job in best["jobs"])
    best["jobs"][1]["profile"] = usual | {"threads": 2}
    (tmp_path / "best.yaml").write_text(yaml.safe_dump(best))
    run_rerun(tmp_path / "best.yaml", tmp_path / "again")
    again = SweepPaths(tmp_path / "again")
    for of, threads in ((paths, [1] * 4), (again, [1, 2, 1, 1])):
        found = [read_json(of.retrained(j["model"], j["fold"]))["profile"] for j in best["jobs"]]
        assert found == [usual | {"threads": n} for n in threads]


def test_a_rerun_does_not_write_where_something_is(exported, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(UserError, match="exists already"):
        run_rerun(exported[1].best, tmp_path)
    with pytest.raises(UserError, match="is a file"):
        run_rerun(exported[1].best, tmp_path / "notes.txt")


def job(number: int = 0, **changes: Any) -> Edit:
    return lambda best: best["jobs"][number].update(changes)


def config(number: int = 0, **changes: Any) -> Edit:
    return lambda best: best["jobs"][number]["config"].update(changes)


def keyword(number: int, **changes: Any) -> Edit:
    return lambda best: best["jobs"][number]["config"]["hyperparameters"].update(changes)


def training(**changes: Any) -> Edit:
    return lambda best: best["jobs"][0]["config"]["training"].update(changes)


def fold(number: int = 0, **changes: Any) -> Edit:
    return lambda best: best["folds"][number].update(changes)


def top(**changes: Any) -> Edit:
    return lambda best: best.update(changes)


def profile(**changes: Any) -> Edit:
    return lambda best: best["profile"].update(changes)


def repeat_a_region(best: dict[str, Any]) -> None:
    best["folds"][0]["train_regions"][0] = best["folds"][0]["train_regions"][1]


def train_on_a_test_region(best: dict[str, Any]) -> None:
    best["folds"][0]["train_regions"].append(best["folds"][0]["test_regions"][0])


def unknown_region(best: dict[str, Any]) -> None:
    best["folds"][1]["test_regions"][2] = "Atlantis_1"


BAD: dict[str, tuple[Edit, str]] = {
    "no checksum": (lambda best: best.pop("checksum"), "checksum: Field required"),
    "more than there is": (top(colour="red"), "colour: Extra inputs"),
    "seed is text": (top(seed="one"), "seed: Input should be a valid integer"),
    "no jobs": (top(jobs=[]), "jobs: List should have at least 1"),
    "no folds": (top(folds=[]), "folds: List"),
    "folds are no list": (top(folds={"a": 1}), "folds: Input should be a valid list"),
    "another model": (top(model="smt"), "it has no job of its model smt"),
    "unknown model": (job(model="nobody"), "job 0 of nobody"),
    "unknown model in the config": (config(model="nobody"), "no model named 'nobody'"),
    "fold that is not there": (job(fold=7), "refers to fold 7, but there are 2 folds"),
    "negative fold": (job(fold=-1), "jobs.0.fold"),
    "a fold twice": (job(1, fold=0), "mlp has jobs for folds \\[0, 0\\]"),
    "a job missing": (lambda best: best["jobs"].pop(), "geography has jobs for folds \\[0\\]"),
    "folds change places": (lambda best: best["folds"].reverse(), "fold 0 is numbered 1"),
    "no epochs": (job(learning_rates=[]), "job 0 has 0 learning rates"),
    "epochs of a closed form": (job(2, learning_rates=[0.1]), "1 learning rates for geography"),
    "rate is no number": (job(learning_rates=[float("nan")]), "learning_rates.0"),
    "rate is negative": (job(learning_rates=[-0.1]), "learning_rates.0"),
    "rate is text": (job(learning_rates=["fast"]), "learning_rates.0"),
    "seed is negative": (job(seed=-1), "jobs.0.seed"),
    "unknown keyword": (keyword(0, colour=3), "mlp cannot be built .*colour"),
    "keyword of a wrong kind": (keyword(0, hidden_dims="wide"), "mlp cannot be built"),
    "keyword out of range": (keyword(0, dropout=2.0), "dropout is 2.0"),
    "closed form out of range": (keyword(2, ridge=-1.0), "ridge is -1.0"),
    "closed form with text": (keyword(2, ridge="small"), "geography cannot be built"),
    "keywords are a list": (config(hyperparameters=[1]), "not a config of a fit"),
    "unknown part of a config": (config(colour="red"), "has no \\['colour'\\]"),
    "unknown schedule": (training(schedule="zigzag"), "zigzag"),
    "unknown training setting": (training(speed=1), "speed"),
    "unknown gene": (config(genes={"which": ["GENE1", "NOGENE"]}), "not in the dataset"),
    "more genes than there are": (config(genes={"which": "99_var"}), "asks for 99"),
    "unknown gene order": (config(genes={"order": "abc"}), "abc"),
    "unknown device": (profile(device="abacus"), "profile.device"),
    "no GPU here": (profile(device="cuda"), "was made on a GPU"),
    "unknown number format": (profile(dtype="float8"), "profile.dtype"),
    "unknown attention": (profile(attention="self"), "profile.attention"),
    "no flash-attn here": (profile(attention="flash"), "needs flash-attn"),
    "no threads": (profile(threads=0), "profile.threads"),
    "too few test regions": (fold(test_regions=["a", "b"]), "test_regions"),
    "a region twice": (repeat_a_region, "names regions more than once"),
    "a test region trains": (train_on_a_test_region, "names regions more than once"),
    "unknown region": (unknown_region, "fold 1: regions \\['Atlantis_1'\\] are not in"),
    "other data": (top(checksum="0" * 64), "another version of"),
    "unknown dataset": (top(dataset="schaefer9000"), "no dataset named 'schaefer9000'"),
}


@pytest.mark.parametrize("name", BAD)
def test_an_edited_file_is_refused_and_nothing_written(exported, tmp_path, monkeypatch, name):
    edit, words = BAD[name]
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    best = copy.deepcopy(exported[0])
    edit(best)
    path = tmp_path / "best.yaml"
    path.write_text(yaml.safe_dump(best, sort_keys=False))
    with pytest.raises(UserError, match=words) as caught:
        run_rerun(path, tmp_path / "again")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "again").exists()


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"a: [", b"- 1\n", b"\xff\xfe\x00", b"just words", b"a: !!python/object:os.x"),
        *(b"a: 2024-13-45", b"a: " + b"[" * 20_000, b"a: " + b"9" * 6_000, b"a: \0"),
    ],
)
def test_what_is_no_yaml_of_ours_ends_with_exit_code_2(tmp_path, capsys, content):
    path = tmp_path / "best.yaml"
    path.write_bytes(content)
    with pytest.raises(SystemExit) as stop:
        cli.main(["rerun", str(path), "--out", str(tmp_path / "again")])
    assert stop.value.code == 2
    error = capsys.readouterr().err
    assert error.startswith(f"gx2c: {path}")
    assert error.count("\n") == 1
    assert not (tmp_path / "again").exists()


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(UserError, match="cannot be read"):
        read_best(Path(tmp_path))


@pytest.mark.parametrize("name", ["threads", "seed", "blocks"])
def test_a_number_beyond_what_computes_is_refused(exported, tmp_path, name):
    best = copy.deepcopy(exported[0])
    if name == "threads":
        best["profile"]["threads"] = 10**12
    if name == "seed":
        best["jobs"][0]["seed"] = 2**200
    if name == "blocks":
        best["folds"][0]["blocks"] = [2**80] * len(best["folds"][0]["test_regions"])
    path = tmp_path / "best.yaml"
    path.write_text(yaml.safe_dump(best))
    with pytest.raises(UserError, match=name):
        read_best(path)
