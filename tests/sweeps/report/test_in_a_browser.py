"""Pages as a browser shows and prints them: nothing is loaded, nothing is lost."""

from __future__ import annotations

import os
import re
import shutil
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader
from report_additions import grade_run, with_details, with_explained
from report_fixtures import make_run, read_summary

from sweeps.compare.comparison_page import write_comparison
from sweeps.compare.leaderboard import Leaderboard, Row
from sweeps.compare.leaderboard_page import BASELINE, page_of
from sweeps.folder.paths import SweepPaths
from sweeps.folder.summary_parts import Average, Gain, Provenance
from sweeps.report.build import write_report

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.pictures,
    pytest.mark.skipif(CHROMIUM is None, reason="needs chromium"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> SweepPaths:
    folder = tmp_path_factory.mktemp("runs") / "run"
    paths = make_run(folder, n_folds=2, n_regions=10, n_configs=14, n_epochs=8, places=True)
    with_details(paths)
    with_explained(paths, n_regions=10)
    grade_run(paths, 2)
    write_report(paths)
    return paths


@pytest.fixture(scope="module")
def shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where screenshots go, which CI keeps."""
    kept = os.environ.get("GX2C_SCREENSHOTS")
    folder = Path(kept) if kept else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(exist_ok=True, parents=True)
    return folder


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1280])
def test_a_page_fits_and_loads_nothing(browser, run, shots, width, scheme):
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page, said, asked = context.new_page(), [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(run.report.as_uri())
    page.screenshot(path=shots / f"report_{width}_{scheme}.png", full_page=True)
    assert said == []
    assert [url for url in asked if not url.startswith("data:")] == [run.report.as_uri()]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    paper, ink = page.evaluate(
        "(s => [s.backgroundColor, s.color])(getComputedStyle(document.body))"
    )
    dark = [sum(map(int, re.findall(r"\d+", colour)[:3])) < 3 * 128 for colour in (paper, ink)]
    assert dark == ([False, True] if scheme == "light" else [True, False])
    # what is wider than the screen can be scrolled to, also with the keyboard
    for box in page.query_selector_all(".scroll"):
        wide = "b => b.scrollWidth > b.clientWidth + 1"
        assert not box.evaluate(wide) or box.evaluate(
            "b => getComputedStyle(b).overflowX == 'auto' && b.tabIndex == 0"
        )
    # the verdict's picture is whole on a telephone
    shown = [svg for svg in page.query_selector_all("header svg") if svg.is_visible()]
    assert len(shown) == 1 and shown[0].bounding_box()["width"] <= width - 20
    context.close()


def test_links_lead_to_sections_and_marks_have_tooltips(browser, run):
    page = browser.new_page()
    page.goto(run.report.as_uri())
    for link in page.query_selector_all("nav a"):
        link.click()
        target = page.evaluate(
            "document.querySelector(location.hash).querySelector('h2').textContent"
        )
        assert target == link.text_content()
    r = read_summary(run)["test"]["pearson_r"]["mean"]
    titles = page.eval_on_selector_all("svg title", "all => all.map(one => one.textContent)")
    assert any(title.startswith(f"smt: r = {r:.3f}"[:9] + f"{r:.3f}"[1:]) for title in titles)
    for svg in page.query_selector_all("svg"):
        assert svg.get_attribute("role") == "img"
        assert len(svg.get_attribute("aria-label")) > 20
    # the folds' tabs follow the arrows
    page.focus("#pick-0")
    page.keyboard.press("ArrowRight")
    assert page.is_visible(".panels > :nth-child(2)") and not page.is_visible(
        ".panels > :first-child"
    )
    page.close()


def test_five_grades_have_five_colours(browser, shots, tmp_path):
    page, colours = browser.new_page(viewport={"width": 1280, "height": 900}), []
    for grade in range(5):
        folder = tmp_path / str(grade) / "smt_schaefer100"
        paths = make_run(folder, n_folds=4, n_configs=0, n_epochs=0, n_regions=4)
        sentence = grade_run(paths, grade).sentence
        page.goto(write_report(paths).as_uri())
        assert page.inner_text("h1") == sentence
        colours.append(
            page.evaluate("getComputedStyle(document.querySelector('h1')).borderLeftColor")
        )
        page.screenshot(path=shots / f"grade_{grade}.png")
        picture = page.query_selector("header svg").get_attribute("aria-label")
        rivals = ["smt: .500", "geography: ", "distance decay: ", "99 nulls: hungarian"]
        rivals += ["the same on coordinates: "] * (grade > 1) + ["residual_spin: "] * (grade > 2)
        assert all(rival in picture for rival in rivals)
    assert len(set(colours)) == 5
    page.close()


def test_printed_pages_hold_every_column_and_figure(browser, run, shots):
    page = browser.new_page()
    page.goto(run.report.as_uri())
    file = shots / "report.pdf"
    page.pdf(path=file, prefer_css_page_size=True, print_background=True)
    page.emulate_media(media="print")
    # A4 without its margins, in CSS pixels
    width = round((210 - 28) / 25.4 * 96)
    page.set_viewport_size({"width": width, "height": 1000})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    heads = page.eval_on_selector_all(
        "table", "all => all.map(t => [...t.querySelectorAll('thead th')].at(-1).textContent)"
    )
    figures = page.eval_on_selector_all(
        "svg:not(.for-phones svg)",
        "all => all.map(s => [s.checkVisibility(), s.getBoundingClientRect().right])",
    )
    texts = page.eval_on_selector_all(
        "svg", "all => all.map(s => [...s.querySelectorAll('text')].map(t => t.textContent).at(-1))"
    )
    names = page.eval_on_selector_all("tbody th", "all => all.map(t => t.offsetWidth)")
    page.close()
    # names of rows are not broken letter by letter
    assert min(names) > 50
    assert len(heads) >= 8 and len(figures) >= 20
    assert all(visible and right <= width for visible, right in figures)
    sheets = PdfReader(file).pages
    assert {(round(p.mediabox.width), round(p.mediabox.height)) for p in sheets} == {(595, 842)}
    text = squeezed("".join(p.extract_text() for p in sheets))
    for words in [*heads, *texts, "gx2c sweep smt --preset quick"]:
        assert squeezed(words) in text


def squeezed(text: str) -> str:
    """Return a text without spaces and ligatures."""
    return "".join(unicodedata.normalize("NFKC", text).split())


def comparison(folder: Path) -> Path:
    numbers = {"mean": 0.05, "low": 0.01, "high": 0.09, "p_value": 0.01, "q_value": 0.02}
    differences = [{"seed": 1, "fold": k, "difference": 0.04 + 0.01 * k} for k in range(3)]
    compared = [
        {"model": model, "metric": metric, "differences": differences, **numbers}
        for model in ("smt_cls_pool", "geography+genes")
        for metric in ("pearson_r", "mse")
    ]
    split = {"dataset": "tiny", "split": "random", "split_label": "", "seeds": [1], "test": "t"}
    split |= {"note": "", "comparisons": compared}
    return write_comparison(folder, {"against": "geography", "scope": "scope", "splits": [split]})


def leaderboard(folder: Path) -> Path:
    of, gain = {"pearson_r": Average(mean=0.5, sd=0.1, n=4)}, {"pearson_r": Gain(mean=0.1, se=0.02)}
    empty: dict[str, Any] = dict.fromkeys(("pruned", "failed", "samples", "max_epochs"), 0)
    row = Row.model_validate(
        empty | {
            "name": "geography+smt_cls_pool", "model": "smt", "run": "", "kind": "epochs",
            "uses": [], "test": of, "single": of, "members": "10", "per_fold": [0.4, 0.6],
            "gain": gain, "p_value": 0.01, "p_floor": 0.01, "null_search": "none",
            "descriptive": False, "n_nulls": 99, "trials": 3200, "epochs": 123456,
            "seconds": 98765.0, "not_converged": [1, 2], "genes": "all", "notes": [],
            "p_max_t": 0.01, "p_fdr": 0.01, "grade": 3, "tested_up_to": 4, "sentence": "Words.",
        }
    )  # fmt: skip
    board = Leaderboard(
        dataset="tiny", checksum="", split="random", seeds=[1], n_regions=9, geography=of,
        rows=[row, row.model_copy(update={"name": "mlp"})], left_out={}, provenance=Provenance(),
    )  # fmt: skip
    path = folder / "leaderboard.html"
    path.write_text(page_of(board))
    return path


@pytest.mark.parametrize("make", [comparison, leaderboard])
def test_pages_of_several_runs_fit_and_print_whole(browser, shots, tmp_path, make):
    path, asked = make(tmp_path), []
    for width, scheme in ((400, "dark"), (1280, "light")):
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        page = context.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: asked.append(message.text))
        page.goto(path.as_uri())
        page.screenshot(path=shots / f"{path.stem}_{width}.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        file = shots / f"{path.stem}.pdf"
        page.pdf(path=file, prefer_css_page_size=True)
        cells = page.eval_on_selector_all("th, td, svg text", "all => all.map(c => c.textContent)")
        context.close()
    assert asked == [path.as_uri()] * 2
    text = squeezed("".join(sheet.extract_text() for sheet in PdfReader(file).pages))
    assert [cell for cell in cells if squeezed(cell) not in text] == []
    assert make is comparison or BASELINE in cells
