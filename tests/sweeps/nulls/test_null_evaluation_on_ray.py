"""Groups of nulls as Ray tasks give what processes give."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from sweeps.cli.nulls import nulls_app

ASKED = ("evaluate", "--surrogate", "hungarian", "--n", "18")


@pytest.mark.slow
def test_on_ray_the_same_as_in_this_process(tmp_path):
    found = []
    for name, how in (("here", ()), ("ray", ("--ray",))):
        out = tmp_path / name
        result = CliRunner().invoke(nulls_app, [*ASKED, *how, "--out", str(out)])
        assert result.exit_code == 0, result.output
        summary = json.loads((out / "summary.json").read_text())
        found.append((summary["nulls"], summary["test"], (out / "scores.tsv").read_text()))
    assert len(list((tmp_path / "ray").rglob("group_*.json"))) == 2 * 4
    assert found[1] == found[0]
