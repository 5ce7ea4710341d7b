"""The site builds without a warning, lists the public interface and loads nothing from outside."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import gx2c
from gx2c.estimators import ESTIMATORS

ROOT = Path(__file__).parents[1]
LOADED = re.compile(r"<(?:script|img|iframe)[^>]* src=\"([^\"]+)|<link[^>]* href=\"([^\"]+)")


def test_the_reference_has_every_function_class_and_model() -> None:
    named = set(re.findall(r"^\.\. \w+:: ([\w.]+)", (ROOT / "docs/api.rst").read_text(), re.M))
    public = {name for name in gx2c.__all__ if callable(getattr(gx2c, name))}

    assert named - {"gx2c", "gx2c.models"} == public | set(ESTIMATORS)


@pytest.mark.slow
def test_the_site_builds_without_a_warning_and_loads_nothing_from_outside(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-c", "docs", "."]
    done = subprocess.run([*command, str(tmp_path)], cwd=ROOT, capture_output=True, text=True)

    assert not done.returncode, done.stderr
    assert "docs/start.html" in (tmp_path / "index.html").read_text()
    assert "verdict" in (tmp_path / "searchindex.js").read_text()
    pages = sorted((tmp_path / "docs").glob("*.html"))
    assert {path.stem for path in (ROOT / "docs").glob("*.md")} <= {page.stem for page in pages}
    for page in pages:
        for found in LOADED.findall(page.read_text(encoding="utf-8")):
            assert "//" not in "".join(found), f"{page.name} loads {found}"
    for sheet in (tmp_path / "_static").rglob("*.css"):
        assert not re.search(r"(@import|url\()\s*[\"']?(https?:)?//", sheet.read_text()), sheet
