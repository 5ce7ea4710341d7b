"""Write the page: sections, style and script in one file that needs no network."""

from __future__ import annotations

import base64
import hashlib
from importlib import resources
from pathlib import Path

from sweeps.paths import SweepPaths
from sweeps.report import details_section, opening, search_section, sections
from sweeps.report.markup import Markup, node
from sweeps.report.reading import RunFiles, read_run

SECTIONS = (
    sections.scores,
    details_section.details,
    sections.predictions,
    sections.nulls,
    search_section.search,
    sections.configs,
    sections.limits,
    sections.provenance,
)


def write_report(paths: SweepPaths) -> Path:
    """Write report.html from the files of a finished run folder.

    Nothing is computed that the files do not say; missing parts are named on the page.

    Parameters
    ----------
    paths
        Of the run folder.

    Returns
    -------
    Path
        Of the page: one file that opens from disk and loads nothing.

    Raises
    ------
    UserError
        If summary.json is missing or is not the summary of a sweep.
    """
    page = make_page(read_run(paths))
    paths.report.write_text(page, encoding="utf-8")
    return paths.report


def make_page(run: RunFiles) -> str:
    """Return the whole page."""
    script = _packaged("page.js")
    digest = base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")
    # The browser itself refuses any request and any script but this one
    policy = (
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
        f"script-src 'sha256-{digest}'"
    )
    head = node(
        "head",
        node("meta", charset="utf-8"),
        node("meta", http_equiv="Content-Security-Policy", content=policy),
        node("meta", name="viewport", content="width=device-width, initial-scale=1"),
        node("meta", name="color-scheme", content="light dark"),
        node("title", f"{run.summary.model} on {run.summary.dataset} · gx2c"),
        node("style", Markup(_packaged("page.css"))),
    )
    body = node(
        "body",
        node("main", opening.top(run), *[section(run) for section in SECTIONS]),
        node("div", id="tip", role="status", hidden=True),
        node("script", Markup(script)),
    )
    return f"<!doctype html>\n{node('html', head, body, lang='en')}\n"


def _packaged(name: str) -> str:
    return resources.files("sweeps.report").joinpath(name).read_text(encoding="utf-8")
