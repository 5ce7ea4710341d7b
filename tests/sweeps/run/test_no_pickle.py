"""What reads a run folder or an exported file never unpickles, and no module of ours can."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest
from sweep_fixtures import make_brain, make_plan, search_and_retrain

from gx2c.data import load_dataset, write_dataset
from sweeps.folder.paths import SweepPaths
from sweeps.request.files import write_request
from sweeps.run.best_file import write_best
from sweeps.run.rerun import run_rerun
from sweeps.run.status import read_status

REPOSITORY = Path(__file__).parents[3]
SOURCES = sorted(
    path
    for folder in ("gx2c", "trainables", "search_spaces", "sweeps", "cluster")
    for path in (REPOSITORY / folder).rglob("*.py")
)
FORBIDDEN_MODULES = {"pickle", "cloudpickle", "dill", "shelve", "marshal"}
# call -> the keyword that makes it safe, and its value
SAFE_ONLY_WITH = {
    "torch.load": ("weights_only", True),
    "np.lib.format.read_array": ("allow_pickle", False),
}
FORBIDDEN_CALLS = {"yaml.load", "yaml.unsafe_load", "joblib.load", "pd.read_pickle", "eval", "exec"}
unpickled: list[str] = []


def watch(event: str, arguments: tuple[object, ...]) -> None:
    if event == "pickle.find_class":
        unpickled.append(f"{arguments[0]}.{arguments[1]}")


def can_unpickle(node: ast.AST) -> bool:
    if isinstance(node, ast.Import | ast.ImportFrom):
        modules = {alias.name for alias in node.names} | {getattr(node, "module", "")}
        return bool(modules & FORBIDDEN_MODULES)
    if not isinstance(node, ast.Call):
        return False
    name = ast.unparse(node.func)
    if name in SAFE_ONLY_WITH:
        keyword, value = SAFE_ONLY_WITH[name]
        given = {k.arg: ast.unparse(k.value) for k in node.keywords}
        return given.get(keyword) != str(value)
    return name in FORBIDDEN_CALLS


def test_no_module_of_ours_can_unpickle():
    assert len(SOURCES) > 200
    found = [
        f"{path.relative_to(REPOSITORY)}:{node.lineno}"
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if can_unpickle(node)
    ]
    assert found == []


@pytest.mark.parametrize(
    "code", ["import pickle", "from dill import load", "eval(x)", "torch.load(x)", "yaml.load(x)"]
)
def test_what_can_unpickle_would_be_found(code):
    assert any(map(can_unpickle, ast.walk(ast.parse(code))))


def test_a_rerun_and_a_status_unpickle_nothing(tmp_path):
    dataset = write_dataset(tmp_path / "tiny", make_brain(), {"Name": "tiny"})
    plan = make_plan("mlp", brain=load_dataset(dataset), dataset=str(dataset), samples=2)
    paths = SweepPaths(tmp_path / "run")
    write_request(paths, plan)
    write_best(paths, plan, search_and_retrain(plan, paths))
    # what Tune leaves of an interrupted search must not tempt anyone
    (paths.tune / "run-0").mkdir(parents=True)
    (paths.tune / "run-0" / "tuner.pkl").write_bytes(b"cos\nsystem\n(S'false'\ntR.")
    # an audit hook stays for ever: it only notes
    sys.addaudithook(watch)
    unpickled.clear()
    read_status(paths)
    run_rerun(paths.best, tmp_path / "again")
    assert unpickled == []
