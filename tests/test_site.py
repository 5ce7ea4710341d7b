"""The site builds without a warning, runs the notebooks, and loads nothing from outside."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

import gx2c
from gx2c.estimators import ESTIMATORS

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "docs/notebooks").glob("*.md"))
CHROMIUM = shutil.which("chromium")
LOADED = re.compile(r"<(?:script|img|iframe)[^>]* src=\"([^\"]+)|<link[^>]* href=\"([^\"]+)")


def test_the_reference_has_every_function_class_and_model() -> None:
    named = set(re.findall(r"^\.\. \w+:: ([\w.]+)", (ROOT / "docs/api.rst").read_text(), re.M))
    public = {name for name in gx2c.__all__ if callable(getattr(gx2c, name))}

    assert named - {"gx2c", "gx2c.models"} == public | set(ESTIMATORS)


def test_one_command_makes_notebooks_of_the_pages(tmp_path: Path) -> None:
    (command,) = re.findall(r"^jupytext .*", (ROOT / "docs/start.md").read_text(), re.M)
    shutil.copytree(ROOT / "docs/notebooks", tmp_path / "docs/notebooks")
    words = shlex.split(command)
    pages = [str(path) for path in sorted(tmp_path.glob(words.pop()))]
    subprocess.run([sys.executable, "-m", *words, *pages], check=True, capture_output=True)

    for page in NOTEBOOKS:
        made = json.loads((tmp_path / "docs/notebooks" / f"{page.stem}.ipynb").read_text())
        code = [cell for cell in made["cells"] if cell["cell_type"] == "code"]
        assert made["metadata"]["kernelspec"]["name"] == "python3"
        assert len(code) == page.read_text().count("```{code-cell}") > 3
    assert len(list(tmp_path.glob("docs/notebooks/*.ipynb"))) == len(NOTEBOOKS) > 0


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site, for which every notebook runs once."""
    out = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-c", "docs", "."]
    force = ["-D", "nb_execution_mode=force", str(out)]
    done = subprocess.run([*command, *force], cwd=ROOT, capture_output=True, text=True)
    assert not done.returncode, done.stderr
    return out


@pytest.mark.slow
@pytest.mark.parametrize("width", [400, 1280])
@pytest.mark.skipif(CHROMIUM is None, reason="needs chromium")
def test_pages_of_notebooks_show_their_outputs(site: Path, width: int) -> None:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = chromium.new_page(viewport={"width": width, "height": 900})
        for notebook in NOTEBOOKS:
            page.goto((site / f"docs/notebooks/{notebook.stem}.html").as_uri())
            pictures = page.query_selector_all(".cell_output img, .cell_output svg")
            assert len(pictures) > 1
            for picture in pictures:
                box = picture.bounding_box()
                assert box and 200 < box["width"] <= width and box["height"] > 100
                assert picture.evaluate("one => one.naturalWidth !== 0")
            texts = [one.inner_text() for one in page.query_selector_all(".cell_output pre")]
            assert any(texts) and max(text.count("\n") for text in texts) < 100
            assert "Traceback" not in page.content()
            # what is wider than the screen can be scrolled to
            assert page.evaluate("document.documentElement.scrollWidth") <= width
        chromium.close()


@pytest.mark.slow
def test_the_site_builds_without_a_warning_and_loads_nothing_from_outside(site: Path) -> None:
    assert "docs/start.html" in (site / "index.html").read_text()
    assert "verdict" in (site / "searchindex.js").read_text()
    pages = sorted((site / "docs").rglob("*.html"))
    assert {path.stem for path in (ROOT / "docs").rglob("*.md")} <= {page.stem for page in pages}
    for page in pages:
        for found in LOADED.findall(page.read_text(encoding="utf-8")):
            assert "//" not in "".join(found), f"{page.name} loads {found}"
    for sheet in (site / "_static").rglob("*.css"):
        assert not re.search(r"(@import|url\()\s*[\"']?(https?:)?//", sheet.read_text()), sheet


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="needs chromium")
def test_pages_fit_narrow_screens_and_search_works_without_a_server(site: Path) -> None:
    with sync_playwright() as playwright:
        page = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"]).new_page(
            viewport={"width": 400, "height": 900}
        )
        problems: list[str] = []
        page.on(
            "console", lambda line: problems.append(line.text) if line.type == "error" else None
        )
        for path in sorted((site / "docs").glob("*.html")):
            page.goto(path.as_uri())
            assert page.evaluate("document.documentElement.scrollWidth") <= 400, path.name
            images = "[...document.images].filter(i => !i.naturalWidth || !i.alt).map(i => i.src)"
            assert page.evaluate(images) == [], path.name
        page.goto((site / "search.html").as_uri() + "?q=geneex2conn")
        page.wait_for_selector("#search-results a")
        found = page.locator("#search-results a").all_inner_texts()

    assert "Compared with GeneEx2Conn" in found
    assert problems == []


def test_the_gallery_is_small_and_each_figure_is_described() -> None:
    text, folder = (ROOT / "docs/gallery.md").read_text(), ROOT / "docs/images/gallery"
    shown = re.findall(r"!\[(.+)\]\(images/gallery/(.+)\)", text)

    assert sorted(name for _, name in shown) == sorted(path.name for path in folder.iterdir())
    assert sum(path.stat().st_size for path in folder.iterdir()) < 1_500_000
