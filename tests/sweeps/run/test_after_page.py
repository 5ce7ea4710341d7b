"""The Python of docs/after.md runs as written, on a small run of the dataset that it names."""

from __future__ import annotations

import json
import re
from pathlib import Path

from sweep_fixtures import finish, make_plan

from gx2c.data import load_dataset
from sweeps.folder.paths import SweepPaths
from sweeps.request.files import write_request

PAGE = Path(__file__).parents[3] / "docs/after.md"


def test_the_blocks_of_the_page_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    few = {"genes": "12_var", "samples": 1, "max_epochs": 1, "grace_epochs": 1, "nulls": 0}
    plan = make_plan(
        "geography+smt", brain=load_dataset("schaefer100"), dataset="schaefer100", **few
    )
    paths = SweepPaths(tmp_path / "runs/quick")
    write_request(paths, plan)
    finish(plan, paths)

    names, text = {}, PAGE.read_text()
    for code in re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        exec(compile(code, "block", "exec"), names)

    assert repr(names["run"]) == "SavedRun('runs/quick': geography+smt, 4 saved models)"
    assert len(names["run"].models) == 2
    assert names["model"].predict(names["brain"]).shape == (99, 99)
    # outputs are those of the README's run
    summary = json.loads((PAGE.parent / "quick_summary.json").read_text())
    assert text.count(f"test r {summary['test']['pearson_r']['mean']:.3f}") == 2
