"""A damaged file of a run gives the equal answer or an error that names it, never another."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from serial_sweep import exit_code_of, tiny_options, without_ray
from sweep_fixtures import files_under, report

from gx2c.data import load_dataset
from gx2c.errors import UserError
from gx2c.saved.run import load_run
from sweeps.folder.paths import SweepPaths
from sweeps.folder.records import read_json, write_json
from sweeps.request.files import read_options
from sweeps.run.sweep import run_sweep
from sweeps.search.callbacks import LearningCurves
from sweeps.search.tune_sessions import TuneSessions
from trainables.work import TrialWork

pytestmark = pytest.mark.slow

# a finished run holds one of each at least, and no other
KINDS = (
    "sweep.yaml",
    "inputs.json",
    "folds.json",
    "regions.tsv",
    "warm_start.json",
    "seconds.json",
    "sessions.json",
    "cluster.json",
    "records/mlp/*/config_*.json",
    "records/geography/*/config_*.json",
    "retrained/mlp/*/result.json",
    "retrained/mlp/*/*desc-mlp*relmat.tsv",
    "retrained/mlp/*/*desc-measured*relmat.tsv",
    "retrained/geography/*/*",
    "models/*/seed_1/*/arrays.safetensors",
    "models/*/seed_1/*/model.json",
    "models.json",
    "nulls/mlp/*/group_*.json",
    "nulls.json",
    "nulls/mlp/scores.tsv",
    "tensorboard/*/events.out.*",
    "trials.parquet",
    "curves.parquet",
    "study.db",
    "best.yaml",
    "summary.json",
    "report.html",
)
PLACES = {"first": 1 / 6, "middle": 1 / 2, "last": 5 / 6}


@dataclass(frozen=True)
class Finished:
    """A finished run, a copy of it, and how to go on with it."""

    pristine: Path
    paths: SweepPaths
    resume: tuple[str, ...]

    @property
    def root(self) -> Path:
        return self.paths.root

    def restore(self) -> None:
        shutil.rmtree(self.root, ignore_errors=True)
        shutil.copytree(self.pristine, self.root)


@pytest.fixture(scope="module")
def finished(tiny_dataset, tmp_path_factory) -> Iterator[Finished]:
    folder = tmp_path_factory.mktemp("damage")
    with pytest.MonkeyPatch.context() as patch:
        without_ray(patch)
        earlier, paths = folder / "earlier", SweepPaths(folder / "run")
        with pytest.MonkeyPatch.context() as inner:
            without_pages(inner)
            run_sweep(tiny_options("mlp", tiny_dataset, nulls=0), earlier)
        options = tiny_options("mlp", tiny_dataset, warm_start=(str(earlier),))
        run_sweep(options, paths.root)
        TuneSessions(paths, "").begin()
        curves = LearningCurves(paths.tensorboard, max_epochs=6)
        trial = SimpleNamespace(trial_id="t", config=TrialWork("mlp", 0, (0,), (), (1,)).to_dict())
        curves.on_trial_result(0, [], trial, report(1, 4))
        curves.on_trial_complete(0, [], trial)
        given = (
            f"sweep mlp --preset quick --dataset {tiny_dataset} --genes 12_var --folds 2 "
            f"--inner-folds 2 --samples 4 --max-epochs 6 --nulls 2 --ensemble 1 "
            f"--warm-start {earlier}"
        )
        resume = (*given.split(), "--resume", "--out", str(paths.root))
        shutil.copytree(paths.root, folder / "pristine")
        yield Finished(folder / "pristine", paths, resume)


def plain_summary(path: Path) -> Any:
    summary = json.loads(path.read_text())
    left_out = ("provenance", "seconds", "sha256")
    return {key: value for key, value in summary.items() if key not in left_out}


def by_resuming(run: Finished, capsys: Any) -> tuple[int, Any]:
    with pytest.MonkeyPatch.context() as patch:
        # they take seconds and are never read back
        without_pages(patch)
        code = exit_code_of(*run.resume)
    return code, None if code else plain_summary(run.paths.summary)


def without_pages(patch: pytest.MonkeyPatch) -> None:
    for name in ("sweeps.report.build.write_report", "sweeps.run.sweep.write_study"):
        patch.setattr(name, lambda *_: None)


def by_reporting(run: Finished, capsys: Any) -> tuple[int, Any]:
    run.paths.report.unlink(missing_ok=True)
    code = exit_code_of("report", str(run.root))
    return code, None if code else run.paths.report.read_text()


def by_status(run: Finished, capsys: Any) -> tuple[int, Any]:
    code = exit_code_of("status", str(run.root), "--json")
    return code, None if code else json.loads(capsys.readouterr().out)


def by_comparing(run: Finished, capsys: Any) -> tuple[int, Any]:
    code = exit_code_of("compare", str(run.root), "--json")
    return code, None if code else json.loads(capsys.readouterr().out)


def by_rerunning(run: Finished, capsys: Any) -> tuple[int, Any]:
    out = run.root.with_name("again")
    shutil.rmtree(out, ignore_errors=True)
    code = exit_code_of("rerun", str(run.paths.best), "--out", str(out))
    return code, None if code else plain_summary(out / "summary.json")


def by_predicting(run: Finished, capsys: Any) -> tuple[int, Any]:
    brain = load_dataset(read_options(SweepPaths(run.pristine)).dataset)
    try:
        saved = load_run(run.root)
        models = [*saved.models, *saved.geography]
        return 0, [(m.name, m.predict(brain).tobytes()) for m in models]
    except UserError as error:
        print(error, file=sys.stderr)
        return 2, None


READERS: dict[str, Callable[[Finished, Any], tuple[int, Any]]] = {
    "resume": by_resuming,
    "report": by_reporting,
    "status": by_status,
    "compare": by_comparing,
    "rerun": by_rerunning,
    "predict": by_predicting,
}
opened: set[str] = set()


def note_opened(event: str, arguments: tuple[Any, ...]) -> None:
    if event in ("open", "sqlite3.connect"):
        opened.add(str(arguments[0]).removeprefix("file:"))


def kind_of(path: Path, root: Path) -> str:
    found = [kind for kind in KINDS if fnmatch(path.relative_to(root).as_posix(), kind)]
    assert found, f"{path.relative_to(root)} is of a kind that no case covers; add it to KINDS"
    return found[0]


def one_of_each(root: Path) -> list[Path]:
    files = {kind_of(path, root): path.relative_to(root) for path in files_under(root)}
    assert set(files) == set(KINDS)
    return list(files.values())


def flip(path: Path, place: float) -> None:
    """Flip the last bit of the first digit from a place on, which makes another digit."""
    content = bytearray(path.read_bytes())
    start = int(len(content) * place)
    digits = (at for at in range(start, len(content)) if chr(content[at]).isdigit())
    content[next(digits, start)] ^= 1
    path.write_bytes(content)


@pytest.fixture
def in_process(monkeypatch) -> None:
    without_ray(monkeypatch)


@pytest.mark.parametrize(
    "reader",
    [
        pytest.param("resume"),
        pytest.param("report"),
        pytest.param("status"),
        "compare",
        "rerun",
        "predict",
    ],
)
def test_a_flipped_bit_is_named_or_changes_no_answer(reader, finished, in_process, capsys):
    read = READERS[reader]
    finished.restore()
    # an audit hook stays for ever: it only notes
    sys.addaudithook(note_opened)
    opened.clear()
    code, answer = read(finished, capsys)
    assert code == 0
    seen, wrong, refused = set(opened), [], 0
    for name in one_of_each(finished.pristine):
        path = finished.root / name
        # what a reader does not open cannot change its answer; Arrow opens unseen
        if str(path) not in seen and path.suffix != ".parquet":
            continue
        for place in PLACES:
            finished.restore()
            flip(path, PLACES[place])
            capsys.readouterr()
            code, found = read(finished, capsys)
            message = capsys.readouterr().err
            refused += code == 2
            named = code == 2 and path.name in message and "Traceback" not in message
            if not named and (code, found) != (0, answer):
                wrong.append(f"{name} ({place}): exit code {code}, {message[-200:]}")
    assert not wrong, "\n".join(wrong)
    assert refused, "this reader reads nothing"


def edited(path: Path, **changes: Any) -> None:
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, **changes}, indent=1) + "\n")


def nested(root: Path) -> Path:
    path = next(root.glob("records/mlp/fold_00/config_*.json"))
    path.write_text("[" * 20_000 + "]" * 20_000)
    return path


def without_params(root: Path) -> Path:
    path = next(root.glob("records/mlp/fold_00/config_*.json"))
    edited(path, params=None)
    return path


def another_seed(root: Path) -> Path:
    path = next(root.glob("records/mlp/fold_00/config_*.json"))
    content = read_json(path)
    write_json(path, {**content, "seed": content["seed"] + 1})
    return path


def another_state(root: Path) -> Path:
    path = next(root.glob("records/mlp/fold_00/config_*.json"))
    edited(path, state="FAILED")
    return path


def another_score(root: Path) -> Path:
    path = root / "retrained" / "mlp" / "fold_00" / "result.json"
    test = json.loads(path.read_text())["test"]
    edited(path, test={**test, "pearson_r": 0.9})
    return path


def another_fold(root: Path) -> Path:
    path = root / "retrained" / "mlp" / "fold_00" / "result.json"
    shutil.copy(root / "retrained" / "mlp" / "fold_01" / "result.json", path)
    return path


def another_null_score(root: Path) -> Path:
    path = root / "nulls" / "mlp" / "fold_00" / "group_0000.json"
    scores = json.loads(path.read_text())["scores"]
    edited(path, scores=[{**scores[0], "pearson_r": 0.9}, *scores[1:]])
    return path


def a_digit_of_a_connectome(root: Path) -> Path:
    path = next(root.glob("retrained/mlp/fold_00/*desc-mlp*"))
    text = path.read_text()
    at = text.rindex(".") + 2
    path.write_text(text[:at] + str((int(text[at]) + 5) % 10) + text[at + 1 :])
    return path


def an_empty_connectome(root: Path) -> Path:
    path = next(root.glob("retrained/mlp/fold_00/*desc-mlp*"))
    path.write_text("")
    return path


DAMAGES = [
    nested,
    without_params,
    another_seed,
    another_state,
    another_score,
    another_fold,
    another_null_score,
    a_digit_of_a_connectome,
    an_empty_connectome,
]


@pytest.mark.parametrize(
    "damage",
    [pytest.param(d) for d in DAMAGES],
)
def test_damage_is_refused_on_resume(damage, finished, in_process, capsys):
    finished.restore()
    path = damage(finished.root)
    assert by_resuming(finished, capsys)[0] == 2
    error = capsys.readouterr().err
    assert path.name in error and "Traceback" not in error


def test_files_that_are_not_gx2cs_are_left_alone_and_named(finished, in_process, capsys, caplog):
    finished.restore()
    record = next(finished.root.glob("records/mlp/fold_00/config_*.json"))
    group = next(finished.root.glob("nulls/mlp/fold_00/group_*.json"))
    for path in (record, group):
        shutil.copy(path, path.with_name(f"{path.stem} (copy).json"))
    for read in (by_status, by_resuming):
        caplog.clear()
        assert read(finished, capsys)[0] == 0
        assert f"{record.stem} (copy).json" in caplog.text
    assert group.with_name(f"{group.stem} (copy).json").exists()


@pytest.mark.parametrize("name", ["trials.parquet", "summary.json"])
def test_a_folder_in_the_place_of_a_file_is_a_sentence(name, finished, in_process, capsys):
    finished.restore()
    (finished.root / name).unlink()
    (finished.root / name).mkdir()
    assert by_resuming(finished, capsys)[0] == 2
    error = capsys.readouterr().err
    assert name in error and "Traceback" not in error


def test_a_folder_in_the_place_of_the_page_is_a_sentence(finished, monkeypatch, capsys):
    finished.restore()
    finished.paths.report.unlink()
    finished.paths.report.mkdir()
    monkeypatch.setattr("sweeps.report.build.page_of", lambda *_: "page", raising=False)
    assert exit_code_of("report", str(finished.root)) == 2
    error = capsys.readouterr().err
    assert "report.html" in error and "Traceback" not in error


def without_checksums(root: Path) -> None:
    # nor did those versions save models
    shutil.rmtree(root / "models")
    (root / "models.json").unlink()
    for path in files_under(root):
        if path.suffix == ".json":
            content = json.loads(path.read_text())
            content.pop("sha256", None)
            content.pop("files", None)
            path.write_text(json.dumps(content))
        if path.suffix == ".yaml":
            kept = [line for line in path.read_text().splitlines() if line[:6] != "sha256"]
            path.write_text("\n".join(kept) + "\n")


@pytest.mark.parametrize("reader", [name for name in READERS if name != "predict"])
def test_a_run_of_an_earlier_version_is_still_read(reader, finished, in_process, capsys):
    finished.restore()
    _, answer = READERS[reader](finished, capsys)
    finished.restore()
    without_checksums(finished.root)
    if reader == "status":
        _, before = READERS[reader](finished, capsys)
        answer["disk_bytes"] = before["disk_bytes"]
    code, found = READERS[reader](finished, capsys)
    assert code == 0, capsys.readouterr().err
    if reader not in ("resume", "rerun"):
        assert found == answer
