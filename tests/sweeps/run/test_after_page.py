"""The Python of docs/after.md runs as written, on a small run of the dataset that it names."""

from __future__ import annotations

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
    plan = make_plan("smt", brain=load_dataset("schaefer100"), dataset="schaefer100", **few)
    paths = SweepPaths(tmp_path / "runs/smt_schaefer100")
    write_request(paths, plan)
    finish(plan, paths)

    names = {}
    for code in re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL):
        exec(compile(code, "block", "exec"), names)

    assert len(names["run"].models) == 2
    assert names["model"].predict(names["brain"]).shape == (99, 99)
